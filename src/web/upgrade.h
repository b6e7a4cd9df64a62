#pragma once

// What is answered to an HTTP request: a WebSocket for MQTT, or a refusal. No I/O.

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.h"
#include "net/network.h"
#include "web/request.h"

namespace chappe::web {

inline constexpr std::string_view mqtt_path = "/mqtt";

// What holds for the connections of a listener. Not changed once it is shared; thread-safe.
struct Rules {
    std::vector<std::string> origins;  // Of pages that may connect besides our own: "https://app.example", or "*".
    std::vector<net::Network> trusted_proxies;  // Whose X-Forwarded-For is believed.

    // Heads that have not come whole, of all connections together: what strangers can take of memory.
    std::size_t heads_bytes_max = std::size_t{64} * 1024 * 1024;
    mutable std::atomic<std::size_t> heads_bytes = 0;
};

struct Status {
    unsigned code;
    std::string_view phrase;
};

inline constexpr Status bad_request{400, "Bad Request"};
inline constexpr Status forbidden{403, "Forbidden"};
inline constexpr Status not_found{404, "Not Found"};
inline constexpr Status method_not_allowed{405, "Method Not Allowed"};
inline constexpr Status upgrade_required{426, "Upgrade Required"};
inline constexpr Status head_too_large{431, "Request Header Fields Too Large"};
inline constexpr Status unavailable{503, "Service Unavailable"};
inline constexpr Status version_not_supported{505, "HTTP Version Not Supported"};

struct Answer {
    Status status{101, "Switching Protocols"};
    std::string_view why;  // Of a refusal, for people.
    std::string text;      // All that is sent.

    [[nodiscard]] bool is_websocket() const noexcept { return status.code == 101; }
};

[[nodiscard]] Answer refusal(Status status, std::string_view why, bool with_body = true);

// `over_tls`: the page that the request comes from was told who we are.
[[nodiscard]] Answer answer(const RequestHead& request, const Rules& rules, bool over_tls);

// The client behind the proxies that we trust, where `peer` is one; nothing where it is not, or does not say.
[[nodiscard]] std::optional<net::IpAddress> forwarded_for(const RequestHead& request, const net::Endpoint& peer,
                                                          const Rules& rules);

}  // namespace chappe::web
