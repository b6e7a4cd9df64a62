#pragma once

// The URLs that people write for listeners and for connections:
//   mqtt://HOST[:PORT]  mqtts://...  http://...  https://...  unix:PATH
// HOST is a name, an IPv4 address, or an IPv6 address in brackets. Without a port it is 1883, 8883, 80 or 443. A parse
// error says what is wrong and what would be right. Whether a scheme is served is decided by whoever reads the URL.

#include <cstdint>
#include <string>
#include <string_view>

#include "net/io_error.h"

namespace chappe::net {

enum class Scheme : std::uint8_t { Mqtt, Mqtts, Http, Https, Unix };

[[nodiscard]] std::string_view scheme_name(Scheme scheme) noexcept;
[[nodiscard]] std::uint16_t default_port(Scheme scheme) noexcept;  // 0 for Unix.

// Where to listen. Port 0 lets the kernel choose one, which Listener::local_url() tells.
struct ListenUrl {
    Scheme scheme = Scheme::Mqtt;
    std::string host;        // Without brackets; empty for Unix.
    std::uint16_t port = 0;  // 0 for Unix.
    std::string path;        // The path of the Unix socket, otherwise empty.

    [[nodiscard]] static Result<ListenUrl> parse(std::string_view text);
    [[nodiscard]] std::string text() const;

    friend bool operator==(const ListenUrl&, const ListenUrl&) = default;
};

// Where to connect to. Never port 0. HTTP may have a path (that of the WebSocket).
struct Url {
    Scheme scheme = Scheme::Mqtt;
    std::string host;
    std::uint16_t port = 0;
    std::string path;  // Of the Unix socket, or of the HTTP resource ("/mqtt", or empty where the URL has none).

    [[nodiscard]] static Result<Url> parse(std::string_view text);
    [[nodiscard]] std::string text() const;

    friend bool operator==(const Url&, const Url&) = default;
};

// Whether only this machine can reach what listens there: a Unix socket, a loopback address, or "localhost" (RFC 6761).
// Other names are not looked up and count as reachable from elsewhere.
[[nodiscard]] bool is_loopback(const ListenUrl& url);

}  // namespace chappe::net
