#include "crypto/json_web_token.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/result.h"
#include "crypto/base64.h"
#include "crypto/strict_json.h"

namespace chappe::crypto {

namespace {

using Json = nlohmann::json;

template <class T>
using Outcome = std::expected<T, std::string>;

std::unexpected<std::string> refused(std::string_view why) { return std::unexpected("token: " + std::string(why)); }

struct Parts {
    std::string_view header;
    std::string_view payload;
    std::string_view signature;
    std::string_view signed_text;
};

Outcome<Parts> split(std::string_view token) {
    if (token.size() > token_size_max) return refused("it is larger than 16 KiB");
    const auto first = token.find('.');
    const auto last = token.rfind('.');
    if (first == token.npos || first == last || token.find('.', first + 1) != last) {
        return refused("it does not have the form HEADER.CLAIMS.SIGNATURE");
    }
    return Parts{token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1),
                 token.substr(0, last)};
}

struct Header {
    SignatureAlgorithm algorithm;
    std::optional<std::string> key_id;
};

Outcome<Header> parse_header(std::string_view text) {
    const auto bytes = decode_base64(text, Base64::Url);
    const auto json = bytes ? parse_json_object(*bytes) : std::nullopt;
    if (!json) return refused("its header is not a JSON object in base64url");
    // RFC 7515, 4.1.11: what is critical must be understood, and we understand no extension.
    if (json->contains("crit")) return refused("its header has critical extensions (crit), which are not known here");
    if (json->contains("kid") && !text_member(*json, "kid")) return refused("its key id (kid) is not a text");
    const auto algorithm = signature_algorithm_named(text_member(*json, "alg").value_or(""));
    if (!algorithm) return refused("its algorithm (alg) is none that is known here");
    return Header{*algorithm, text_member(*json, "kid")};
}

// A key without id comes from a file that has none to give: it is for all tokens.
bool is_for(const JsonWebKey& key, const Header& header) {
    if (!key.id.empty() && header.key_id && key.id != *header.key_id) return false;
    if (key.algorithm && *key.algorithm != header.algorithm) return false;
    return key.key.fits(header.algorithm);
}

// Seconds as JSON writes them (NumericDate, RFC 7519, 2). Numbers that a double does not hold exactly are no dates.
Outcome<std::optional<std::int64_t>> date(const Json& claims, const char* name) {
    constexpr double seconds_max = 9'007'199'254'740'992;  // 2 to the 53rd.
    const auto found = claims.find(name);
    if (found == claims.end()) return std::nullopt;
    if (!found->is_number()) return refused(std::string("its claim ") + name + " is not a number");
    const auto seconds = found->get<double>();
    if (!(std::abs(seconds) < seconds_max)) return refused(std::string("its claim ") + name + " is out of range");
    return static_cast<std::int64_t>(std::floor(seconds));
}

Outcome<Claims> parse_claims(std::string_view payload) {
    auto json = parse_json_object(payload);
    if (!json) return refused("its claims are not a JSON object");
    Claims claims;
    claims.expires_at = TRY(date(*json, "exp"));
    claims.not_before = TRY(date(*json, "nbf"));
    claims.issued_at = TRY(date(*json, "iat"));
    claims.object = std::move(*json);
    return claims;
}

Outcome<void> check_times(const Claims& claims, const TokenRequirements& requirements) {
    const auto since_1970 = requirements.now.time_since_epoch();
    const auto now = std::chrono::floor<std::chrono::seconds>(since_1970).count();
    const auto leeway = requirements.leeway.count();
    if (!claims.expires_at && requirements.expires) return refused("it has no end (exp)");
    if (claims.expires_at && now - leeway >= *claims.expires_at) return refused("it has expired (exp)");
    if (claims.not_before && now + leeway < *claims.not_before) return refused("it is not valid yet (nbf)");
    return {};
}

bool names(const Json& audience, const std::string& wanted) {
    if (audience.is_string()) return audience == wanted;
    return audience.is_array() && std::ranges::any_of(audience, [&](const Json& one) { return one == wanted; });
}

Outcome<void> check_parties(const Json& claims, const TokenRequirements& requirements) {
    if (requirements.issuer && text_member(claims, "iss") != *requirements.issuer) {
        return refused("it is not from the issuer (iss) that is wanted here");
    }
    const auto audience = claims.find("aud");
    if (!requirements.audience) {
        // RFC 7519, 4.1.3.
        if (audience != claims.end()) return refused("it is for an audience (aud), and none is configured here");
        return {};
    }
    if (audience == claims.end() || !names(*audience, *requirements.audience)) {
        return refused("it is not for the audience (aud) that is wanted here");
    }
    return {};
}

}  // namespace

// The header is a JSON object, and "ey" is how its first two characters are written.
bool looks_like_token(std::string_view text) noexcept {
    return text.starts_with("ey") && std::ranges::count(text, '.') == 2;
}

std::expected<std::string, std::string> verify_signature(std::string_view token, const KeySet& keys,
                                                         std::span<const SignatureAlgorithm> allowed) {
    const auto parts = TRY(split(token));
    const auto header = TRY(parse_header(parts.header));
    if (std::ranges::find(allowed, header.algorithm) == allowed.end()) {
        return refused("its algorithm (alg) is not one that is allowed here");
    }
    const auto signature = decode_base64(parts.signature, Base64::Url);
    auto payload = decode_base64(parts.payload, Base64::Url);
    if (!signature || !payload) return refused("its claims or its signature are not base64url");
    if (signature->empty()) return refused("it is not signed");
    bool has_key = false;
    for (const auto& key : keys.keys()) {
        if (!is_for(key, header)) continue;
        if (key.key.verify(header.algorithm, parts.signed_text, *signature)) return std::move(*payload);
        has_key = true;
    }
    return refused(has_key ? "its signature is wrong" : "there is no key for its algorithm (alg) and key id (kid)");
}

bool has_key_for(std::string_view token, const KeySet& keys) {
    const auto parts = split(token);
    if (!parts) return false;
    const auto header = parse_header(parts->header);
    return header && std::ranges::any_of(keys.keys(), [&](const auto& key) { return is_for(key, *header); });
}

std::expected<Claims, std::string> verify_token(std::string_view token, const KeySet& keys,
                                                std::span<const SignatureAlgorithm> allowed,
                                                const TokenRequirements& requirements) {
    const auto payload = TRY(verify_signature(token, keys, allowed));
    auto claims = TRY(parse_claims(payload));
    TRY(check_times(claims, requirements));
    TRY(check_parties(claims.object, requirements));
    return claims;
}

}  // namespace chappe::crypto
