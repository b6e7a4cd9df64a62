#include "proxy/header.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/crc32c.h"
#include "base/result.h"
#include "base/utf8.h"

namespace chappe::proxy {

namespace {

template <class T>
using Result = std::expected<T, std::string_view>;

std::unexpected<std::string_view> wrong(std::string_view why) { return std::unexpected(why); }

// --- Version 1: a line of text (section 2.1).

constexpr std::string_view v1_begin = "PROXY ";
constexpr std::string_view line_end = "\r\n";

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    if (text.size() > 1 && text.front() == '0') return {};
    return port;
}

bool is_address_of(std::string_view family, std::string_view text) {
    const bool has_colon = text.contains(':');
    return family == "TCP6" ? has_colon && !text.contains('%') : !has_colon;
}

// What follows "PROXY " up to the end of the line.
Result<std::optional<net::Endpoint>> parse_line(std::string_view line) {
    if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return std::nullopt;
    std::array<std::string_view, 5> words;  // Family; addresses of client and proxy; ports of client and proxy.
    for (auto& word : words) {
        const auto space = std::min(line.find(' '), line.size());
        if ((space == line.size()) != (&word == &words.back())) return wrong("its line does not have five words");
        word = line.substr(0, space);
        line.remove_prefix(std::min(space + 1, line.size()));
    }
    const auto& [family, client_text, proxy_text, client_port_text, proxy_port_text] = words;
    if (family != "TCP4" && family != "TCP6") return wrong("its line is not of TCP4, TCP6 or UNKNOWN");
    const auto client = net::IpAddress::parse(client_text);
    if (!client || !is_address_of(family, client_text)) return wrong("the client's address is not one of its family");
    if (!net::IpAddress::parse(proxy_text) || !is_address_of(family, proxy_text)) {
        return wrong("the proxy's address is not one of its family");
    }
    const auto port = parse_port(client_port_text);
    if (!port || !parse_port(proxy_port_text)) return wrong("a port is not a number up to 65535");
    return net::IpEndpoint{.address = *client, .port = *port};
}

Parsed parse_v1(std::string_view text) {
    const auto end = text.substr(0, header_v1_size_max).find(line_end);
    if (end == text.npos) {
        if (text.size() < header_v1_size_max) return std::nullopt;
        return wrong("its line does not end after 107 bytes");
    }
    auto client = TRY(parse_line(text.substr(v1_begin.size(), end - v1_begin.size())));
    return Header{.size = end + line_end.size(), .client = std::move(client), .tls = nullptr};
}

// --- Version 2: binary (section 2.2).

constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t v2_begin_size = 16;

constexpr std::uint8_t command_local = 0x20;
constexpr std::uint8_t command_proxy = 0x21;

// Address family and transport.
constexpr std::uint8_t unspecified = 0x00;
constexpr std::uint8_t tcp_over_ipv4 = 0x11;
constexpr std::uint8_t tcp_over_ipv6 = 0x21;
constexpr std::uint8_t unix_stream = 0x31;

constexpr std::uint8_t type_crc32c = 0x03;
constexpr std::uint8_t type_ssl = 0x20;
constexpr std::uint8_t type_ssl_cn = 0x22;  // Within the former.
constexpr std::uint8_t client_ssl = 0x01;
constexpr std::uint8_t client_certificate = 0x02 | 0x04;  // Shown in this connection, or in this session of TLS.

std::uint32_t big_endian(Bytes bytes) noexcept {
    std::uint32_t value = 0;
    for (const auto byte : bytes) value = value << 8 | byte;
    return value;
}

// Takes from the front.
Result<Bytes> take(Bytes& bytes, std::size_t size) {
    if (bytes.size() < size) return wrong("it ends within one of its fields");
    const auto taken = bytes.first(size);
    bytes = bytes.subspan(size);
    return taken;
}

// The value of the only field of this type; all others are passed over.
Result<std::optional<Bytes>> find_only(Bytes fields, std::uint8_t type) {
    std::optional<Bytes> found;
    while (!fields.empty()) {
        const auto head = TRY(take(fields, 3));
        const auto value = TRY(take(fields, big_endian(head.subspan(1))));
        if (head[0] != type) continue;
        if (found) return wrong("it has a field twice that can be there once");
        found = value;
    }
    return found;
}

// PP2_TYPE_CRC32C (section 2.2.3): of the whole header, with zeros in its own place.
Result<void> check_crc32c(Bytes header, Bytes fields) {
    const auto told = TRY(find_only(fields, type_crc32c));
    if (!told) return {};
    static constexpr std::array<std::uint8_t, 4> zeros{};
    if (told->size() != zeros.size()) return wrong("its checksum does not have 4 bytes");
    const auto at = static_cast<std::size_t>(told->data() - header.data());
    const auto found = crc32c(header.subspan(at + zeros.size()), crc32c(zeros, crc32c(header.first(at))));
    if (found != big_endian(*told)) return wrong("its checksum (CRC-32C) does not fit it");
    return {};
}

// PP2_TYPE_SSL (section 2.2.5). Its `verify` is 0 also where there was no certificate.
Result<std::shared_ptr<const net::TlsPeer>> parse_tls(Bytes fields) {
    auto ssl = TRY(find_only(fields, type_ssl));
    if (!ssl) return nullptr;
    const auto client = TRY(take(*ssl, 1))[0];
    const auto verify = big_endian(TRY(take(*ssl, 4)));
    const auto name = TRY(find_only(*ssl, type_ssl_cn));
    if ((client & client_ssl) == 0) return nullptr;
    auto tls = std::make_shared<net::TlsPeer>();
    if (name && !name->empty() && (client & client_certificate) != 0 && verify == 0) {
        if (!is_valid_utf8(as_text(*name))) return wrong("the name in the client's certificate is not UTF-8");
        auto certificate = std::make_shared<Certificate>();
        certificate->common_name = as_text(*name);
        tls->certificate = std::move(certificate);
    }
    return tls;
}

net::IpAddress ipv4(Bytes bytes) {
    net::IpAddress address{.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
    std::ranges::copy(bytes, address.bytes.begin() + 12);
    return address;
}

net::IpAddress ipv6(Bytes bytes) {
    net::IpAddress address;
    std::ranges::copy(bytes, address.bytes.begin());
    return address;
}

// Takes the addresses and ports of client and proxy, of which the former count.
Result<net::Endpoint> take_client(std::uint8_t family, Bytes& rest) {
    if (family == unix_stream) {
        auto path = as_text(TRY(take(rest, 216)).first(108));
        path = path.substr(0, path.find('\0'));
        // A name that is no text could not be logged.
        return net::UnixEndpoint{is_valid_utf8(path) ? std::string(path) : std::string()};
    }
    const std::size_t size = family == tcp_over_ipv4 ? 4 : 16;
    const auto addresses = TRY(take(rest, 2 * size)).first(size);
    const auto port = static_cast<std::uint16_t>(big_endian(TRY(take(rest, 4)).first(2)));
    return net::IpEndpoint{.address = family == tcp_over_ipv4 ? ipv4(addresses) : ipv6(addresses), .port = port};
}

Parsed parse_v2(Bytes bytes) {
    if (bytes.size() <= v2_signature.size()) return std::nullopt;
    const auto command = bytes[12];
    if (command != command_local && command != command_proxy) return wrong("its version or command is unknown");
    if (bytes.size() < v2_begin_size) return std::nullopt;
    const auto family = bytes[13];
    const auto size = v2_begin_size + big_endian(bytes.subspan(14, 2));
    if (size > header_size_max) return wrong("it has more than 16 KiB");
    if (bytes.size() < size) return std::nullopt;

    Header header{.size = size, .client = {}, .tls = nullptr};
    if (command == command_local || family == unspecified) return header;
    if (family != tcp_over_ipv4 && family != tcp_over_ipv6 && family != unix_stream) {
        return wrong("its client comes neither by TCP nor by a Unix socket");
    }
    bytes = bytes.first(size);
    auto rest = bytes.subspan(v2_begin_size);
    header.client = TRY(take_client(family, rest));
    TRY(check_crc32c(bytes, rest));
    header.tls = TRY(parse_tls(rest));
    return header;
}

// Whether the bytes begin so, as far as they have come.
bool may_begin_with(std::string_view begin, std::string_view text) {
    const auto size = std::min(begin.size(), text.size());
    return begin.substr(0, size) == text.substr(0, size);
}

}  // namespace

Parsed parse_header(Bytes bytes) {
    const auto text = as_text(bytes);
    if (may_begin_with(v1_begin, text)) return text.size() < v1_begin.size() ? Parsed(std::nullopt) : parse_v1(text);
    if (may_begin_with(v2_signature, text)) return parse_v2(bytes);
    return wrong("the connection does not begin with one");
}

}  // namespace chappe::proxy
