#include "crypto/json_web_token.h"

#include <array>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "crypto/base64.h"
#include "crypto/digest.h"

namespace chappe::crypto {
namespace {

using enum SignatureAlgorithm;
using testing::HasSubstr;

constexpr std::array all_algorithms{HS256, HS384, HS512, RS256, RS384, RS512, PS256,
                                    PS384, PS512, ES256, ES384, ES512, EdDSA};

std::string url(std::string_view bytes) { return encode_base64(bytes, Base64::Url); }

// The content, or what is wrong.
std::string content(std::string_view token, const KeySet& keys,
                    std::span<const SignatureAlgorithm> allowed = all_algorithms) {
    const auto verified = verify_signature(token, keys, allowed);
    return verified ? *verified : verified.error();
}

KeySet json_keys(std::string_view text) {
    auto keys = KeySet::from_json(text);
    EXPECT_TRUE(keys.has_value()) << keys.error();
    return std::move(*keys);
}

std::string finding(std::string_view text) {
    const auto keys = KeySet::from_json(text);
    EXPECT_FALSE(keys.has_value()) << text;
    return keys ? "" : keys.error();
}

// RFC 7515, appendix A.
constexpr std::string_view joe = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
constexpr std::string_view joe_hs256 =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
    "NvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr std::string_view joe_secret =
    R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";
constexpr std::string_view joe_rs256 =
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
    "VlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9"
    "CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO"
    "--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_I"
    "oypGlUPQGe77Rw";
constexpr std::string_view joe_rsa =
    R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx)"
    "HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63"
    "kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK"
    R"(-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})";
constexpr std::string_view joe_es256 =
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cn"
    "VlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr std::string_view joe_p256 = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                                      R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";
constexpr std::string_view payload_es512 =
    "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34X"
    "O0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
constexpr std::string_view payload_p521 =
    R"({"kty":"EC","crv":"P-521",)"
    R"("x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",)"
    R"("y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"})";

TEST(SignedToken, OfRfc7515IsGood) {
    EXPECT_EQ(content(joe_hs256, json_keys(joe_secret)), joe);              // A.1
    EXPECT_EQ(content(joe_rs256, json_keys(joe_rsa)), joe);                 // A.2
    EXPECT_EQ(content(joe_es256, json_keys(joe_p256)), joe);                // A.3
    EXPECT_EQ(content(payload_es512, json_keys(payload_p521)), "Payload");  // A.4
}

TEST(SignedToken, OfRfc8037IsGood) {  // A.2 and A.4.
    constexpr std::string_view token =
        "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    const auto keys = json_keys(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    EXPECT_EQ(content(token, keys), "Example of Ed25519 signing");
}

TEST(SignedToken, OfRfc7520IsGood) {  // 4.2, with the key of 3.3.
    constexpr std::string_view token =
        "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNz"
        "LCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZ"
        "mVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz"
        "7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiR"
        "eQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT"
        "0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw";
    const std::string start = R"({"kty":"RSA","use":"sig","kid":)";
    const std::string rest =
        R"(,"e":"AQAB","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJ)"
        "mSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD"
        "1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3"
        R"(__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw"})";
    EXPECT_THAT(content(token, json_keys(start + R"("bilbo.baggins@hobbiton.example")" + rest)),
                HasSubstr("dangerous business"));
    EXPECT_THAT(content(token, json_keys(start + R"("frodo")" + rest)), HasSubstr("no key"));
    EXPECT_THAT(content(token, json_keys(R"({"alg":"PS256",)" + start.substr(1) +
                                         R"("bilbo.baggins@hobbiton.example")" + rest)),
                HasSubstr("no key"));
}

// A token with an HMAC of its own making.
const std::string secret = "a secret of 64 bytes, which is as long as the longest hash has it";
std::string hs256(std::string_view header, std::string_view payload, std::string_view key = secret) {
    const auto text = url(header) + '.' + url(payload);
    return text + '.' + url(hmac(Hash::Sha256, key, text));
}

