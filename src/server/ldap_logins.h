#pragma once

// The method "ldap", from what the settings say.

#include <expected>
#include <memory>
#include <string>

#include "access/current.h"
#include "access/ldap_method.h"
#include "server/settings/settings.h"

namespace chappe::server {

// An error is for people, and begins with the name of the setting. Blocks as reading a file does; the server is not
// asked.
[[nodiscard]] std::expected<std::shared_ptr<const access::Method>, std::string> make_ldap_method(
    std::shared_ptr<const access::Current> current, const LdapSettings& settings);

}  // namespace chappe::server
