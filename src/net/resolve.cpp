#include "net/resolve.h"

#include <netdb.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "net/socket_address.h"

namespace chappe::net {

namespace {

IpAddress address_of(const addrinfo& info) {
    SocketAddress address;
    std::memcpy(&address.storage, info.ai_addr, info.ai_addrlen);
    address.size = info.ai_addrlen;
    return std::get<IpEndpoint>(to_endpoint(address)).address;
}

std::unexpected<IoError> resolve_error(const std::string& host, int failure, int code) {
    if (failure == EAI_SYSTEM) return io_error("look up " + host, code);
    return std::unexpected(IoError{EHOSTUNREACH, "look up " + host + ": " + gai_strerror(failure)});
}

}  // namespace

Result<std::vector<IpAddress>> resolve(const std::string& host) {
    if (const auto address = IpAddress::parse(host)) return std::vector{*address};
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto failure = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (failure != 0) return resolve_error(host, failure, errno);

    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
    std::vector<IpAddress> addresses;
    for (const auto* info = found; info != nullptr; info = info->ai_next) {
        if (info->ai_family != AF_INET && info->ai_family != AF_INET6) continue;
        const auto address = address_of(*info);
        if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
    }
    if (addresses.empty()) return resolve_error(host, EAI_NONAME, 0);
    return addresses;
}

}  // namespace chappe::net
