#pragma once

// Checks JSON Web Tokens (RFC 7519) that are signed, in the compact form HEADER.CLAIMS.SIGNATURE (RFC 7515).
// What is accepted is said by the caller, with the advice of RFC 8725: a token chooses neither algorithm nor key kind.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "crypto/json_web_key.h"

namespace chappe::crypto {

inline constexpr std::size_t token_size_max = std::size_t{16} * 1024;

struct TokenRequirements {
    std::optional<std::string> issuer;    // What `iss` must be.
    std::optional<std::string> audience;  // What `aud` must be or have. Without it, a token that has `aud` is refused.
    bool expires = true;                  // Whether a token without `exp`, which is good for ever, is refused.
    WallTime now;
    std::chrono::seconds leeway{0};  // By how much clocks may differ.
};

struct Claims {
    nlohmann::json object;
    // Seconds since 1970, without fractions.
    std::optional<std::int64_t> expires_at;
    std::optional<std::int64_t> not_before;
    std::optional<std::int64_t> issued_at;
};

// Whether a text has the form of a token, which hardly any password has. Says nothing about what it is worth.
[[nodiscard]] bool looks_like_token(std::string_view text) noexcept;

// The content of a token whose signature is right, which need not be JSON. An error says which check has failed, and
// has nothing of the token.
[[nodiscard]] std::expected<std::string, std::string> verify_signature(std::string_view token, const KeySet& keys,
                                                                       std::span<const SignatureAlgorithm> allowed);

// Whether one of the keys may have signed a token, by the algorithm and the key id that it names. False for what is no
// token.
[[nodiscard]] bool has_key_for(std::string_view token, const KeySet& keys);

// The claims of a token that is good now.
[[nodiscard]] std::expected<Claims, std::string> verify_token(std::string_view token, const KeySet& keys,
                                                              std::span<const SignatureAlgorithm> allowed,
                                                              const TokenRequirements& requirements);

}  // namespace chappe::crypto