TEST(SignedToken, IsNeverWithoutSignature) {
    const auto keys = KeySet::from_secret(Secret(secret));
    const std::string payload = url("{}");
    for (const std::string header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})", R"({})",
                                     R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":"hs256"})"}) {
        EXPECT_THAT(content(url(header) + "." + payload + ".", keys), HasSubstr("alg")) << header;
        EXPECT_THAT(content(hs256(header, "{}"), keys), HasSubstr("alg")) << header;
    }
    EXPECT_THAT(content(url(R"({"alg":"HS256"})") + "." + payload + ".", keys), HasSubstr("not signed"));
    EXPECT_THAT(content(url(R"({"alg":"HS256"})") + "." + payload, keys), HasSubstr("form"));
}

TEST(SignedToken, DoesNotChooseItsAlgorithm) {
    constexpr std::array only_rs256{RS256};
    EXPECT_EQ(content(joe_rs256, json_keys(joe_rsa), only_rs256), joe);
    EXPECT_THAT(content(joe_hs256, json_keys(joe_secret), only_rs256), HasSubstr("not one that is allowed"));
    EXPECT_THAT(content(joe_rs256, json_keys(joe_rsa), {}), HasSubstr("not one that is allowed"));
    // The public key as the secret of an HMAC, with all algorithms allowed.
    const auto forged = hs256(R"({"alg":"HS256"})", "{}", joe_rsa);
    EXPECT_THAT(content(forged, json_keys(joe_rsa)), HasSubstr("no key"));
    EXPECT_THAT(content(joe_rs256, json_keys(joe_secret)), HasSubstr("no key"));
    EXPECT_THAT(content(joe_es256, json_keys(payload_p521)), HasSubstr("no key"));
}

TEST(SignedToken, HasEachBitSigned) {
    for (const auto& [token, key] : {std::pair{joe_hs256, joe_secret}, {joe_rs256, joe_rsa}, {joe_es256, joe_p256}}) {
        const auto keys = json_keys(key);
        const std::string good(token);
        const auto dot = good.rfind('.');
        auto signature = *decode_base64(good.substr(dot + 1), Base64::Url);
        signature[signature.size() / 2] ^= 1;
        EXPECT_THAT(content(good.substr(0, dot + 1) + url(signature), keys), HasSubstr("signature is wrong"));
        signature[signature.size() / 2] ^= 1;
        EXPECT_THAT(content(good.substr(0, dot + 1) + url(signature + '\0'), keys), HasSubstr("signature is wrong"));
        signature.pop_back();
        EXPECT_THAT(content(good.substr(0, dot + 1) + url(signature), keys), HasSubstr("signature is wrong"));
        EXPECT_THAT(content(good.substr(0, dot) + "=." + good.substr(dot + 1), keys), HasSubstr("base64url"));
        const auto other = good.substr(0, good.find('.') + 1) + url("{}") + good.substr(dot);
        EXPECT_THAT(content(other, keys), HasSubstr("signature is wrong"));
    }
}

TEST(SignedToken, IsNotSignedWithZeros) {  // CVE-2022-21449.
    const auto start = std::string(joe_es256.substr(0, joe_es256.rfind('.') + 1));
    const auto keys = json_keys(joe_p256);
    const std::string one = std::string(31, '\0') + '\1';
    for (const auto& signature : {std::string(64, '\0'), std::string(32, '\0') + one, one + std::string(32, '\0'),
                                  std::string(64, '\xFF'), std::string(1, '\0'), std::string(132, '\0')}) {
        EXPECT_THAT(content(start + url(signature), keys), HasSubstr("signature is wrong"));
    }
}

