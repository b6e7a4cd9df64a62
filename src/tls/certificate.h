#pragma once

// Reads certificates, keys and lists of revoked certificates from PEM files.

#include <expected>
#include <string>
#include <vector>

#include "base/certificate.h"
#include "tls/handles.h"

namespace chappe::tls {

// An error is a sentence that names the file.
template <class T>
using FileResult = std::expected<T, std::string>;

// All certificates of a file, in its order; at least one.
[[nodiscard]] FileResult<std::vector<CertificateHandle>> read_certificates(const std::string& path);
// Without a passphrase: a broker starts by itself.
[[nodiscard]] FileResult<KeyHandle> read_key(const std::string& path);
[[nodiscard]] FileResult<std::vector<CrlHandle>> read_crls(const std::string& path);

[[nodiscard]] Certificate describe(X509& certificate);

}  // namespace chappe::tls
