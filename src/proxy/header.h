#pragma once

// The header of HAProxy's PROXY protocol (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt), versions 1 and
// 2: by it a proxy tells, before anything else, for whom it has connected. No I/O.

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "net/endpoint.h"

namespace chappe::proxy {

inline constexpr std::size_t header_v1_size_max = 107;  // With the end of its line.
// A proxy may add what it likes, such as the whole certificate of the client.
inline constexpr std::size_t header_size_max = 16 * 1024;

struct Header {
    std::size_t size = 0;                 // Of the header itself; what follows is the client's.
    std::optional<net::Endpoint> client;  // Nothing: the proxy speaks for itself, or does not know.
    // Null: the client does not speak TLS with the proxy. Of what TLS has found out there is only the certificate: its
    // common name, where the proxy has verified it and tells the name.
    std::shared_ptr<const net::TlsPeer> tls;
};

// Nothing: more bytes are needed. An error, for people, is told as soon as it can be seen.
using Parsed = std::expected<std::optional<Header>, std::string_view>;

[[nodiscard]] Parsed parse_header(Bytes bytes);

}  // namespace chappe::proxy
