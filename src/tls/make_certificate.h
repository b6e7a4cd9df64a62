#pragma once

// Makes keys and certificates for a local network: a CA of one's own, and what it signs for servers and clients.

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "tls/certificate.h"

namespace chappe::tls {

// A certificate with its key, in memory.
struct Credentials {
    CertificateHandle certificate;
    KeyHandle key;
};

enum class Purpose : std::uint8_t { Authority, Server, Client };

struct CertificateRequest {
    Purpose purpose = Purpose::Server;
    std::string common_name;         // At most common_name_max bytes of UTF-8; empty where there are names.
    std::vector<std::string> names;  // Of a server: host names and IP addresses that net::Url takes.
    unsigned days = 820;             // In all. The first hour is over, for clocks that are behind.
};

inline constexpr std::size_t common_name_max = 64;  // RFC 5280, appendix A.

// With a new key on the curve P-256, which microcontrollers can use. `issuer` signs it; null: it signs itself.
[[nodiscard]] Credentials make_certificate(const CertificateRequest& request, const Credentials* issuer);

// As PEM text.
[[nodiscard]] std::string certificate_pem(X509& certificate);
[[nodiscard]] std::string key_pem(EVP_PKEY& key);

// The certificates with these serial numbers are revoked by the issuer's list, from now on for so many days.
[[nodiscard]] CrlHandle make_crl(const Credentials& issuer, const std::vector<const ASN1_INTEGER*>& revoked,
                                 unsigned days);
[[nodiscard]] std::string crl_pem(X509_CRL& list);

}  // namespace chappe::tls
