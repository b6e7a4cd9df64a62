#pragma once

// The keys that check JSON Web Tokens: JSON Web Keys (RFC 7517, RFC 7518 section 6, RFC 8037), PEM, or a secret.

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/signature.h"

namespace chappe::crypto {

inline constexpr std::size_t keys_max = 64;  // A token without key id is tried with all of them.
inline constexpr std::size_t key_set_size_max = std::size_t{256} * 1024;

struct JsonWebKey {
    std::string id;                               // Empty: for tokens with any key id.
    std::optional<SignatureAlgorithm> algorithm;  // The only one it may be used with, where it says so.
    SignatureKey key;
};

// Not changed after it was made; thread-safe. A reload makes another one.
class KeySet {
public:
    using Result = std::expected<KeySet, std::string>;  // An error is for people.

    // For HS256, HS384 and HS512, where it is as long as the hash.
    [[nodiscard]] static KeySet from_secret(Secret secret);
    // Public keys and certificates, of which only the key counts; at least one that can be used.
    [[nodiscard]] static Result from_pem(std::string_view text);
    // A JSON Web Key, or a set of them ({"keys": [...]}); at least one that can be used. Of a private key only its
    // public part is taken.
    [[nodiscard]] static Result from_json(std::string_view text);

    [[nodiscard]] const std::vector<JsonWebKey>& keys() const noexcept { return keys_; }
    // Why keys were left out, for people.
    [[nodiscard]] const std::vector<std::string>& findings() const noexcept { return findings_; }

private:
    static Result checked(KeySet set);

    std::vector<JsonWebKey> keys_;
    std::vector<std::string> findings_;
};

}  // namespace chappe::crypto