TEST(SignedToken, HasAStrictHeader) {
    const auto keys = KeySet::from_secret(Secret(secret));
    EXPECT_EQ(content(hs256(R"({"alg":"HS256","typ":"JWT","jku":"https://evil.example"})", "{}"), keys), "{}");
    EXPECT_THAT(content(hs256(R"({"alg":"HS256","crit":["b64"],"b64":false})", "{}"), keys), HasSubstr("crit"));
    EXPECT_THAT(content(hs256(R"({"alg":"HS256","crit":[]})", "{}"), keys), HasSubstr("crit"));
    EXPECT_THAT(content(hs256(R"({"alg":"HS256","kid":1})", "{}"), keys), HasSubstr("kid"));
    EXPECT_THAT(content(hs256(R"({"alg":"none","alg":"HS256"})", "{}"), keys),
                HasSubstr("header is not a JSON object"));
    EXPECT_THAT(content(hs256(R"(["HS256"])", "{}"), keys), HasSubstr("header is not a JSON object"));
    EXPECT_THAT(content("", keys), HasSubstr("form"));
    EXPECT_THAT(content("a.b.c.d", keys), HasSubstr("form"));
    EXPECT_THAT(content(hs256(R"({"alg":"HS256"})", std::string(token_size_max, 'x')), keys), HasSubstr("16 KiB"));
    EXPECT_THAT(
        content(hs256(R"({"alg":"HS256","x":)" + std::string(100, '[') + std::string(100, ']') + "}", "{}"), keys),
        HasSubstr("header is not a JSON object"));
}

TEST(SignedToken, NeedsASecretAsLongAsTheHash) {
    const std::string shortest(32, 's');
    const auto token = hs256(R"({"alg":"HS256"})", "{}", shortest);
    EXPECT_EQ(content(token, KeySet::from_secret(Secret(shortest))), "{}");
    const auto too_short = shortest.substr(1);
    EXPECT_THAT(content(hs256(R"({"alg":"HS256"})", "{}", too_short), KeySet::from_secret(Secret(too_short))),
                HasSubstr("no key"));
}

constexpr std::array only_hs256{HS256};

// An empty text where the claims are accepted.
std::string judged(std::string_view claims, const TokenRequirements& requirements) {
    const auto verified = verify_token(hs256(R"({"alg":"HS256"})", claims), KeySet::from_secret(Secret(secret)),
                                       only_hs256, requirements);
    return verified ? "" : verified.error();
}

TokenRequirements at(std::int64_t seconds) { return {.now = WallTime(std::chrono::seconds(seconds))}; }

TEST(TokenClaims, HaveTimes) {
    EXPECT_EQ(judged(R"({"exp":1000})", at(999)), "");
    EXPECT_THAT(judged(R"({"exp":1000})", at(1000)), HasSubstr("expired"));
    EXPECT_EQ(judged(R"({"exp":1000.9,"nbf":5,"iat":5e0})", at(999)), "");
    EXPECT_THAT(judged(R"({"exp":1000,"nbf":500})", at(499)), HasSubstr("not valid yet"));
    EXPECT_EQ(judged(R"({"exp":1000,"nbf":500})", at(500)), "");
    EXPECT_THAT(judged("{}", at(0)), HasSubstr("no end"));
    auto lax = at(1029);
    lax.leeway = std::chrono::seconds(30);
    EXPECT_EQ(judged(R"({"exp":1000,"nbf":1059})", lax), "");
    EXPECT_THAT(judged(R"({"exp":1000,"nbf":1060})", lax), HasSubstr("not valid yet"));
    EXPECT_THAT(judged(R"({"exp":999})", lax), HasSubstr("expired"));
    lax.expires = false;
    EXPECT_EQ(judged("{}", lax), "");
}

TEST(TokenClaims, HaveTimesThatAreNumbers) {
    for (const std::string name : {"exp", "nbf", "iat"}) {
        for (const std::string value : {R"("1000")", "null", "true", "[1000]", "{}"}) {
            EXPECT_THAT(judged("{\"" + name + "\":" + value + "}", at(0)), HasSubstr(name + " is not a number"));
        }
        for (const std::string value : {"1e300", "-1e300", "18446744073709551615", "9007199254740992"}) {
            EXPECT_THAT(judged("{\"" + name + "\":" + value + "}", at(0)), HasSubstr(name + " is out of range"));
        }
    }
}

TEST(TokenClaims, AreAnObjectWithoutDoubles) {
    for (const std::string claims : {"", "[]", "1", "{", R"({"exp":1,"exp":9999})", "{\"a\":\"\xFF\"}", "{} {}"}) {
        EXPECT_THAT(judged(claims, at(0)), HasSubstr("claims are not a JSON object")) << claims;
    }
}

TEST(TokenClaims, NameTheParties) {
    auto wanted = at(0);
    EXPECT_EQ(judged(R"({"exp":1,"iss":"anybody"})", wanted), "");
    EXPECT_THAT(judged(R"({"exp":1,"aud":"broker"})", wanted), HasSubstr("none is configured"));
    wanted.issuer = "joe";
    wanted.audience = "broker";
    EXPECT_EQ(judged(R"({"exp":1,"iss":"joe","aud":"broker"})", wanted), "");
    EXPECT_EQ(judged(R"({"exp":1,"iss":"joe","aud":["other","broker"]})", wanted), "");
    for (const std::string rest :
         {R"("aud":"broker")", R"("aud":"broker","iss":"jane")", R"("aud":"broker","iss":["joe"])"}) {
        EXPECT_THAT(judged(R"({"exp":1,)" + rest + "}", wanted), HasSubstr("iss"));
    }
    for (const std::string rest : {R"("iss":"joe")", R"("iss":"joe","aud":"other")", R"("iss":"joe","aud":[])",
                                   R"("iss":"joe","aud":[["broker"]])", R"("iss":"joe","aud":{"broker":1})"}) {
        EXPECT_THAT(judged(R"({"exp":1,)" + rest + "}", wanted), HasSubstr("aud"));
    }
}

TEST(TokenClaims, AreHandedOut) {
    const auto verified = verify_token(joe_hs256, json_keys(joe_secret), only_hs256, at(1300819379));
    ASSERT_TRUE(verified.has_value()) << verified.error();
    EXPECT_EQ(verified->object["iss"], "joe");
    EXPECT_EQ(verified->expires_at, 1300819380);
    EXPECT_EQ(verified->not_before, std::nullopt);
}

TEST(KeySetTest, LeavesOutWhatCannotBeUsed) {
    const auto keys = json_keys(std::string(R"({"keys":[1,{"kty":"X"},)") + std::string(joe_p256) + "," +
                                std::string(joe_rsa) + R"(]})");
    EXPECT_EQ(keys.keys().size(), 2);
    ASSERT_EQ(keys.findings().size(), 2);
    EXPECT_THAT(keys.findings()[1], HasSubstr("key 2: its kind"));
    EXPECT_EQ(content(joe_es256, keys), joe);
    EXPECT_EQ(content(joe_rs256, keys), joe);
}

TEST(KeySetTest, SaysWhyAKeyCannotBeUsed) {
    const auto with = [](std::string_view key, const std::string& member) {
        return "{" + member + "," + std::string(key.substr(1));
    };
    EXPECT_THAT(finding(""), HasSubstr("not a JSON object"));
    EXPECT_THAT(finding(R"({"keys":1})"), HasSubstr("not an array"));
    EXPECT_THAT(finding(R"({"keys":[]})"), HasSubstr("no key that can be used"));
    EXPECT_THAT(finding(with(joe_p256, R"("use":"enc")")), HasSubstr("not for checking"));
    EXPECT_THAT(finding(with(joe_p256, R"("key_ops":["sign"])")), HasSubstr("not for checking"));
    EXPECT_THAT(finding(with(joe_p256, R"("alg":"ES512")")), HasSubstr("not of the kind"));
    EXPECT_THAT(finding(with(joe_p256, R"("alg":"none")")), HasSubstr("none that is known"));
    EXPECT_THAT(finding(with(joe_p256, R"("kid":1)")), HasSubstr("kid"));
    EXPECT_THAT(finding(R"({"kty":"oct","k":"c2hvcnQ"})"), HasSubstr("too short"));
    EXPECT_THAT(finding(R"({"kty":"RSA","e":"AQAB","n":"ofgW"})"), HasSubstr("2048 bits"));
    auto off_curve = std::string(joe_p256);
    off_curve.replace(off_curve.find("x_FEz"), 5, "x_FEy");
    EXPECT_THAT(finding(off_curve), HasSubstr("not on the curve"));
    EXPECT_THAT(finding(R"({"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"})"), HasSubstr("curve"));
    EXPECT_THAT(finding(R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})"), HasSubstr("length"));
    EXPECT_THAT(finding(R"({"kty":"OKP","crv":"X25519","x":"AAAA"})"), HasSubstr("curve"));
}

// Keys and signatures of OpenSSL's own.
std::string sign(SignatureAlgorithm algorithm, EVP_PKEY* key, std::string_view payload) {
    const auto name = name_of(algorithm);
    const auto text = url("{\"alg\":\"" + std::string(name) + "\"}") + '.' + url(payload);
    const auto* hash = name.ends_with("256") ? EVP_sha256() : name.ends_with("384") ? EVP_sha384() : EVP_sha512();
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    EVP_DigestSignInit(context.get(), &options, algorithm == EdDSA ? nullptr : hash, nullptr, key);
    if (name.starts_with("PS")) {
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }
    std::string signature(1024, '\0');
    auto size = signature.size();
    EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                             reinterpret_cast<const unsigned char*>(text.data()), text.size()),
              1);
    signature.resize(size);
    if (!name.starts_with("ES")) return text + '.' + url(signature);
    const auto* der = reinterpret_cast<const unsigned char*>(signature.data());
    const Handle<ECDSA_SIG, ECDSA_SIG_free> pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
    const std::size_t number_size = algorithm == ES256 ? 32 : algorithm == ES384 ? 48 : 66;
    std::string joined(2 * number_size, '\0');
    auto* to = reinterpret_cast<unsigned char*>(joined.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), to, static_cast<int>(number_size));
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), to + number_size, static_cast<int>(number_size));
    return text + '.' + url(joined);
}

