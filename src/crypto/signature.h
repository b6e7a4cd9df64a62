#pragma once

// The signatures of JSON Web Tokens (RFC 7518, section 3; RFC 8037, section 3.1), and the keys that check them.

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <openssl/evp.h>

#include "base/handle.h"
#include "crypto/secret.h"

namespace chappe::crypto {

// Never "none".
enum class SignatureAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    ES512,
    EdDSA
};

[[nodiscard]] std::string_view name_of(SignatureAlgorithm algorithm) noexcept;
[[nodiscard]] std::optional<SignatureAlgorithm> signature_algorithm_named(std::string_view name) noexcept;

using PublicKey = Handle<EVP_PKEY, EVP_PKEY_free>;

inline constexpr int rsa_bits_min = 2048;  // RFC 7518, 3.3 and 3.5.
inline constexpr int rsa_bits_max = 8192;  // Larger ones take long to check, and nobody has them.

// Checks signatures; never changes. Thread-safe.
class SignatureKey {
public:
    explicit SignatureKey(Secret secret) : key_(std::move(secret)) {}
    explicit SignatureKey(PublicKey key) : key_(std::move(key)) {}

    // Whether this is a key for the algorithm: its kind, its curve, and long enough. So a public key is never taken for
    // the secret of an HMAC.
    [[nodiscard]] bool fits(SignatureAlgorithm algorithm) const;
    // Whether it can be used with any algorithm.
    [[nodiscard]] bool fits_any() const;

    // fits(algorithm) must be true.
    [[nodiscard]] bool verify(SignatureAlgorithm algorithm, std::string_view data, std::string_view signature) const;

private:
    std::variant<Secret, PublicKey> key_;
};

}  // namespace chappe::crypto
