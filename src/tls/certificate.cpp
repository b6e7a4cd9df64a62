#include "tls/certificate.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "net/io_error.h"
#include "tls/error.h"

namespace chappe::tls {

namespace {

std::unexpected<std::string> wrong(const std::string& path, std::string_view why) {
    return std::unexpected(path + ": " + std::string(why));
}

FileResult<BioHandle> open(const std::string& path) {
    ERR_clear_error();
    errno = 0;
    BioHandle file(BIO_new_file(path.c_str(), "r"));
    if (!file) {
        const auto code = errno;
        ERR_clear_error();
        return wrong(path, code == 0 ? "cannot be opened" : net::error_text(code));
    }
    return file;
}

// What read() finds in the file until there is no more. Anything else in a PEM file is passed over.
template <class Owner, class Read>
FileResult<std::vector<Owner>> read_all(const std::string& path, std::string_view what, Read read) {
    const auto file = TRY(open(path));
    std::vector<Owner> found;
    while (auto* object = read(file.get())) found.emplace_back(object);
    const auto code = ERR_peek_last_error();
    if (ERR_GET_LIB(code) != ERR_LIB_PEM || ERR_GET_REASON(code) != PEM_R_NO_START_LINE) {
        return wrong(path, "is not a PEM file: " + take_error());
    }
    ERR_clear_error();
    if (found.empty()) return wrong(path, "has no " + std::string(what));
    return found;
}

int no_passphrase(char*, int, int, void*) { return 0; }

std::string text_of(const ASN1_STRING* string) {
    unsigned char* utf8 = nullptr;
    const auto size = ASN1_STRING_to_UTF8(&utf8, string);
    if (size < 0) return {};
    std::string text(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text;
}

std::string subject_of(X509& certificate) {
    const BioHandle memory(BIO_new(BIO_s_mem()));
    X509_NAME_print_ex(memory.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string common_name_of(X509& certificate) {
    const auto* subject = X509_get_subject_name(&certificate);
    int last = -1;
    for (int next = last; (next = X509_NAME_get_index_by_NID(subject, NID_commonName, next)) >= 0;) last = next;
    if (last < 0) return {};
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
}

std::string hexadecimal(const unsigned char* bytes, std::size_t size) {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t index = 0; index != size; ++index) {
        text += digits[bytes[index] >> 4];
        text += digits[bytes[index] & 15];
    }
    return text;
}

std::string fingerprint_of(X509& certificate) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    X509_digest(&certificate, EVP_sha256(), digest.data(), &size);
    return hexadecimal(digest.data(), size);
}

std::string serial_of(X509& certificate) {
    const auto* serial = X509_get0_serialNumber(&certificate);
    return hexadecimal(ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

void add_alternative_names(X509& certificate, Certificate& described) {
    auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
    if (names == nullptr) return;
    for (int index = 0; index != sk_GENERAL_NAME_num(names); ++index) {
        const auto* name = sk_GENERAL_NAME_value(names, index);
        if (name->type == GEN_DNS) described.dns_names.push_back(text_of(name->d.dNSName));
        if (name->type == GEN_EMAIL) described.emails.push_back(text_of(name->d.rfc822Name));
        if (name->type == GEN_URI) described.uris.push_back(text_of(name->d.uniformResourceIdentifier));
    }
    GENERAL_NAMES_free(names);
}

}  // namespace

FileResult<std::vector<CertificateHandle>> read_certificates(const std::string& path) {
    return read_all<CertificateHandle>(
        path, "certificate", [](BIO* file) { return PEM_read_bio_X509(file, nullptr, no_passphrase, nullptr); });
}

FileResult<std::vector<CrlHandle>> read_crls(const std::string& path) {
    return read_all<CrlHandle>(path, "list of revoked certificates (CRL)",
                               [](BIO* file) { return PEM_read_bio_X509_CRL(file, nullptr, no_passphrase, nullptr); });
}

FileResult<KeyHandle> read_key(const std::string& path) {
    const auto file = TRY(open(path));
    KeyHandle key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
    if (key) return key;
    if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_OSSL_DECODER) {  // It looked for one of every kind.
        ERR_clear_error();
        return wrong(path, "has no private key");
    }
    return wrong(path, "the private key cannot be read (has it a passphrase?): " + take_error());
}

Certificate describe(X509& certificate) {
    Certificate described{.subject = subject_of(certificate),
                          .common_name = common_name_of(certificate),
                          .dns_names = {},
                          .emails = {},
                          .uris = {},
                          .serial = serial_of(certificate),
                          .fingerprint_sha256 = fingerprint_of(certificate)};
    add_alternative_names(certificate, described);
    return described;
}

}  // namespace chappe::tls
