#include "accounts/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace chappe::accounts {

namespace {

// An address of either kind as one of IPv6: 192.0.2.7 is ::ffff:192.0.2.7 (RFC 4291, section 2.5.5.2).
using Bytes = std::array<std::uint8_t, 16>;

constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned mapped_bits = 8 * mapped.size();
constexpr unsigned all_bits = 128;

bool is_mapped(const Bytes& bytes) { return std::equal(mapped.begin(), mapped.end(), bytes.begin()); }

bool read_address(const std::string& text, Bytes& bytes) {
    std::copy(mapped.begin(), mapped.end(), bytes.begin());
    return inet_pton(AF_INET, text.c_str(), &bytes[mapped.size()]) == 1 ||
           inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

std::optional<unsigned> read_prefix(std::string_view text, unsigned prefix_max) {
    unsigned prefix = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), prefix);
    if (error != std::errc() || end != text.data() + text.size() || prefix > prefix_max) return std::nullopt;
    return prefix;
}

void clear_behind(Bytes& bytes, unsigned prefix) {
    for (unsigned bit = prefix; bit < all_bits; ++bit) bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
}

std::string write_address(const Bytes& bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (is_mapped(bytes)) {
        inet_ntop(AF_INET, &bytes[mapped.size()], text.data(), text.size());
    } else {
        inet_ntop(AF_INET6, bytes.data(), text.data(), text.size());
    }
    return text.data();
}

}  // namespace

std::optional<std::string> plain_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = std::string(text.substr(0, slash));
    Bytes bytes{};
    // A C function reads it, for which it would end at a null character.
    if (address.find('\0') != std::string::npos || !read_address(address, bytes)) return std::nullopt;
    if (slash == std::string_view::npos) return write_address(bytes);

    const bool is_ipv4_text = address.find(':') == std::string::npos;
    auto prefix = read_prefix(text.substr(slash + 1), is_ipv4_text ? all_bits - mapped_bits : all_bits);
    if (!prefix) return std::nullopt;
    if (is_ipv4_text) *prefix += mapped_bits;
    clear_behind(bytes, *prefix);
    if (*prefix == all_bits) return write_address(bytes);
    return write_address(bytes) + "/" + std::to_string(is_mapped(bytes) ? *prefix - mapped_bits : *prefix);
}

}  // namespace chappe::accounts
