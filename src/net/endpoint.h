#pragma once

// Where a socket is bound or connected: an IP address with a port, or the path of a Unix socket.

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/certificate.h"

namespace chappe::net {

// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6 (::ffff:192.168.1.5), so that a client has the same address
// whether it came through a listener on 0.0.0.0 or on [::]; it is printed as 192.168.1.5.
struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};
    std::uint32_t scope = 0;  // The interface of a link-local IPv6 address (fe80::1%2), otherwise 0.

    // "192.168.1.5", "::1", "fe80::1%eth0"; without brackets. Empty for anything else, host names included.
    [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);

    [[nodiscard]] bool is_v4() const noexcept;
    [[nodiscard]] bool is_loopback() const noexcept;  // 127.0.0.0/8 and ::1.
    [[nodiscard]] bool is_any() const noexcept;       // 0.0.0.0 and ::.
    [[nodiscard]] std::string text() const;

    friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

struct IpEndpoint {
    IpAddress address;
    std::uint16_t port = 0;

    friend auto operator<=>(const IpEndpoint&, const IpEndpoint&) = default;
};

struct UnixEndpoint {
    std::string path;  // Empty for a socket without a name, as the connecting side usually has.

    friend auto operator<=>(const UnixEndpoint&, const UnixEndpoint&) = default;
};

using Endpoint = std::variant<IpEndpoint, UnixEndpoint>;

// "192.168.1.5:1883", "[::1]:1883", "unix:/run/chappe.sock".
[[nodiscard]] std::string to_text(const Endpoint& endpoint);
// The address in such a text: "192.168.1.5", "::1"; what has no port stays as it is.
[[nodiscard]] std::string_view without_port(std::string_view endpoint) noexcept;

// Whether only processes of this machine can be at (or reach) the endpoint. Unix sockets are.
[[nodiscard]] bool is_loopback(const Endpoint& endpoint) noexcept;

// Who is at the other end of a Unix socket, as the kernel noted it when the connection was made.
struct Credentials {
    std::int32_t process = 0;
    std::uint32_t user = 0;
    std::uint32_t group = 0;

    friend bool operator==(const Credentials&, const Credentials&) = default;
};

// What a TLS handshake has found out about the other end, and settled with it.
struct TlsPeer {
    std::string version;                              // "TLSv1.3".
    std::string cipher;                               // "TLS_AES_256_GCM_SHA384".
    std::string application_protocol;                 // By ALPN; empty: none.
    std::string server_name;                          // Which the client asked for (SNI); empty: none.
    std::shared_ptr<const Certificate> certificate;   // Verified; null: none.
    std::shared_ptr<const std::string> psk_identity;  // Whose preshared key it has; null: none, or we are the client.
};

// The other end of a connection.
struct Peer {
    Endpoint endpoint;
    std::optional<Credentials> credentials;  // Unix sockets only.
    std::shared_ptr<const TlsPeer> tls;      // Null: no TLS, or its handshake is not over.

    // "192.168.1.5:50312", or "unix:/run/chappe.sock pid=4242 uid=1000"; without the port where it is not known (0).
    [[nodiscard]] std::string text() const;
    [[nodiscard]] bool is_local() const noexcept { return is_loopback(endpoint); }
};

}  // namespace chappe::net
