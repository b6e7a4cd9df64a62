#include "tls/context.h"

#include <new>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/endpoint.h"
#include "tls/error.h"
#include "tls/psk.h"
#include "tls/stream.h"

namespace chappe::tls {

namespace {

constexpr long session_seconds = 3600;

// Forward secret and authenticated only. TLS 1.3 has no others.
constexpr const char* suites_of_tls12 = "ECDHE+AESGCM:ECDHE+CHACHA20";

SslContextHandle make_context(const SSL_METHOD* method, Version version_least) {
    SslContextHandle context(SSL_CTX_new(method));
    if (!context) throw std::bad_alloc();
    SSL_CTX_set_min_proto_version(context.get(), version_least == Version::Tls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(context.get(), suites_of_tls12);
    SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                           SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // An idle connection holds no buffers; one that writes again may write from elsewhere, and a part of it.
    SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_num_tickets(context.get(), 1);
    return context;
}

std::string wire_format(const std::vector<std::string>& protocols) {
    std::string wire;
    for (const auto& protocol : protocols) wire += static_cast<char>(protocol.size()) + protocol;
    return wire;
}

// Returns the certificate, which is the context's.
FileResult<X509*> use(SSL_CTX& context, const CertificateFiles& files) {
    auto chain = TRY(read_certificates(files.certificate));
    const auto key = TRY(read_key(files.key));
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        ERR_clear_error();
        return std::unexpected(files.key + ": is not the key of the certificate in " + files.certificate);
    }
    if (SSL_CTX_use_certificate(&context, chain.front().get()) != 1 ||
        SSL_CTX_use_PrivateKey(&context, key.get()) != 1) {
        return std::unexpected(files.certificate + ": cannot be used: " + take_error());
    }
    for (std::size_t index = 1; index < chain.size(); ++index) {
        if (SSL_CTX_add1_chain_cert(&context, chain[index].get()) != 1) {
            return std::unexpected(files.certificate + ": a certificate of the chain cannot be used: " + take_error());
        }
    }
    return SSL_CTX_get0_certificate(&context);
}

// Whom to trust, and whose names a server tells its clients.
FileResult<void> trust(SSL_CTX& context, const std::string& path) {
    auto* store = SSL_CTX_get_cert_store(&context);
    for (const auto& certificate : TRY(read_certificates(path))) {
        if (X509_STORE_add_cert(store, certificate.get()) != 1) return std::unexpected(path + ": " + take_error());
        SSL_CTX_add_client_CA(&context, certificate.get());
    }
    return {};
}

FileResult<void> refuse_revoked(SSL_CTX& context, const std::string& path) {
    auto* store = SSL_CTX_get_cert_store(&context);
    for (const auto& list : TRY(read_crls(path))) {
        if (X509_STORE_add_crl(store, list.get()) != 1) return std::unexpected(path + ": " + take_error());
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);
    return {};
}

int verify_mode(ClientCertificates wanted) {
    if (wanted == ClientCertificates::Ignored) return SSL_VERIFY_NONE;
    return wanted == ClientCertificates::Optional ? SSL_VERIFY_PEER : SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
}

void forbid_resumption(SSL_CTX& context) {
    SSL_CTX_set_options(&context, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(&context, 0);
}

SslHandle make_ssl(SSL_CTX* context) {
    SslHandle ssl(SSL_new(context));
    if (!ssl) throw std::bad_alloc();
    return ssl;
}

}  // namespace

FileResult<std::shared_ptr<const ServerContext>> ServerContext::load(const ServerOptions& options) {
    if (options.certificates.empty() && options.psk_file.empty()) return std::unexpected("there is no certificate");
    std::shared_ptr<ServerContext> made(new ServerContext);
    made->application_protocols_ = wire_format(options.application_protocols);
    if (!options.psk_file.empty()) made->preshared_keys_ = TRY(read_preshared_keys(options.psk_file));
    for (const auto& files : options.certificates) TRY(made->add(files, options));
    if (options.certificates.empty()) made->finish(make_context(TLS_server_method(), options.version_least), nullptr);
    return made;
}

FileResult<void> ServerContext::add(const CertificateFiles& files, const ServerOptions& options) {
    auto context = make_context(TLS_server_method(), options.version_least);
    auto* certificate = TRY(use(*context, files));
    if (options.client_certificates != ClientCertificates::Ignored) {
        TRY(trust(*context, options.client_ca));
        if (!options.client_crl.empty()) TRY(refuse_revoked(*context, options.client_crl));
        // A certificate may expire, or its CRL, and who resumes is not asked for it again.
        forbid_resumption(*context);
    }
    SSL_CTX_set_verify(context.get(), verify_mode(options.client_certificates), nullptr);
    finish(std::move(context), certificate);
    return {};
}

void ServerContext::finish(SslContextHandle context, X509* certificate) {
    // A session is resumed by a ticket, of which only this context has the key: what is loaded anew is looked at anew.
    static constexpr std::string_view name = "chappe";
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(name.data()), name.size());
    SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context.get(), session_seconds);
    SSL_CTX_set_tlsext_servername_callback(context.get(), choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context.get(), this);
    if (!application_protocols_.empty()) SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, this);
    if (preshared_keys_) {
        take_preshared_keys(*context, *preshared_keys_);
        // It would not be known any more whose key it was.
        forbid_resumption(*context);
    }
    contexts_.push_back({std::move(context), certificate});
}

