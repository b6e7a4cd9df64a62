#pragma once

// The texts that hashes of passwords are stored as, taken apart. For this folder only.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "crypto/password_hash.h"

namespace chappe::crypto {

enum class Argon2Variant { D, I, Id };

// What all have in common: the salt, and what hashing the password with it must give.
struct SaltedHash {
    std::string salt;
    std::string hash;
};

struct Argon2Hash : SaltedHash {
    Argon2Variant variant;
    std::uint32_t version;  // 0x10 or 0x13.
    Argon2Cost cost;
};

struct Pbkdf2Hash : SaltedHash {
    std::uint32_t iterations;
};

struct Sha512Hash : SaltedHash {};

using StoredHash = std::variant<Argon2Hash, Pbkdf2Hash, Sha512Hash>;

// Nothing where the text is not one of these, or is outside of the bounds in password_hash.h.
[[nodiscard]] std::optional<StoredHash> parse_stored_hash(std::string_view text);

[[nodiscard]] bool is_within_bounds(const Argon2Cost& cost) noexcept;

}  // namespace chappe::crypto
