#include "crypto/json_web_key.h"

#include <algorithm>
#include <utility>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/base64.h"
#include "crypto/strict_json.h"

namespace chappe::crypto {

namespace {

using Json = nlohmann::json;
using Outcome = std::expected<JsonWebKey, std::string>;
using KeyOutcome = std::expected<SignatureKey, std::string>;
using Number = Handle<BIGNUM, BN_free>;

constexpr int rsa_exponent_bits_max = 64;
constexpr std::size_t number_size_max = 1024;  // Bytes of 8192 bits.

std::unexpected<std::string> unusable(std::string_view why) { return std::unexpected(std::string(why)); }

std::optional<std::string> bytes_member(const Json& object, const char* name) {
    const auto text = text_member(object, name);
    return text ? decode_base64(*text, Base64::Url) : std::nullopt;
}

// A public key of the parameters that `add` puts in, or nothing.
template <class Add>
PublicKey public_key(const char* kind, Add add) {
    const Handle<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!add(builder.get())) return {};
    const Handle<OSSL_PARAM, OSSL_PARAM_free> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free> context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    EVP_PKEY* key = nullptr;
    if (EVP_PKEY_fromdata_init(context.get()) != 1) return {};
    if (EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) return {};
    return PublicKey(key);
}

KeyOutcome rsa_key(const Json& json) {
    const auto modulus = bytes_member(json, "n");
    const auto exponent = bytes_member(json, "e");
    if (!modulus || !exponent || modulus->size() > number_size_max || exponent->size() > number_size_max) {
        return unusable("n or e is missing, damaged or too large");
    }
    const auto number = [](std::string_view bytes) {
        return Number(BN_bin2bn(as_bytes(bytes).data(), static_cast<int>(bytes.size()), nullptr));
    };
    const auto n = number(*modulus);
    const auto e = number(*exponent);
    if (BN_num_bits(n.get()) < rsa_bits_min) return unusable("an RSA key must have 2048 bits or more");
    if (BN_is_odd(n.get()) == 0 || BN_is_odd(e.get()) == 0 || BN_is_one(e.get()) == 1 ||
        BN_num_bits(e.get()) > rsa_exponent_bits_max) {
        return unusable("n and e are not those of an RSA key");
    }
    auto key = public_key("RSA", [&](OSSL_PARAM_BLD* builder) {
        return OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
               OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e.get()) == 1;
    });
    if (!key) return unusable("it is not an RSA key");
    return SignatureKey(std::move(key));
}

struct Curve {
    const char* name;  // OpenSSL's.
    std::size_t coordinate_size;
};

std::optional<Curve> curve_named(std::string_view name) {
    if (name == "P-256") return Curve{"prime256v1", 32};
    if (name == "P-384") return Curve{"secp384r1", 48};
    if (name == "P-521") return Curve{"secp521r1", 66};
    return std::nullopt;
}

KeyOutcome elliptic_key(const Json& json) {
    const auto curve = curve_named(text_member(json, "crv").value_or(""));
    if (!curve) return unusable("its curve is none of P-256, P-384 and P-521");
    const auto x = bytes_member(json, "x");
    const auto y = bytes_member(json, "y");
    if (!x || !y || x->size() != curve->coordinate_size || y->size() != curve->coordinate_size) {
        return unusable("x or y is missing, damaged or not of the length that the curve has");
    }
    const auto point = "\x04" + *x + *y;  // Uncompressed.
    auto key = public_key("EC", [&](OSSL_PARAM_BLD* builder) {
        return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->name, 0) == 1 &&
               OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1;
    });
    if (!key) return unusable("its point is not on the curve");
    return SignatureKey(std::move(key));
}

KeyOutcome edwards_key(const Json& json) {
    const auto curve = text_member(json, "crv").value_or("");
    if (curve != "Ed25519" && curve != "Ed448") return unusable("its curve is neither Ed25519 nor Ed448");
    const auto x = bytes_member(json, "x");
    if (!x) return unusable("x is missing or damaged");
    const auto kind = curve == "Ed25519" ? EVP_PKEY_ED25519 : EVP_PKEY_ED448;
    PublicKey key(EVP_PKEY_new_raw_public_key(kind, nullptr, as_bytes(*x).data(), x->size()));
    if (!key) return unusable("x is not of the length that the curve has");
    return SignatureKey(std::move(key));
}

KeyOutcome secret_key(const Json& json) {
    auto bytes = bytes_member(json, "k");
    if (!bytes) return unusable("k is missing or damaged");
    return SignatureKey(Secret::taken_from(*bytes));
}

KeyOutcome key_of_kind(const Json& json) {
    const auto kind = text_member(json, "kty").value_or("");
    if (kind == "RSA") return rsa_key(json);
    if (kind == "EC") return elliptic_key(json);
    if (kind == "OKP") return edwards_key(json);
    if (kind == "oct") return secret_key(json);
    return unusable("its kind (kty) is none of RSA, EC, OKP and oct");
}

