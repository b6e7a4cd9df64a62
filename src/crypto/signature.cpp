#include "crypto/signature.h"

#include <algorithm>
#include <array>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "crypto/digest.h"

namespace chappe::crypto {

namespace {

enum class Kind { Hmac, RsaPkcs1, RsaPss, Ecdsa, Edwards };

struct Properties {
    SignatureAlgorithm algorithm;
    std::string_view name;
    Kind kind;
    Hash hash;
    std::string_view curve;         // As OpenSSL names it.
    std::size_t ecdsa_number_size;  // In bytes; a signature is two of these numbers.
};

using Algorithm = SignatureAlgorithm;

constexpr std::array algorithms{
    Properties{Algorithm::HS256, "HS256", Kind::Hmac, Hash::Sha256, "", 0},
    Properties{Algorithm::HS384, "HS384", Kind::Hmac, Hash::Sha384, "", 0},
    Properties{Algorithm::HS512, "HS512", Kind::Hmac, Hash::Sha512, "", 0},
    Properties{Algorithm::RS256, "RS256", Kind::RsaPkcs1, Hash::Sha256, "", 0},
    Properties{Algorithm::RS384, "RS384", Kind::RsaPkcs1, Hash::Sha384, "", 0},
    Properties{Algorithm::RS512, "RS512", Kind::RsaPkcs1, Hash::Sha512, "", 0},
    Properties{Algorithm::PS256, "PS256", Kind::RsaPss, Hash::Sha256, "", 0},
    Properties{Algorithm::PS384, "PS384", Kind::RsaPss, Hash::Sha384, "", 0},
    Properties{Algorithm::PS512, "PS512", Kind::RsaPss, Hash::Sha512, "", 0},
    Properties{Algorithm::ES256, "ES256", Kind::Ecdsa, Hash::Sha256, "prime256v1", 32},
    Properties{Algorithm::ES384, "ES384", Kind::Ecdsa, Hash::Sha384, "secp384r1", 48},
    Properties{Algorithm::ES512, "ES512", Kind::Ecdsa, Hash::Sha512, "secp521r1", 66},
    Properties{Algorithm::EdDSA, "EdDSA", Kind::Edwards, Hash::Sha512, "", 0},
};

const Properties& properties_of(SignatureAlgorithm algorithm) noexcept {
    return *std::ranges::find(algorithms, algorithm, &Properties::algorithm);
}

bool is_on_curve(EVP_PKEY* key, std::string_view curve) {
    std::array<char, 64> name{};
    std::size_t size = 0;
    if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return false;
    if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return false;
    return std::string_view(name.data(), size) == curve;
}

bool fits_public(EVP_PKEY* key, const Properties& properties) {
    const auto kind = EVP_PKEY_get_base_id(key);
    const auto bits = EVP_PKEY_get_bits(key);
    switch (properties.kind) {
        case Kind::Hmac:
            return false;
        case Kind::RsaPkcs1:
        case Kind::RsaPss:
            return kind == EVP_PKEY_RSA && bits >= rsa_bits_min && bits <= rsa_bits_max;
        case Kind::Ecdsa:
            return is_on_curve(key, properties.curve);
        case Kind::Edwards:
            return kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448;
    }
    return false;
}

const EVP_MD* message_digest(const Properties& properties) {
    if (properties.kind == Kind::Edwards) return nullptr;  // It hashes by itself.
    switch (properties.hash) {
        case Hash::Sha256:
            return EVP_sha256();
        case Hash::Sha384:
            return EVP_sha384();
        case Hash::Sha512:
            return EVP_sha512();
    }
    return nullptr;
}

BIGNUM* number_of(std::string_view bytes) {
    return BN_bin2bn(as_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr);
}

// R and S, one behind the other, as OpenSSL wants them: in DER. Empty where they are not of the exact length.
std::string der_signature(std::string_view signature, std::size_t number_size) {
    if (signature.size() != 2 * number_size) return {};
    const Handle<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    ASSERT(ECDSA_SIG_set0(pair.get(), number_of(signature.substr(0, number_size)),
                          number_of(signature.substr(number_size))) == 1);
    const auto size = i2d_ECDSA_SIG(pair.get(), nullptr);
    if (size <= 0) return {};
    std::string der(static_cast<std::size_t>(size), '\0');
    auto* to = reinterpret_cast<unsigned char*>(der.data());
    i2d_ECDSA_SIG(pair.get(), &to);
    return der;
}

bool verify_public(EVP_PKEY* key, const Properties& properties, std::string_view data, std::string_view signature) {
    const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;  // Owned by the context.
    if (EVP_DigestVerifyInit(context.get(), &options, message_digest(properties), nullptr, key) != 1) return false;
    if (properties.kind == Kind::RsaPss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                                            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1)) {
        return false;
    }
    const auto as_der = properties.kind == Kind::Ecdsa ? der_signature(signature, properties.ecdsa_number_size)
                                                       : std::string(signature);
    if (as_der.empty()) return false;
    return EVP_DigestVerify(context.get(), as_bytes(as_der).data(), as_der.size(), as_bytes(data).data(),
                            data.size()) == 1;
}

}  // namespace

std::string_view name_of(SignatureAlgorithm algorithm) noexcept { return properties_of(algorithm).name; }

std::optional<SignatureAlgorithm> signature_algorithm_named(std::string_view name) noexcept {
    const auto* found = std::ranges::find(algorithms, name, &Properties::name);
    if (found == algorithms.end()) return std::nullopt;
    return found->algorithm;
}

bool SignatureKey::fits(SignatureAlgorithm algorithm) const {
    const auto& properties = properties_of(algorithm);
    if (const auto* key = std::get_if<PublicKey>(&key_)) return fits_public(key->get(), properties);
    // RFC 7518, 3.2: a key of the size of the hash or larger.
    return properties.kind == Kind::Hmac && std::get<Secret>(key_).size() >= size_of(properties.hash);
}

bool SignatureKey::fits_any() const {
    return std::ranges::any_of(algorithms, [this](const auto& row) { return fits(row.algorithm); });
}

bool SignatureKey::verify(SignatureAlgorithm algorithm, std::string_view data, std::string_view signature) const {
    ASSERT(fits(algorithm));
    const auto& properties = properties_of(algorithm);
    if (const auto* secret = std::get_if<Secret>(&key_)) {
        return equal_in_constant_time(hmac(properties.hash, secret->reveal(), data), signature);
    }
    const bool good = verify_public(std::get<PublicKey>(key_).get(), properties, data, signature);
    ERR_clear_error();  // A wrong signature leaves errors in this thread's queue, which belong to nobody.
    return good;
}

}  // namespace chappe::crypto
