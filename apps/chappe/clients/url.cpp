#include "apps/chappe/clients/url.h"

#include "base/result.h"

namespace chappe::app {
namespace {

Checked<net::Url> parse_server(std::string_view text) {
    auto url = net::Url::parse(text);
    if (!url) return std::unexpected(url.error().what);
    if (url->scheme == net::Scheme::Http || url->scheme == net::Scheme::Https) {
        return std::unexpected("\"" + std::string(text) +
                               "\": this command connects to mqtt://HOST:PORT, mqtts://HOST:PORT and unix:PATH");
    }
    return *url;
}

}  // namespace

Checked<ClientUrl> ClientUrl::parse(std::string_view text) {
    ClientUrl url;
    const auto authority_at = text.find("://");
    if (authority_at == text.npos || text.starts_with("unix:")) {
        url.server = TRY(parse_server(text));
        return url;
    }
    const auto scheme = text.substr(0, authority_at + 3);
    auto authority = text.substr(authority_at + 3);
    if (const auto slash = authority.find('/'); slash != authority.npos) {
        url.topic = TRY(percent_decode(authority.substr(slash + 1)));
        authority = authority.substr(0, slash);
    }
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        const auto user = authority.substr(0, at);
        const auto colon = user.find(':');
        url.user = TRY(percent_decode(user.substr(0, colon)));
        if (colon != user.npos) url.password = TRY(percent_decode(user.substr(colon + 1)));
        authority = authority.substr(at + 1);
    }
    url.server = TRY(parse_server(std::string(scheme) + std::string(authority)));
    return url;
}

Checked<net::Url> url_of(net::Scheme scheme, std::string_view host, std::optional<std::uint16_t> port) {
    const bool bare_ipv6 = host.find(':') != host.npos && !host.starts_with('[');
    const auto text = bare_ipv6 ? "[" + std::string(host) + "]" : std::string(host);
    return parse_server(std::string(net::scheme_name(scheme)) + "://" + text + ":" +
                        std::to_string(port.value_or(net::default_port(scheme))));
}

Checked<net::Url> unix_url(std::string_view path) { return parse_server("unix:" + std::string(path)); }

}  // namespace chappe::app
