#pragma once

// What TLS connections of one listener, or to one server, have in common: certificates, whom to trust, and what is
// spoken. Read from files once and not changed afterwards: a reload makes a new context, and connections keep theirs.
// Thread-safe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/preshared_keys.h"
#include "net/stream.h"
#include "tls/certificate.h"
#include "tls/handles.h"

namespace chappe::tls {

// PEM files. The certificate may be followed by those of intermediate CAs, and both may be the same file.
struct CertificateFiles {
    std::string certificate;
    std::string key;

    friend bool operator==(const CertificateFiles&, const CertificateFiles&) = default;
};

enum class ClientCertificates : std::uint8_t {
    Ignored,   // Clients are not asked for one.
    Optional,  // One that is shown must be good.
    Required,
};

enum class Version : std::uint8_t { Tls12, Tls13 };

struct ServerOptions {
    std::vector<CertificateFiles>
        certificates;  // Chosen by the name that the client asks for; the first is for others. None: with a psk_file.
    ClientCertificates client_certificates = ClientCertificates::Ignored;
    std::string client_ca;   // Of CAs whose clients are trusted; empty with ClientCertificates::Ignored.
    std::string client_crl;  // Of revoked client certificates; empty: none are. Without a valid list for its CA no
                             // client is trusted.
    std::string psk_file;    // Keys of clients that come without certificates (crypto/preshared_keys.h); empty: none.
    Version version_least = Version::Tls12;
    std::vector<std::string> application_protocols;  // ALPN, the most wanted first; empty: whatever the client says.
};

class ServerContext : public std::enable_shared_from_this<ServerContext> {
public:
    [[nodiscard]] static FileResult<std::shared_ptr<const ServerContext>> load(const ServerOptions& options);

    // The server's side of a connection that has just been accepted. The handshake happens as it is read.
    [[nodiscard]] std::unique_ptr<net::Stream> accept(std::unique_ptr<net::Stream> below) const;

private:
    struct Named {
        SslContextHandle context;
        X509* certificate;  // Of the context; null: it has none.
    };

    ServerContext() = default;
    [[nodiscard]] FileResult<void> add(const CertificateFiles& files, const ServerOptions& options);
    void finish(SslContextHandle context, X509* certificate);
    static int choose_certificate(SSL* ssl, int* alert, void* self);
    static int choose_protocol(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                               const unsigned char* offered, unsigned offered_size, void* self);

    std::vector<Named> contexts_;
    std::string application_protocols_;  // As ALPN writes them: each after its length.
    std::optional<crypto::PresharedKeys> preshared_keys_;
};

struct ClientOptions {
    std::string ca;                // Whom to trust; empty: the CAs of the system.
    CertificateFiles certificate;  // Of ours; empty: none.
    std::string psk_file;          // Of the one key that we share with the server; empty: none.
    bool verify_name = true;       // Whether the certificate must be of the server that we wanted to reach.
    Version version_least = Version::Tls12;
    std::vector<std::string> application_protocols;
};

class ClientContext : public std::enable_shared_from_this<ClientContext> {
public:
    [[nodiscard]] static FileResult<std::shared_ptr<const ClientContext>> load(const ClientOptions& options);

    // Our side of a connection to `host`, a name or an address.
    [[nodiscard]] net::Result<std::unique_ptr<net::Stream>> connect(std::unique_ptr<net::Stream> below,
                                                                    const std::string& host) const;

private:
    ClientContext() = default;

    std::optional<crypto::PresharedKeys> preshared_key_;
    SslContextHandle context_;
    bool verify_name_ = true;
};

}  // namespace chappe::tls
