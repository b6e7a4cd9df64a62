#include "net/url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>

#include "base/text.h"
#include "net/endpoint.h"

namespace chappe::net {

namespace {

struct SchemeRow {
    Scheme scheme;
    std::string_view name;
    std::uint16_t port;
};

constexpr std::array<SchemeRow, 5> schemes = {{
    {Scheme::Mqtt, "mqtt", 1883},
    {Scheme::Mqtts, "mqtts", 8883},
    {Scheme::Http, "http", 80},
    {Scheme::Https, "https", 443},
    {Scheme::Unix, "unix", 0},
}};

// What other programs call the same thing.
constexpr std::array<std::pair<std::string_view, std::string_view>, 8> other_names = {{
    {"tcp", "mqtt"},
    {"mqtt+tcp", "mqtt"},
    {"ssl", "mqtts"},
    {"tls", "mqtts"},
    {"mqtt+ssl", "mqtts"},
    {"ws", "http"},
    {"wss", "https"},
    {"mqtt+unix", "unix"},
}};

// A URL, taken apart and checked as far as listening and connecting have the same rules.
struct Parts {
    Scheme scheme;
    std::string host;
    std::optional<std::uint16_t> port;
    std::string path;
};

std::unexpected<IoError> wrong(std::string_view text, std::string_view why) {
    auto what = "\"" + std::string(text) + "\": ";
    what += why;
    return std::unexpected(IoError{EINVAL, std::move(what)});
}

std::string lower(std::string_view text) {
    auto result = std::string(text);
    std::ranges::transform(result, result.begin(), chappe::lower);
    return result;
}

Result<Scheme> parse_scheme(std::string_view text, std::string_view name) {
    const auto wanted = lower(name);
    const auto* row = std::ranges::find(schemes, wanted, &SchemeRow::name);
    if (row != schemes.end()) return row->scheme;

    auto why = "unknown scheme \"" + wanted + "\"; known are mqtt, mqtts, http, https and unix";
    const auto* other = std::ranges::find(other_names, wanted, &std::pair<std::string_view, std::string_view>::first);
    if (other != other_names.end()) why += ", and " + wanted + " is called " + std::string(other->second) + " here";
    return wrong(text, why);
}

Result<Parts> parse_unix(std::string_view text, std::string_view path) {
    if (path.starts_with("///")) path.remove_prefix(2);  // unix:///run/x is unix:/run/x.
    if (path.starts_with("//")) {
        return wrong(text, "a Unix socket has no host; write unix:PATH, for example unix:/run/chappe/mqtt.sock");
    }
    if (path.empty())
        return wrong(text, "the path is missing; write unix:PATH, for example unix:/run/chappe/mqtt.sock");
    if (path.size() > 107) return wrong(text, "the path of a Unix socket has at most 107 bytes");
    if (path.find('\0') != std::string_view::npos) return wrong(text, "the path has a zero byte");
    return Parts{.scheme = Scheme::Unix, .host = {}, .port = {}, .path = std::string(path)};
}

bool is_host_name(std::string_view host) {
    return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
        return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '-' || c == '.' ||
               c == '_';
    });
}

// Whether a name could only be a mistyped IPv4 address: no top level domain consists of digits.
bool looks_like_v4(std::string_view host) {
    const auto last = host.substr(host.rfind('.') + 1);
    return !last.empty() && std::ranges::all_of(last, [](char c) { return '0' <= c && c <= '9'; });
}

Result<void> check_host(std::string_view text, std::string_view host) {
    if (host.empty()) {
        return wrong(text, "the host is missing; 0.0.0.0 is every IPv4 address of this machine, [::] every address");
    }
    if (host == "*") return wrong(text, "write 0.0.0.0 for every IPv4 address of this machine, [::] for every address");
    if (IpAddress::parse(host)) return {};
    if (!is_host_name(host)) return wrong(text, "\"" + std::string(host) + "\" is not a host name");
    if (looks_like_v4(host)) {
        return wrong(text, "\"" + std::string(host) + "\" is not an IPv4 address; one looks like 192.168.1.5");
    }
    return {};
}

Result<std::uint16_t> parse_port(std::string_view text, std::string_view port) {
    std::uint16_t number = 0;
    const auto* end = port.data() + port.size();
    const auto [stopped, failure] = std::from_chars(port.data(), end, number);
    if (port.empty() || failure != std::errc{} || stopped != end) {
        return wrong(text, "\"" + std::string(port) + "\" is not a port; ports are numbers up to 65535");
    }
    return number;
}

