#include "tls/make_certificate.h"

#include <array>
#include <new>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/assert.h"
#include "net/endpoint.h"

namespace chappe::tls {

namespace {

constexpr long seconds_per_hour = 3600;
constexpr int x509_version_3 = 2;  // X.509 counts its versions from 0.

KeyHandle make_key() {
    KeyHandle key(EVP_EC_gen("P-256"));
    if (!key) throw std::bad_alloc();
    return key;
}

// 127 random bits: nobody can guess it, and it is positive (RFC 5280, 4.1.2.2).
void set_random_serial(X509& certificate) {
    std::array<unsigned char, 16> bytes{};
    ASSERT(RAND_bytes(bytes.data(), bytes.size()) == 1);
    bytes[0] = static_cast<unsigned char>((bytes[0] & 0x7f) | 0x40);
    const Handle<BIGNUM, BN_free> number(BN_bin2bn(bytes.data(), bytes.size(), nullptr));
    BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate));
}

void set_common_name(X509_NAME& name, const std::string& text) {
    if (text.empty()) return;
    const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
    ASSERT(X509_NAME_add_entry_by_NID(&name, NID_commonName, MBSTRING_UTF8, bytes, static_cast<int>(text.size()), -1,
                                      0) == 1);
}

void add_extension(X509& certificate, const X509& issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, const_cast<X509*>(&issuer), &certificate, nullptr, nullptr, 0);
    const Handle<X509_EXTENSION, X509_EXTENSION_free> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    ASSERT(extension != nullptr);
    X509_add_ext(&certificate, extension.get(), -1);
}

std::string alternative_names(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) {
        text += text.empty() ? "" : ",";
        text += net::IpAddress::parse(name) ? "IP:" : "DNS:";
        text += name;
    }
    return text;
}

void add_extensions(X509& certificate, const X509& issuer, const CertificateRequest& request) {
    const bool is_authority = request.purpose == Purpose::Authority;
    add_extension(certificate, issuer, NID_basic_constraints,
                  is_authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
    add_extension(certificate, issuer, NID_key_usage,
                  is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
    add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
    if (is_authority) return;
    const bool is_server = request.purpose == Purpose::Server;
    add_extension(certificate, issuer, NID_ext_key_usage, is_server ? "serverAuth" : "clientAuth");
    if (!request.names.empty()) {
        const std::string critical = request.common_name.empty() ? "critical," : "";  // RFC 5280, 4.2.1.6.
        add_extension(certificate, issuer, NID_subject_alt_name, critical + alternative_names(request.names));
    }
}

template <class Write>
std::string to_pem(Write write) {
    const BioHandle memory(BIO_new(BIO_s_mem()));
    ASSERT(write(memory.get()) == 1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Credentials make_certificate(const CertificateRequest& request, const Credentials* issuer) {
    Credentials made{CertificateHandle(X509_new()), make_key()};
    auto& certificate = *made.certificate;
    const auto& signer = issuer == nullptr ? made : *issuer;
    X509_set_version(&certificate, x509_version_3);
    set_random_serial(certificate);
    X509_gmtime_adj(X509_getm_notBefore(&certificate), -seconds_per_hour);
    X509_time_adj_ex(X509_getm_notAfter(&certificate), static_cast<int>(request.days), -seconds_per_hour, nullptr);
    set_common_name(*X509_get_subject_name(&certificate), request.common_name);
    X509_set_issuer_name(&certificate, X509_get_subject_name(signer.certificate.get()));
    X509_set_pubkey(&certificate, made.key.get());
    add_extensions(certificate, *signer.certificate, request);
    ASSERT(X509_sign(&certificate, signer.key.get(), EVP_sha256()) != 0);
    return made;
}

std::string certificate_pem(X509& certificate) {
    return to_pem([&](BIO* memory) { return PEM_write_bio_X509(memory, &certificate); });
}

std::string key_pem(EVP_PKEY& key) {
    return to_pem(
        [&](BIO* memory) { return PEM_write_bio_PrivateKey(memory, &key, nullptr, nullptr, 0, nullptr, nullptr); });
}

CrlHandle make_crl(const Credentials& issuer, const std::vector<const ASN1_INTEGER*>& revoked, unsigned days) {
    CrlHandle list(X509_CRL_new());
    X509_CRL_set_version(list.get(), 1);
    X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
    const Handle<ASN1_TIME, ASN1_TIME_free> now(X509_gmtime_adj(nullptr, 0));
    const Handle<ASN1_TIME, ASN1_TIME_free> next(X509_time_adj_ex(nullptr, static_cast<int>(days), 0, nullptr));
    X509_CRL_set1_lastUpdate(list.get(), now.get());
    X509_CRL_set1_nextUpdate(list.get(), next.get());
    for (const auto* serial : revoked) {
        auto* entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, const_cast<ASN1_INTEGER*>(serial));
        X509_REVOKED_set_revocationDate(entry, now.get());
        X509_CRL_add0_revoked(list.get(), entry);
    }
    X509_CRL_sort(list.get());
    ASSERT(X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256()) != 0);
    return list;
}

std::string crl_pem(X509_CRL& list) {
    return to_pem([&](BIO* memory) { return PEM_write_bio_X509_CRL(memory, &list); });
}

}  // namespace chappe::tls
