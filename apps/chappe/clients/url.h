#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/chappe/clients/text.h"
#include "net/url.h"

namespace chappe::app {

// What --url says at once: mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], mqtts://..., or unix:PATH. In user, password
// and topic, %XX stands for a byte, so that they can have the characters that part a URL.
struct ClientUrl {
    net::Url server;
    std::optional<std::string> user;
    std::optional<std::string> password;
    std::string topic;  // Empty if there is none.

    [[nodiscard]] static Checked<ClientUrl> parse(std::string_view text);
};

// Where to connect to with --host and --port (or the scheme's own). An IPv6 address needs no brackets here.
[[nodiscard]] Checked<net::Url> url_of(net::Scheme scheme, std::string_view host, std::optional<std::uint16_t> port);
[[nodiscard]] Checked<net::Url> unix_url(std::string_view path);

}  // namespace chappe::app
