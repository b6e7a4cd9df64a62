#include "net/endpoint.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace chappe::net {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// An interface by its name or number; empty when there is none.
std::optional<std::uint32_t> parse_scope(const std::string& text) {
    std::uint32_t number = 0;
    const auto* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, number).ptr == end && number != 0) return number;
    number = if_nametoindex(text.c_str());
    return number != 0 ? std::optional(number) : std::nullopt;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    IpAddress address;
    const auto percent = text.find('%');
    if (percent != std::string_view::npos) {
        const auto scope = parse_scope(std::string(text.substr(percent + 1)));
        if (!scope) return {};
        address.scope = *scope;
        text = text.substr(0, percent);
    }
    if (inet_pton(AF_INET6, std::string(text).c_str(), address.bytes.data()) != 1) return {};
    return address;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find('\0') != std::string_view::npos) return {};
    if (text.find(':') != std::string_view::npos) return parse_v6(text);
    IpAddress address;
    std::ranges::copy(v4_prefix, address.bytes.begin());
    if (inet_pton(AF_INET, std::string(text).c_str(), &address.bytes[v4_prefix.size()]) != 1) return {};
    return address;
}

bool IpAddress::is_v4() const noexcept { return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin()); }

bool IpAddress::is_loopback() const noexcept {
    if (is_v4()) return bytes[v4_prefix.size()] == 127;
    return bytes[15] == 1 && std::all_of(bytes.begin(), bytes.end() - 1, [](auto byte) { return byte == 0; });
}

bool IpAddress::is_any() const noexcept {
    const auto* begin = bytes.data() + (is_v4() ? v4_prefix.size() : 0);
    return std::all_of(begin, bytes.data() + bytes.size(), [](auto byte) { return byte == 0; });
}

std::string IpAddress::text() const {
    char text[INET6_ADDRSTRLEN];
    if (is_v4()) return inet_ntop(AF_INET, &bytes[v4_prefix.size()], text, sizeof text);
    auto result = std::string(inet_ntop(AF_INET6, bytes.data(), text, sizeof text));
    if (scope != 0) result += "%" + std::to_string(scope);
    return result;
}

std::string to_text(const Endpoint& endpoint) {
    if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) return "unix:" + local->path;
    const auto& ip = std::get<IpEndpoint>(endpoint);
    const auto port = ":" + std::to_string(ip.port);
    return ip.address.is_v4() ? ip.address.text() + port : "[" + ip.address.text() + "]" + port;
}

std::string_view without_port(std::string_view endpoint) noexcept {
    if (endpoint.starts_with('[')) return endpoint.substr(1, endpoint.find(']') - 1);
    const auto colon = endpoint.rfind(':');
    const bool has_port = colon != endpoint.npos && IpAddress::parse(endpoint.substr(0, colon));
    return has_port ? endpoint.substr(0, colon) : endpoint;
}

bool is_loopback(const Endpoint& endpoint) noexcept {
    const auto* ip = std::get_if<IpEndpoint>(&endpoint);
    return ip == nullptr || ip->address.is_loopback();
}

std::string Peer::text() const {
    auto text = to_text(endpoint);
    const auto* ip = std::get_if<IpEndpoint>(&endpoint);
    if (ip != nullptr && ip->port == 0) text.resize(text.size() - 2);  // Without ":0": a proxy has not told the port.
    if (credentials) {
        text += " pid=" + std::to_string(credentials->process) + " uid=" + std::to_string(credentials->user);
    }
    return text;
}

}  // namespace chappe::net
