#pragma once

// A range of addresses, as it is written in settings: "10.0.0.0/8", "192.168.1.5", "fd00::/8".

#include <optional>
#include <span>
#include <string_view>

#include "net/endpoint.h"

namespace chappe::net {

class Network {
public:
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);

    [[nodiscard]] bool contains(const IpAddress& address) const noexcept;

private:
    Network(const IpAddress& address, unsigned bits) : address_(address), bits_(bits) {}

    IpAddress address_;
    unsigned bits_;  // Of the 16 bytes of the address.
};

[[nodiscard]] bool any_contains(std::span<const Network> networks, const IpAddress& address) noexcept;
// A Unix socket is in none.
[[nodiscard]] bool any_contains(std::span<const Network> networks, const Endpoint& endpoint) noexcept;

// Whom an address belongs to, as far as it tells: an IPv4 address stands for itself, one of IPv6 for the network of its
// first 64 bits, since who has one of those can take another address in it each time. Link-local ones are told apart.
[[nodiscard]] IpAddress owner_of(IpAddress address) noexcept;
// The same of a text such as "2001:db8::7"; what is no address, as that of a Unix socket, stays as it is.
[[nodiscard]] std::string owner_of(std::string_view address);

}  // namespace chappe::net
