// Bytes as a token, as a set of keys, and as the content of a token that is signed here: that one is accepted as it is
// and refused with any bit of it turned.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "crypto/base64.h"
#include "crypto/digest.h"
#include "crypto/json_web_token.h"

namespace {

using namespace chappe;
using namespace chappe::crypto;

constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";
constexpr std::array algorithms{SignatureAlgorithm::HS256, SignatureAlgorithm::RS256, SignatureAlgorithm::ES256};

std::string sign(std::string_view content) {
    const auto text = encode_base64(R"({"alg":"HS256"})", Base64::Url) + '.' + encode_base64(content, Base64::Url);
    return text + '.' + encode_base64(hmac(Hash::Sha256, secret, text), Base64::Url);
}

// What signs here; the fuzzer may come upon it.
bool knows_secret(const JsonWebKey& key) {
    return key.key.fits(SignatureAlgorithm::HS256) &&
           key.key.verify(SignatureAlgorithm::HS256, "x", hmac(Hash::Sha256, secret, "x"));
}

TokenRequirements requirements() {
    return {.issuer = {}, .audience = {}, .expires = false, .now = WallTime(std::chrono::seconds{1'000'000'000})};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    static const auto keys = KeySet::from_secret(Secret(secret));
    ASSERT(!verify_token(input, KeySet::from_secret(Secret("another secret of the same length")), algorithms,
                         requirements()));
    if (const auto claims = verify_token(input, keys, algorithms, requirements())) ASSERT(claims->object.is_object());
    if (const auto set = KeySet::from_json(input)) {
        ASSERT(!set->keys().empty());
        ASSERT(std::ranges::any_of(set->keys(), knows_secret) ||
               !verify_token(sign("{}"), *set, algorithms, requirements()));
    }
    if (const auto set = KeySet::from_pem(input)) ASSERT(!set->keys().empty());

    auto token = sign(input);
    if (token.size() > token_size_max) return 0;
    const auto content = verify_signature(token, keys, algorithms);
    ASSERT(content && *content == input);
    if (const auto claims = verify_token(token, keys, algorithms, requirements())) ASSERT(claims->object.is_object());
    const auto at = size == 0 ? 0 : data[0] * token.size() / 256;
    token[at] = static_cast<char>(token[at] ^ 1 << (size % 7));
    ASSERT(!verify_signature(token, keys, algorithms));
    return 0;
}
