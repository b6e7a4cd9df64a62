#pragma once

#include <expected>
#include <string>

#include "accounts/account.h"
#include "crypto/secret.h"

namespace chappe::access {

// What is kept of a password, for logging in with it and for SCRAM. Takes some ten milliseconds. Fails where it is
// empty or has letters that SCRAM does not take.
[[nodiscard]] std::expected<accounts::Password, std::string> stored_password(const crypto::Secret& password);

}  // namespace chappe::access
