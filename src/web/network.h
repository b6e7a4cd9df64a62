#pragma once

// A range of addresses, as it is written in settings: "10.0.0.0/8", "192.168.1.5", "fd00::/8".

#include <optional>
#include <span>
#include <string_view>

#include "net/endpoint.h"

namespace chappe::web {

class Network {
public:
    [[nodiscard]] static std::optional<Network> parse(std::string_view text);

    [[nodiscard]] bool contains(const net::IpAddress& address) const noexcept;

private:
    Network(const net::IpAddress& address, unsigned bits) : address_(address), bits_(bits) {}

    net::IpAddress address_;
    unsigned bits_;  // Of the 16 bytes of the address.
};

[[nodiscard]] bool any_contains(std::span<const Network> networks, const net::IpAddress& address) noexcept;

}  // namespace chappe::web
