#pragma once

// Clients that prove by a key they share with the server who they are, in place of certificates: TLS-PSK (RFC 4279 for
// TLS 1.2, RFC 8446, 2.2 for 1.3). Only for this folder.

#include <memory>
#include <string>

#include "crypto/preshared_keys.h"
#include "tls/certificate.h"
#include "tls/handles.h"

namespace chappe::tls {

[[nodiscard]] FileResult<crypto::PresharedKeys> read_preshared_keys(const std::string& path);

// After the first, psk_identity() is right only for a context that does not resume sessions.
// The first for the server's context, the other for the client's, which has one key. The keys outlive the context and
// its connections.
void take_preshared_keys(SSL_CTX& context, const crypto::PresharedKeys& keys);
void offer_preshared_key(SSL_CTX& context, const crypto::PresharedKeys& keys);

// Of the server's side, after the handshake: whose key it has used. Null: none.
[[nodiscard]] std::shared_ptr<const std::string> psk_identity(const SSL& ssl);

}  // namespace chappe::tls