std::string public_pem(EVP_PKEY* key) {
    const Handle<BIO, BIO_free_all> memory(BIO_new(BIO_s_mem()));
    PEM_write_bio_PUBKEY(memory.get(), key);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

TEST(KeySetTest, IsReadFromPem) {
    const std::array keys{PublicKey(EVP_RSA_gen(2048)),
                          PublicKey(EVP_EC_gen("P-256")),
                          PublicKey(EVP_EC_gen("P-384")),
                          PublicKey(EVP_EC_gen("P-521")),
                          PublicKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")),
                          PublicKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED448"))};
    std::size_t good = 0;
    for (const auto& key : keys) {
        const auto set = KeySet::from_pem("# comment\n" + public_pem(key.get()));
        ASSERT_TRUE(set.has_value()) << set.error();
        for (const auto algorithm : all_algorithms) {
            if (!set->keys()[0].key.fits(algorithm)) continue;
            ++good;
            EXPECT_EQ(content(sign(algorithm, key.get(), "x"), *set), "x") << name_of(algorithm);
            EXPECT_THAT(content(sign(algorithm, key.get(), "x") + "AAAA", *set), HasSubstr("wrong"));
        }
    }
    EXPECT_EQ(good, 6 + 3 + 2);
}

TEST(KeySetTest, RefusesPemThatIsNoPublicKey) {
    const PublicKey weak(EVP_RSA_gen(1024));
    EXPECT_THAT(KeySet::from_pem(public_pem(weak.get())).error(), HasSubstr("too short"));
    EXPECT_THAT(KeySet::from_pem("").error(), HasSubstr("no key"));
    EXPECT_THAT(KeySet::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").error(),
                HasSubstr("damaged"));
    EXPECT_THAT(KeySet::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").error(),
                HasSubstr("does not belong here"));
}

}  // namespace
}  // namespace chappe::crypto
