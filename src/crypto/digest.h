#pragma once

// Digests, and what is made of them: HMAC (RFC 2104) and PBKDF2 (RFC 8018, 5.2).

#include <cstdint>
#include <string>
#include <string_view>

namespace chappe::crypto {

enum class Hash { Sha256, Sha384, Sha512 };

[[nodiscard]] std::size_t size_of(Hash hash) noexcept;  // In bytes.

[[nodiscard]] std::string digest(Hash hash, std::string_view data);
[[nodiscard]] std::string hmac(Hash hash, std::string_view key, std::string_view data);
// `size` is in bytes; iterations and size must not be 0. Takes about a microsecond for each iteration.
[[nodiscard]] std::string pbkdf2(Hash hash, std::string_view password, std::string_view salt, std::uint32_t iterations,
                                 std::size_t size);

}  // namespace chappe::crypto