// RFC 7517, 4.2 and 4.3.
bool is_for_signatures(const Json& json) {
    if (json.contains("use") && text_member(json, "use") != "sig") return false;
    const auto operations = json.find("key_ops");
    if (operations == json.end()) return true;
    return operations->is_array() &&
           std::ranges::any_of(*operations, [](const Json& operation) { return operation == "verify"; });
}

Outcome key_of(const Json& json) {
    if (!json.is_object()) return unusable("it is not an object");
    if (!is_for_signatures(json)) return unusable("it is not for checking signatures (use, key_ops)");
    if (json.contains("kid") && !json["kid"].is_string()) return unusable("its id (kid) is not a text");
    std::optional<SignatureAlgorithm> algorithm;
    if (json.contains("alg")) {
        algorithm = signature_algorithm_named(text_member(json, "alg").value_or(""));
        if (!algorithm) return unusable("its algorithm (alg) is none that is known here");
    }
    auto key = TRY(key_of_kind(json));
    if (algorithm ? !key.fits(*algorithm) : !key.fits_any()) {
        return unusable("it is too short, or not of the kind that its algorithm needs");
    }
    auto id = text_member(json, "kid").value_or("");
    return JsonWebKey{std::move(id), algorithm, std::move(key)};
}

// One section of a PEM file.
struct Section {
    std::string name;
    std::string content;
};

std::vector<Section> sections_of(std::string_view pem) {
    const Handle<BIO, BIO_free_all> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::vector<Section> sections;
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;
    while (PEM_read_bio(memory.get(), &name, &header, &data, &size) == 1) {
        sections.push_back({name, std::string(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size))});
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, static_cast<std::size_t>(size));
    }
    return sections;
}

PublicKey key_of(const Section& section) {
    const auto* data = as_bytes(section.content).data();
    const auto size = static_cast<long>(section.content.size());
    if (section.name == "PUBLIC KEY") return PublicKey(d2i_PUBKEY(nullptr, &data, size));
    if (section.name == "RSA PUBLIC KEY") return PublicKey(d2i_PublicKey(EVP_PKEY_RSA, nullptr, &data, size));
    const Handle<X509, X509_free> certificate(d2i_X509(nullptr, &data, size));
    return certificate ? PublicKey(X509_get_pubkey(certificate.get())) : PublicKey();
}

}  // namespace

KeySet::Result KeySet::checked(KeySet set) {
    if (set.keys_.size() > keys_max) return unusable("there are more than 64 keys");
    if (!set.keys_.empty()) return set;
    std::string why = "there is no key that can be used";
    for (const auto& finding : set.findings_) why += "; " + finding;
    return std::unexpected(std::move(why));
}

KeySet KeySet::from_secret(Secret secret) {
    KeySet set;
    set.keys_.push_back({{}, std::nullopt, SignatureKey(std::move(secret))});
    return set;
}

KeySet::Result KeySet::from_pem(std::string_view text) {
    if (text.size() > key_set_size_max) return unusable("the file of keys is larger than 256 KiB");
    KeySet set;
    std::size_t number = 0;
    for (auto& section : sections_of(text)) {
        const auto where = "section " + std::to_string(++number) + " (" + section.name + ") ";
        if (section.name.ends_with("PRIVATE KEY")) {
            wipe(section.content);
            set.findings_.push_back(where + "is a private key, which does not belong here");
            continue;
        }
        if (section.name != "CERTIFICATE" && !section.name.ends_with("PUBLIC KEY")) continue;
        auto key = key_of(section);
        if (!key) {
            set.findings_.push_back(where + "is damaged");
        } else if (SignatureKey usable(std::move(key)); !usable.fits_any()) {
            set.findings_.push_back(where + "has a key that is too short, or of a kind that is not known here");
        } else {
            set.keys_.push_back({{}, std::nullopt, std::move(usable)});
        }
    }
    ERR_clear_error();
    return checked(std::move(set));
}

KeySet::Result KeySet::from_json(std::string_view text) {
    if (text.size() > key_set_size_max) return unusable("the set of keys is larger than 256 KiB");
    const auto json = parse_json_object(text);
    if (!json) return unusable("the set of keys is not a JSON object");
    KeySet set;
    const auto found = json->find("keys");
    if (found != json->end() && !found->is_array()) return unusable("the keys are not an array");
    const auto listed = found == json->end() ? Json::array({*json}) : *found;
    if (listed.size() > keys_max) return unusable("there are more than 64 keys");
    for (std::size_t index = 0; index != listed.size(); ++index) {
        auto key = key_of(listed[index]);
        if (key) {
            set.keys_.push_back(std::move(*key));
        } else {
            set.findings_.push_back("key " + std::to_string(index + 1) + ": " + key.error());
        }
    }
    ERR_clear_error();
    return checked(std::move(set));
}

}  // namespace chappe::crypto
