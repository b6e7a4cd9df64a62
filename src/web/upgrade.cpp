#include "web/upgrade.h"

#include <algorithm>
#include <array>
#include <ranges>

#include <openssl/evp.h>

#include "base/assert.h"
#include "base/text.h"

namespace chappe::web {

namespace {

constexpr std::string_view websocket_version = "13";
// "mqtt" is the standard's; clients from before it offer the other one.
constexpr std::array<std::string_view, 2> subprotocols = {"mqtt", "mqttv3.1"};

std::string base64(Bytes bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a 0.
    const auto size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

// RFC 6455, 4.2.2: it shows the client that we have understood, and no more.
std::string accept_of(std::string_view key) {
    const auto text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    ASSERT(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1);
    return base64(std::span(digest).first(size));
}

// 16 bytes in Base64.
bool is_key(std::string_view text) {
    constexpr std::size_t size = 24;
    if (text.size() != size || !text.ends_with("==")) return false;
    return std::ranges::all_of(text.substr(0, size - 2), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '+' || letter == '/';
    });
}

std::optional<std::string_view> chosen_subprotocol(const RequestHead& request) {
    const auto offered = request.list("Sec-WebSocket-Protocol");
    for (const auto name : subprotocols) {
        if (std::ranges::find(offered, name) != offered.end()) return name;
    }
    return {};
}

// --- Pages. A browser says by Origin which page connects; other programs say nothing, or what they like.

// "host:port" without the port; an address of IPv6 keeps its brackets.
std::string_view without_port(std::string_view host) {
    const auto colon = host.rfind(':');
    const auto bracket = host.rfind(']');
    if (colon == host.npos || (bracket != host.npos && colon < bracket)) return host;
    return host.substr(0, colon);
}

bool ends_in_any_case(std::string_view text, std::string_view end) {
    return text.size() > end.size() && equal_ignoring_case(text.substr(text.size() - end.size()), end);
}

// Names that nobody on the Internet can own. The owner of any other name can have a browser take our address for his
// (DNS rebinding), so that his page and we seem to be the same host.
bool is_local_name(std::string_view host) {
    constexpr std::array<std::string_view, 4> local_ends = {".local", ".localhost", ".home.arpa", ".internal"};
    if (host.starts_with('[') && host.ends_with(']')) return true;
    if (net::IpAddress::parse(host) || host.find('.') == host.npos) return true;
    return std::ranges::any_of(local_ends, [&](auto end) { return ends_in_any_case(host, end); });
}

bool is_our_own(std::string_view origin, std::string_view host, bool over_tls) {
    const auto scheme_end = origin.find("://");
    if (scheme_end == origin.npos || host.empty()) return false;
    if (!equal_ignoring_case(origin.substr(scheme_end + 3), host)) return false;
    // A page without TLS may come from anybody in between, and its port only seems the same: neither is written.
    if (over_tls) return equal_ignoring_case(origin.substr(0, scheme_end), "https");
    return is_local_name(without_port(host));
}

bool may_connect(const RequestHead& request, const Rules& rules, bool over_tls) {
    if (!request.has("Origin")) return true;
    const auto origin = request.only("Origin");
    if (!origin) return false;
    const auto is_it = [&](const std::string& allowed) {
        return allowed == "*" || equal_ignoring_case(allowed, *origin);
    };
    return std::ranges::any_of(rules.origins, is_it) || is_our_own(*origin, *request.only("Host"), over_tls);
}

std::string accepted(std::string_view key, std::string_view subprotocol) {
    std::string text =
        "HTTP/1.1 101 Switching Protocols\r\n"
        "Upgrade: websocket\r\n"
        "Connection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " +
        accept_of(key) + "\r\nSec-WebSocket-Protocol: ";
    text += subprotocol;
    return text + "\r\n\r\n";
}

}  // namespace

Answer refusal(Status status, std::string_view why, bool with_body) {
    std::string text = "HTTP/1.1 " + std::to_string(status.code) + ' ';
    text += status.phrase;
    text += "\r\nConnection: close";
    if (status.code == method_not_allowed.code) text += "\r\nAllow: GET";
    if (status.code == upgrade_required.code) {
        text += ", Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: ";
        text += websocket_version;
    }
    text += "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: " +
            std::to_string(why.size() + 1) + "\r\n\r\n";
    if (with_body) {
        text += why;
        text += '\n';
    }
    return {.status = status, .why = why, .text = std::move(text)};
}

Answer answer(const RequestHead& request, const Rules& rules, bool over_tls) {
    if (request.path != mqtt_path) {
        return refusal(not_found, "There is nothing here; MQTT over WebSocket is at /mqtt.", request.method != "HEAD");
    }
    if (request.method != "GET") {
        return refusal(method_not_allowed, "A WebSocket is asked for with GET.", request.method != "HEAD");
    }
    if (!request.is_http_1_1) return refusal(version_not_supported, "A WebSocket needs HTTP/1.1.");
    if (!request.only("Host")) return refusal(bad_request, "A request needs one Host.");
    const bool has_length = request.has("Content-Length");
    if (request.has("Transfer-Encoding") || (has_length && request.only("Content-Length") != "0")) {
        return refusal(bad_request, "A request for a WebSocket has no content.");
    }
    if (!request.list_has("Upgrade", "websocket") || !request.list_has("Connection", "Upgrade")) {
        return refusal(upgrade_required,
                       "This is MQTT over WebSocket: the request needs Upgrade: websocket and Connection: Upgrade. "
                       "A proxy in between has to pass them on.");
    }
    if (request.only("Sec-WebSocket-Version") != websocket_version) {
        return refusal(upgrade_required, "Sec-WebSocket-Version 13 is spoken here.");
    }
    const auto key = request.only("Sec-WebSocket-Key");
    if (!key || !is_key(*key)) return refusal(bad_request, "A request needs one Sec-WebSocket-Key of 16 bytes.");
    const auto subprotocol = chosen_subprotocol(request);
    if (!subprotocol) {
        return refusal(bad_request, "The WebSocket subprotocol mqtt has to be offered (Sec-WebSocket-Protocol: mqtt).");
    }
    if (!may_connect(request, rules, over_tls)) {
        return refusal(forbidden,
                       "Pages of this Origin may not connect; the setting web.origins lists those that may.");
    }
    return {.text = accepted(*key, *subprotocol)};
}

std::optional<net::IpAddress> forwarded_for(const RequestHead& request, const net::Endpoint& peer, const Rules& rules) {
    if (!net::any_contains(rules.trusted_proxies, peer)) return {};
    // Each proxy has added whom it saw, so the last entry is the nearest. The first that we do not trust is the client:
    // what stands before it, he may have written himself.
    std::optional<net::IpAddress> client;
    const auto entries = request.list("X-Forwarded-For");
    for (const auto entry : entries | std::views::reverse) {
        const auto address = net::IpAddress::parse(entry);
        if (!address) break;
        client = *address;
        if (!net::any_contains(rules.trusted_proxies, *address)) break;
    }
    return client;
}

}  // namespace chappe::web
