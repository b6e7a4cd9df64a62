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

}  // namespace chappe::net
