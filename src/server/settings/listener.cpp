#include "server/settings/listener.h"

#include <cstdint>
#include <span>

#include "net/endpoint.h"

namespace chappe::server {

namespace {

bool starts_with(std::span<const std::uint8_t> bytes, std::uint16_t prefix, int bits) {
    const auto first = static_cast<unsigned>(bytes[0] << 8 | bytes[1]);
    return (first ^ prefix) >> (16 - bits) == 0;
}

bool is_private_ipv4(std::span<const std::uint8_t> bytes) {
    return starts_with(bytes, 0x0a00, 8) || starts_with(bytes, 0xac10, 12) || starts_with(bytes, 0xc0a8, 16) ||
           starts_with(bytes, 0xa9fe, 16);
}

bool is_private(const net::IpAddress& address) {
    const std::span bytes(address.bytes);
    if (address.is_v4()) return is_private_ipv4(bytes.last(4));
    return starts_with(bytes, 0xfc00, 7) || starts_with(bytes, 0xfe80, 10);
}

// Whether listening on `wide` takes the port of `narrow` too. [::] serves IPv4 as well.
bool covers(const net::ListenUrl& wide, const net::ListenUrl& narrow) {
    const auto a = net::IpAddress::parse(wide.host);
    const auto b = net::IpAddress::parse(narrow.host);
    if (!a || !b) return wide.host == narrow.host;
    return *a == *b || (a->is_any() && (!a->is_v4() || b->is_v4()));
}

}  // namespace

bool has_only_url(const Listener& listener) {
    Listener plain{.url = listener.url};
    plain.may_be_absent = listener.may_be_absent;
    return listener == plain;
}

Reach reach(const net::ListenUrl& url) {
    if (net::is_loopback(url)) return Reach::Machine;
    const auto address = net::IpAddress::parse(url.host);
    return address && is_private(*address) ? Reach::PrivateNetwork : Reach::Anywhere;
}

bool collide(const net::ListenUrl& a, const net::ListenUrl& b) {
    const auto is_unix = [](const net::ListenUrl& url) { return url.scheme == net::Scheme::Unix; };
    if (is_unix(a) || is_unix(b)) return is_unix(a) && is_unix(b) && a.path == b.path;
    return a.port == b.port && a.port != 0 && (covers(a, b) || covers(b, a));
}

}  // namespace chappe::server
