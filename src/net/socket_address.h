#pragma once

// Between Endpoint and what the kernel wants. For this folder's own use.

#include <sys/socket.h>

#include "net/endpoint.h"
#include "net/io_error.h"

namespace chappe::net {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = sizeof(sockaddr_storage);

    [[nodiscard]] sockaddr* data() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* data() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Fails with ENAMETOOLONG for a Unix path of more than 107 bytes.
[[nodiscard]] Result<SocketAddress> to_socket_address(const Endpoint& endpoint);
[[nodiscard]] Endpoint to_endpoint(const SocketAddress& address);

// Who is at the other end of a connected Unix socket.
[[nodiscard]] std::optional<Credentials> peer_credentials(int socket) noexcept;

}  // namespace chappe::net
