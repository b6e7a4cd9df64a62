#pragma once

// Random bytes for secrets, from OpenSSL. base/random.h is for all else.

#include <cstddef>
#include <string>

#include "crypto/secret.h"

namespace chappe::crypto {

// The program stops where the system has no random bytes to give: nothing made without them would be secret.
[[nodiscard]] std::string random_bytes(std::size_t size);

// A password for people to read and type: "k7m2q-x9fhc-t3wpd-n8vsb". Small letters and digits without those that look
// alike; 99 bits.
[[nodiscard]] Secret random_password();

}  // namespace chappe::crypto
