#include "net/network.h"

#include <algorithm>
#include <charconv>

namespace chappe::net {

namespace {

constexpr unsigned bits_before_ipv4 = 96;  // IPv4 is kept as IPv4-mapped IPv6.

std::optional<unsigned> parse_bits(std::string_view text, unsigned most) {
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
    if (error != std::errc() || end != text.data() + text.size() || bits > most) return {};
    return bits;
}

bool bit_of(const IpAddress& address, unsigned bit) noexcept {
    return (address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address || address->scope != 0) return {};
    const unsigned before = address->is_v4() ? bits_before_ipv4 : 0;
    const unsigned most = 128 - before;
    const auto bits = slash == text.npos ? std::optional(most) : parse_bits(text.substr(slash + 1), most);
    if (!bits) return {};
    // 10.0.0.1/8 is a slip, or an address with a forgotten meaning: it is not guessed which.
    for (unsigned bit = before + *bits; bit < 128; ++bit) {
        if (bit_of(*address, bit)) return {};
    }
    return Network(*address, before + *bits);
}

bool Network::contains(const IpAddress& address) const noexcept {
    for (unsigned bit = 0; bit < bits_; ++bit) {
        if (bit_of(address, bit) != bit_of(address_, bit)) return false;
    }
    return true;
}

bool any_contains(std::span<const Network> networks, const IpAddress& address) noexcept {
    return std::ranges::any_of(networks, [&](const Network& network) { return network.contains(address); });
}

bool any_contains(std::span<const Network> networks, const Endpoint& endpoint) noexcept {
    const auto* ip = std::get_if<IpEndpoint>(&endpoint);
    return ip != nullptr && any_contains(networks, ip->address);
}

IpAddress owner_of(IpAddress address) noexcept {
    if (!address.is_v4() && !address.is_loopback() && address.scope == 0) {
        std::ranges::fill(std::span(address.bytes).last<8>(), std::uint8_t{0});
    }
    return address;
}

std::string owner_of(std::string_view address) {
    const auto ip = IpAddress::parse(address);
    return ip ? owner_of(*ip).text() : std::string(address);
}

}  // namespace chappe::net
