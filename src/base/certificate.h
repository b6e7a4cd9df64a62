#pragma once

// What a peer's X.509 certificate says of it, once its chain has been verified.

#include <string>
#include <vector>

namespace chappe {

struct Certificate {
    std::string subject;      // As RFC 2253 writes it: "CN=pump-7,O=Works".
    std::string common_name;  // The last CN of the subject; empty if it has none.
    std::vector<std::string> dns_names;
    std::vector<std::string> emails;
    std::vector<std::string> uris;
    std::string serial;              // In hexadecimal.
    std::string fingerprint_sha256;  // Of the whole certificate: 64 hexadecimal digits.
};

}  // namespace chappe