int ServerContext::choose_certificate(SSL* ssl, int*, void* self) {
    const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (name == nullptr) return SSL_TLSEXT_ERR_NOACK;
    for (const auto& named : static_cast<ServerContext*>(self)->contexts_) {
        if (named.certificate == nullptr || X509_check_host(named.certificate, name, 0, 0, nullptr) != 1) continue;
        SSL_set_SSL_CTX(ssl, named.context.get());
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

int ServerContext::choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                                   const unsigned char* offered, unsigned offered_size, void* self) {
    const auto& ours = static_cast<ServerContext*>(self)->application_protocols_;
    unsigned char* selected = nullptr;
    const auto outcome =
        SSL_select_next_proto(&selected, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered, offered_size);
    if (outcome != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301, 3.2.
    *chosen = selected;
    return SSL_TLSEXT_ERR_OK;
}

std::unique_ptr<net::Stream> ServerContext::accept(std::unique_ptr<net::Stream> below) const {
    auto ssl = make_ssl(contexts_.front().context.get());
    SSL_set_accept_state(ssl.get());
    return std::make_unique<Stream>(std::move(below), std::move(ssl), shared_from_this());
}

FileResult<std::shared_ptr<const ClientContext>> ClientContext::load(const ClientOptions& options) {
    std::shared_ptr<ClientContext> made(new ClientContext);
    made->context_ = make_context(TLS_client_method(), options.version_least);
    made->verify_name_ = options.verify_name;
    auto& context = *made->context_;
    SSL_CTX_set_verify(&context, SSL_VERIFY_PEER, nullptr);
    if (options.ca.empty()) {
        SSL_CTX_set_default_verify_paths(&context);
    } else {
        TRY(trust(context, options.ca));
    }
    if (!options.certificate.certificate.empty()) TRY(use(context, options.certificate));
    if (!options.psk_file.empty()) {
        made->preshared_key_ = TRY(read_preshared_keys(options.psk_file));
        if (made->preshared_key_->size() != 1) {
            return std::unexpected(options.psk_file + ": has several keys, and a client has one");
        }
        offer_preshared_key(context, *made->preshared_key_);
    }
    const auto protocols = wire_format(options.application_protocols);
    if (!protocols.empty()) {
        SSL_CTX_set_alpn_protos(&context, reinterpret_cast<const unsigned char*>(protocols.data()),
                                static_cast<unsigned>(protocols.size()));
    }
    return made;
}

net::Result<std::unique_ptr<net::Stream>> ClientContext::connect(std::unique_ptr<net::Stream> below,
                                                                 const std::string& host) const {
    auto ssl = make_ssl(context_.get());
    SSL_set_connect_state(ssl.get());
    const bool is_address = net::IpAddress::parse(host).has_value();
    if (!is_address) SSL_set_tlsext_host_name(ssl.get(), host.c_str());
    if (verify_name_) {
        auto* wanted = SSL_get0_param(ssl.get());
        X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        const auto address = host.substr(0, host.find('%'));  // Without the interface.
        const auto set = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, address.c_str())
                                    : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
        if (set != 1) return net::io_error("check the certificate for " + host, EINVAL);
    }
    return std::make_unique<Stream>(std::move(below), std::move(ssl), shared_from_this());
}

}  // namespace chappe::tls
