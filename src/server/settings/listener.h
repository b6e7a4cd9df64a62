#pragma once

// Where clients connect: one URL, and what is allowed there.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/url.h"
#include "tls/context.h"

namespace chappe::server {

struct Listener {
    net::ListenUrl url;
    std::uint32_t mode = 0660;            // Access mode of a Unix socket's file.
    std::optional<bool> allow_anonymous;  // Unset: as anonymous_allowed() says.
    std::uint32_t connections_max = 0;    // 0: bounded by limits.connections_max only.
    bool proxy_protocol = false;          // Connections are those of proxies, and begin with a header.

    // For mqtts; what is empty or unset is as TlsSettings says. The list of revoked certificates goes with the CA.
    std::vector<std::string> tls_certificates;
    std::vector<std::string> tls_keys;
    std::string tls_client_ca;
    std::string tls_client_crl;
    std::string tls_psk_file;
    std::optional<tls::ClientCertificates> tls_client_certificates;

    // The broker starts without this listener where the machine has no such address family. Only the listeners that
    // nobody asked for are so; one that a person wrote down must come up.
    bool may_be_absent = false;

    friend bool operator==(const Listener&, const Listener&) = default;
};

// Nothing but its URL was said of it, so it can be written in server.listen; the others need a [[listener]].
[[nodiscard]] bool has_only_url(const Listener& listener);

// From where a listener can be reached, as far as its address tells.
enum class Reach : std::uint8_t {
    Machine,         // net::is_loopback().
    PrivateNetwork,  // Addresses that the Internet does not route: RFC 1918, link-local, unique local.
    Anywhere,        // Any other address; all addresses of the machine; a name, of which nothing is known here.
};

[[nodiscard]] Reach reach(const net::ListenUrl& url);

// Both cannot listen: the same address and port, or one of them on all addresses and the same port.
[[nodiscard]] bool collide(const net::ListenUrl& a, const net::ListenUrl& b);

}  // namespace chappe::server