// "HOST", "HOST:PORT", "[ADDRESS]", "[ADDRESS]:PORT".
Result<void> parse_authority(std::string_view text, std::string_view authority, Parts& parts) {
    if (authority.find('@') != std::string_view::npos) {
        return wrong(text, "a user name and password do not belong into this URL; give them apart");
    }
    auto rest = std::string_view();
    if (authority.starts_with('[')) {
        const auto bracket = authority.find(']');
        if (bracket == std::string_view::npos) return wrong(text, "the closing bracket of the IPv6 address is missing");
        parts.host = authority.substr(1, bracket - 1);
        rest = authority.substr(bracket + 1);
        if (parts.host.find(':') == std::string_view::npos || !IpAddress::parse(parts.host)) {
            return wrong(text, "\"" + parts.host + "\" is not an IPv6 address; one looks like [::1] or [2001:db8::5]");
        }
        if (!rest.empty() && rest.front() != ':') return wrong(text, "after the bracket only :PORT may follow");
    } else {
        const auto colon = authority.find(':');
        if (colon != authority.rfind(':')) {
            return wrong(text, "an IPv6 address stands in brackets, as in mqtt://[::1]:1883");
        }
        parts.host = authority.substr(0, colon);
        if (colon != std::string_view::npos) rest = authority.substr(colon);
        TRY(check_host(text, parts.host));
    }
    if (!rest.empty()) parts.port = TRY(parse_port(text, rest.substr(1)));
    return {};
}

Result<Parts> parse_parts(std::string_view text) {
    const auto colon = text.find(':');
    if (colon != std::string_view::npos && lower(text.substr(0, colon)) == "unix")
        return parse_unix(text, text.substr(colon + 1));

    const auto separator = text.find("://");
    if (separator == std::string_view::npos || separator == 0) {
        return wrong(text, "not a URL; write SCHEME://HOST:PORT, for example mqtt://127.0.0.1:1883, or unix:PATH");
    }
    Parts parts{.scheme = TRY(parse_scheme(text, text.substr(0, separator))), .host = {}, .port = {}, .path = {}};
    const auto rest = text.substr(separator + 3);
    const auto slash = std::min(rest.find_first_of("/?#"), rest.size());
    TRY(parse_authority(text, rest.substr(0, slash), parts));
    parts.path = rest.substr(slash);
    if (parts.path.find_first_of("?#") != std::string_view::npos)
        return wrong(text, "no ?QUERY or #FRAGMENT is possible here");
    if (parts.path == "/") parts.path.clear();
    return parts;
}

Result<void> forbid_path(std::string_view text, const Parts& parts) {
    if (parts.path.empty()) return {};
    return wrong(text, "no path is possible here; end it with the port, without \"" + parts.path + "\"");
}

bool is_http(Scheme scheme) { return scheme == Scheme::Http || scheme == Scheme::Https; }

template <class AnyUrl>
std::string url_text(const AnyUrl& url) {
    if (url.scheme == Scheme::Unix) return "unix:" + url.path;
    const auto host = url.host.find(':') == std::string_view::npos ? url.host : "[" + url.host + "]";
    return std::string(scheme_name(url.scheme)) + "://" + host + ":" + std::to_string(url.port) + url.path;
}

template <class AnyUrl>
AnyUrl assemble(Parts parts) {
    return {.scheme = parts.scheme,
            .host = std::move(parts.host),
            .port = parts.port.value_or(default_port(parts.scheme)),
            .path = std::move(parts.path)};
}

}  // namespace

std::string_view scheme_name(Scheme scheme) noexcept { return schemes[static_cast<std::size_t>(scheme)].name; }

std::uint16_t default_port(Scheme scheme) noexcept { return schemes[static_cast<std::size_t>(scheme)].port; }

Result<ListenUrl> ListenUrl::parse(std::string_view text) {
    auto parts = TRY(parse_parts(text));
    if (parts.scheme != Scheme::Unix) TRY(forbid_path(text, parts));
    return assemble<ListenUrl>(std::move(parts));
}

Result<Url> Url::parse(std::string_view text) {
    auto parts = TRY(parse_parts(text));
    if (parts.scheme != Scheme::Unix && !is_http(parts.scheme)) TRY(forbid_path(text, parts));
    if (parts.port == 0) return wrong(text, "port 0 cannot be connected to; without a port it is the scheme's own");
    return assemble<Url>(std::move(parts));
}

std::string ListenUrl::text() const { return url_text(*this); }

std::string Url::text() const { return url_text(*this); }

bool is_loopback(const ListenUrl& url) {
    if (url.scheme == Scheme::Unix) return true;
    if (const auto address = IpAddress::parse(url.host)) return address->is_loopback();
    const auto host = lower(url.host);
    return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace chappe::net
