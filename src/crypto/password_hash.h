#pragma once

// Passwords as they are stored: hashed, slowly and with a salt.

#include <cstdint>
#include <string>
#include <string_view>

namespace chappe::crypto {

// What one guess costs. The default is what OWASP's Password Storage Cheat Sheet recommends.
struct Argon2Cost {
    std::uint32_t memory_kib = 19'456;
    std::uint32_t passes = 2;
    std::uint32_t lanes = 1;
};

// Whoever can write a file of hashes must not be able to hang the server with one that takes an hour to check.
inline constexpr std::uint32_t argon2_memory_kib_max = 1024U * 1024;
inline constexpr std::uint64_t argon2_work_max = std::uint64_t{4} * 1024 * 1024;  // KiB times passes: some seconds.
inline constexpr std::uint32_t argon2_lanes_max = 64;
inline constexpr std::uint32_t pbkdf2_iterations_max = 5'000'000;  // Some seconds.

// All of these are thread-safe and block for as long as the hash takes, some ten milliseconds with the default cost:
// not for a thread that serves clients. They take any bytes, zeros included.

// An argon2id hash with a new salt, as text: "$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH". The cost must be within the
// bounds above. The program stops where there is no memory for it.
[[nodiscard]] std::string hash_password(std::string_view password, const Argon2Cost& cost = {});

enum class PasswordCheck {
    Match,
    Mismatch,
    Unreadable,  // No hash that we know, one that asks for more than the bounds allow, or no memory for it.
};

// `stored` is one of
//     $argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH   (also argon2i, argon2d, and without v=19, its first version)
//     $7$ITERATIONS$SALT$HASH                           Mosquitto's PBKDF2 with HMAC-SHA-512
//     $6$SALT$HASH                                      Mosquitto's salted SHA-512, which is not that of crypt(3)
[[nodiscard]] PasswordCheck verify_password(std::string_view password, std::string_view stored);

// Whether verify_password() could answer Match or Mismatch. Fast.
[[nodiscard]] bool is_password_hash(std::string_view stored);

// Whether hash_password() with this cost would make a hash that is harder to guess than this one. Fast.
[[nodiscard]] bool needs_rehash(std::string_view stored, const Argon2Cost& cost = {});

}  // namespace chappe::crypto
