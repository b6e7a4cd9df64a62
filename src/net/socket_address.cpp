#include "net/socket_address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace chappe::net {

namespace {

// The structures are copied to and from the storage, as the language wants it: no object is two types at once.
template <class T>
SocketAddress wrap(const T& address, std::size_t size = sizeof(T)) {
    SocketAddress result;
    std::memcpy(&result.storage, &address, sizeof address);
    result.size = static_cast<socklen_t>(size);
    return result;
}

template <class T>
T unwrap(const SocketAddress& address) {
    T result{};
    std::memcpy(&result, &address.storage, std::min<std::size_t>(address.size, sizeof result));
    return result;
}

SocketAddress ip_address(const IpEndpoint& endpoint) {
    if (endpoint.address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(endpoint.port);
        std::memcpy(&v4.sin_addr, &endpoint.address.bytes[12], 4);
        return wrap(v4);
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    v6.sin6_scope_id = endpoint.address.scope;
    std::memcpy(&v6.sin6_addr, endpoint.address.bytes.data(), 16);
    return wrap(v6);
}

Result<SocketAddress> unix_address(const UnixEndpoint& endpoint) {
    sockaddr_un address{};
    if (endpoint.path.empty() || endpoint.path.size() >= sizeof address.sun_path) {
        return io_error(to_text(endpoint) + " (a path of 1 to 107 bytes is possible)",
                        endpoint.path.empty() ? EINVAL : ENAMETOOLONG);
    }
    address.sun_family = AF_UNIX;
    std::ranges::copy(endpoint.path, address.sun_path);
    return wrap(address, offsetof(sockaddr_un, sun_path) + endpoint.path.size() + 1);
}

IpEndpoint from_v4(const sockaddr_in& v4) {
    IpEndpoint endpoint;
    endpoint.address.bytes[10] = endpoint.address.bytes[11] = 0xff;
    std::memcpy(&endpoint.address.bytes[12], &v4.sin_addr, 4);
    endpoint.port = ntohs(v4.sin_port);
    return endpoint;
}

IpEndpoint from_v6(const sockaddr_in6& v6) {
    IpEndpoint endpoint;
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, 16);
    endpoint.address.scope = v6.sin6_scope_id;
    endpoint.port = ntohs(v6.sin6_port);
    return endpoint;
}

UnixEndpoint from_unix(const SocketAddress& address) {
    if (address.size <= offsetof(sockaddr_un, sun_path)) return {};
    const auto local = unwrap<sockaddr_un>(address);
    return {std::string(local.sun_path, strnlen(local.sun_path, sizeof local.sun_path))};
}

}  // namespace

Result<SocketAddress> to_socket_address(const Endpoint& endpoint) {
    if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) return unix_address(*local);
    return ip_address(std::get<IpEndpoint>(endpoint));
}

Endpoint to_endpoint(const SocketAddress& address) {
    switch (address.storage.ss_family) {
        case AF_INET:
            return from_v4(unwrap<sockaddr_in>(address));
        case AF_INET6:
            return from_v6(unwrap<sockaddr_in6>(address));
        default:
            return from_unix(address);
    }
}

std::optional<Credentials> peer_credentials(int socket) noexcept {
    ucred found{};
    socklen_t size = sizeof found;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &found, &size) != 0) return {};
    return Credentials{.process = found.pid, .user = found.uid, .group = found.gid};
}

}  // namespace chappe::net
