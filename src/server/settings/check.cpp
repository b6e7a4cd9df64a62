#include "server/settings/check.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "crypto/secret_source.h"
#include "crypto/signature.h"
#include "mqtt/topic.h"
#include "server/settings/ldap.h"
#include "server/settings/value.h"

namespace chappe::server {

namespace {

// The first setting makes no sense above the second.
struct AtMost {
    std::string_view first;
    std::string_view second;
    Severity severity;
    std::string_view reason;
};

constexpr AtMost relations[] = {
    {"limits.connect_packet_size_max", "limits.packet_size_max", Severity::Error,
     "strangers could send larger packets than clients"},
    {"limits.packet_size_max", "limits.queue_bytes_max", Severity::Warning,
     "the largest messages could never be queued"},
    {"limits.packet_size_max", "limits.retained_bytes_max", Severity::Warning,
     "the largest messages could never be retained"},
    {"limits.packet_size_max", "limits.mailbox_bytes_max", Severity::Warning,
     "one of the largest messages would fill a mailbox by itself"},
    {"limits.queue_bytes_max", "limits.queued_bytes_total_max", Severity::Warning,
     "the first bound could never be reached"},
    {"limits.subscriptions_per_session_max", "limits.subscriptions_max", Severity::Warning,
     "the first bound could never be reached"},
    {"limits.connections_max", "limits.sessions_max", Severity::Warning,
     "every connection has a session, so the first bound could never be reached"},
};

constexpr AtMost hook_is_in_time = {"hook.timeout_seconds", "limits.connect_timeout_seconds", Severity::Warning,
                                    "clients would be refused before the server has answered"};

constexpr AtMost ldap_is_in_time = {"ldap.timeout_seconds", "limits.connect_timeout_seconds", Severity::Warning,
                                    "clients would be refused before the server has answered"};

class Checker {
public:
    Checker(const Settings& settings, const Origins& origins, const std::vector<const Key*>& refused)
        : settings_(settings), origins_(origins), refused_(refused) {}

    [[nodiscard]] std::vector<Finding> run() {
        for (const auto& relation : relations) check_relation(relation);
        check_response_topic_prefix();
        check_that_somebody_can_connect();
        check_tls_settings();
        check_web_settings();
        check_trusted_proxies();
        check_access_settings();
        for (std::size_t i = 0; i < settings_.listeners.size(); ++i) check_listener(i);
        return std::move(findings_);
    }

private:
    void report(Severity severity, const Origin& origin, std::string message) {
        findings_.push_back({severity, origin, std::move(message)});
    }

    [[nodiscard]] bool is_refused(const Key& key) const { return std::ranges::find(refused_, &key) != refused_.end(); }

    [[nodiscard]] std::uint64_t number(const Key& key) const { return std::get<std::uint64_t>(key.get(settings_)); }

    // A value that nobody set is named as the default that it is.
    [[nodiscard]] std::string describe(const Key& key) const {
        const bool is_default = origins_.of(key).kind == Origin::Kind::Default;
        return fmt::format("{} ({}{})", key.full_name(), print_value(key, key.get(settings_)),
                           is_default ? " by default" : "");
    }

    void check_relation(const AtMost& relation) {
        const auto* first = find_key(relation.first);
        const auto* second = find_key(relation.second);
        ASSERT(first != nullptr && second != nullptr);
        if (is_refused(*first) || is_refused(*second) || number(*first) <= number(*second)) return;
        const bool first_was_set = origins_.of(*first).kind != Origin::Kind::Default;
        report(relation.severity, origins_.of(first_was_set ? *first : *second),
               fmt::format("{} is above {}: {}; lower the first or raise the second", describe(*first),
                           describe(*second), relation.reason));
    }

    void check_response_topic_prefix() {
        const auto& prefix = settings_.response_topic_prefix;
        if (prefix.empty() || mqtt::is_valid_topic_name(prefix)) return;
        const auto& key = *find_key("server.response_topic_prefix");
        report(Severity::Error, origins_.of(key),
               fmt::format("{} cannot be {}: topics are published to without the wildcards + and #", key.full_name(),
                           quote(prefix)));
    }

    void check_that_somebody_can_connect() {
        const auto& listen = *find_key("server.listen");
        const bool were_refused = is_refused(listen) || is_refused(*find_key("listener.url"));
        if (!settings_.listeners.empty() || were_refused) return;
        report(Severity::Error, origins_.of(listen),
               "there is no listener, so nobody could connect: write listen = [\"mqtt://127.0.0.1:1883\"]");
    }

    void check_listener(std::size_t index) {
        const auto& listener = settings_.listeners[index];
        const auto& origin = origins_.listeners[index];
        check_who_may_connect(listener, origin);
        check_own_settings(listener, origin);
        check_tls(listener, origin);
        check_proxy_protocol(listener, origin);
        for (std::size_t other = 0; other < index; ++other) check_pair(other, index);
    }

    void check_who_may_connect(const Listener& listener, const Origin& origin) {
        const auto url = listener.url.text();
        const auto from = reach(listener.url);
        const bool anybody = anonymous_allowed(settings_, listener);
        if (!anybody && settings_.access.methods.empty()) {
            report(Severity::Error, origin,
                   fmt::format("nobody could connect to {}: access.methods is empty, so nobody is known, and anonymous "
                               "clients are not allowed; write allow_anonymous = true, or methods = [\"accounts\"]",
                               url));
        } else if (!anybody && from == Reach::Anywhere && !speaks_tls(listener.url.scheme)) {
            report(Severity::Warning, origin,
                   fmt::format("passwords reach {} unencrypted, and so does all else; where others could listen, use "
                               "mqtts:// (chappe cert makes what it needs)",
                               url));
        } else if (anybody && from == Reach::Anywhere) {
            report(
                Severity::Warning, origin,
                fmt::format("whoever reaches {} may publish and subscribe as they like (allow_anonymous); be sure that "
                            "the Internet does not reach it",
                            url));
        }
    }

    void check_own_settings(const Listener& listener, const Origin& origin) {
        const auto url = listener.url.text();
        if (listener.url.scheme != net::Scheme::Unix && listener.mode != Listener().mode) {
            report(Severity::Error, origin, fmt::format("mode is for Unix sockets, and {} is none; remove it", url));
        }
        const auto& connections_max = *find_key("limits.connections_max");
        if (!is_refused(connections_max) && listener.connections_max > settings_.limits.connections_max) {
            report(Severity::Warning, origin,
                   fmt::format("connections_max of {} is above {}, so it could never be reached", url,
                               describe(connections_max)));
        }
    }

    void check_tls_settings() {
        const auto& tls = settings_.tls;
        const auto& certificates = *find_key("tls.certificates");
        const auto& keys = *find_key("tls.keys");
        const auto speaks = [](const Listener& listener) { return speaks_tls(listener.url.scheme); };
        if (std::ranges::none_of(settings_.listeners, speaks) || is_refused(certificates) || is_refused(keys)) return;
        if (tls.certificates.size() != tls.keys.size()) {
            const auto& key = tls.certificates.size() > tls.keys.size() ? certificates : keys;
            report(Severity::Error, origins_.of(key),
                   fmt::format("tls.certificates has {} files and tls.keys {}: each certificate needs its key",
                               tls.certificates.size(), tls.keys.size()));
        }
    }

    void check_access_settings() {
        static constexpr std::array<std::string_view, 6> known = {"certificate", "psk",  "accounts",
                                                                  "jwt",         "http", "ldap"};
        const auto& methods = *find_key("access.methods");
        for (const auto& name : settings_.access.methods) {
            if (std::ranges::find(known, name) != known.end()) continue;
            report(Severity::Error, origins_.of(methods),
                   fmt::format("{} has {}, and there are only: {}", methods.full_name(), quote(name),
                               fmt::join(known, ", ")));
        }
        check_jwt_settings();
        check_hook_settings();
        check_ldap_settings();
    }

    [[nodiscard]] bool is_asked(std::string_view method) const {
        return std::ranges::find(settings_.access.methods, method) != settings_.access.methods.end();
    }

    void check_jwt_settings() {
        const auto& jwt = settings_.access.jwt;
        for (const auto& name : jwt.algorithms) {
            if (!crypto::signature_algorithm_named(name)) report_jwt("algorithms", quote(name) + " is none of them");
        }
        if (!is_asked("jwt")) return;
        if (jwt.algorithms.empty()) report_jwt("algorithms", "it must be said how tokens are signed: [\"RS256\"]");
        if (jwt.key.empty()) report_jwt("key", "it must be said where the key is: \"file:/etc/chappe/jwt.pem\"");
        if (jwt.key_is_url()) check_key_url(jwt);
        if (!jwt.roles_claim.empty() && jwt.roles_allowed.empty()) {
            report_jwt("roles_allowed", "jwt.roles_claim gives no roles as long as none is allowed here");
        }
    }

    // Keys and passwords of other programs and of clients.
    void check_secret_files() {
        const auto& access = settings_.access;
        const auto is_secret = [](const auto& name) { return name.starts_with("HS"); };
        if (std::ranges::any_of(access.jwt.algorithms, is_secret)) check_secret(*find_key("jwt.key"), access.jwt.key);
        check_secret(*find_key("hook.secret"), access.hook.secret);
        check_secret(*find_key("ldap.bind_password"), access.ldap.bind_password);
        check_secret(*find_key("tls.psk_file"), "file:" + settings_.tls.psk_file);
    }

    void check_secret(const Key& key, std::string_view source) {
        const auto path = crypto::file_of_secret(source);
        if (path.empty() || !crypto::is_readable_by_others(path)) return;
        report(Severity::Warning, origins_.of(key),
               fmt::format("{}: {} can be read by other users of this machine; chmod 600 keeps them out",
                           key.full_name(), path));
    }

    void check_key_url(const JwtSettings& jwt) {
        const auto& key = *find_key("jwt.key");
        const auto url = web_address(key, jwt.key);
        if (url && is_plain_and_remote(*url)) {
            report_jwt("key", "whoever is on the way to " + jwt.key + " could give keys of their own; use https://");
        }
        if (std::ranges::any_of(jwt.algorithms, [](const auto& name) { return name.starts_with("HS"); })) {
            report_jwt("key", "a key at a URL is no secret, as the algorithms HS256, HS384 and HS512 need one");
        }
    }

    // Nothing, and reported, where it is none.
    std::optional<net::Url> web_address(const Key& key, const std::string& text) {
        const auto url = net::Url::parse(text);
        if (!url) {
            report_of_method(Severity::Error, key, url.error().what);
            return std::nullopt;
        }
        if (url->scheme == net::Scheme::Http || url->scheme == net::Scheme::Https) return *url;
        report_of_method(Severity::Error, key, quote(text) + " is neither https:// nor http://");
        return std::nullopt;
    }

    [[nodiscard]] static bool is_plain_and_remote(const net::Url& url) {
        const net::ListenUrl host{.scheme = url.scheme, .host = url.host, .port = url.port, .path = {}};
        return url.scheme == net::Scheme::Http && !net::is_loopback(host);
    }

    void report_jwt(std::string_view name, std::string_view what) {
        report_of_method(Severity::Error, *find_key("jwt", name), what);
    }

    void check_hook_settings() {
        const auto& key = *find_key("hook.url");
        const auto& text = settings_.access.hook.url;
        if (text.empty()) {
            if (is_asked("http")) {
                report_of_method(Severity::Error, key,
                                 "it must be said which server is asked: \"https://users.example.com/mqtt-login\"");
            }
            return;
        }
        const auto url = web_address(key, text);
        if (!url || !is_asked("http")) return;
        check_relation(hook_is_in_time);
        if (is_plain_and_remote(*url)) {
            report_of_method(Severity::Warning, key,
                             "passwords are sent to " + text + " unencrypted; where others could listen, use https://");
        }
    }

    void check_ldap_settings() {
        if (!is_asked("ldap")) return;
        check_relation(ldap_is_in_time);
        for (const auto& mistake : mistakes_in(settings_.access.ldap)) {
            report_of_method(mistake.severity, *find_key("ldap", mistake.name), mistake.what);
        }
    }

    // Where nothing is said of it, the place that makes it needed is named.
    void report_of_method(Severity severity, const Key& key, std::string_view what) {
        const bool is_set = origins_.of(key).kind != Origin::Kind::Default;
        report(severity, origins_.of(is_set ? key : *find_key("access.methods")),
               fmt::format("{}: {}", key.full_name(), what));
    }

    void check_trusted_proxies() {
        const auto& proxies = *find_key("server.trusted_proxies");
        for (const auto& text : settings_.trusted_proxies) {
            if (net::Network::parse(text)) continue;
            report(Severity::Error, origins_.of(proxies),
                   fmt::format("{} has {}, which is neither an address nor a network such as 10.0.0.0/8",
                               proxies.full_name(), quote(text)));
        }
    }

    void check_proxy_protocol(const Listener& listener, const Origin& origin) {
        if (!listener.proxy_protocol) return;
        const auto url = listener.url.text();
        if (listener.url.scheme == net::Scheme::Unix) {
            report(Severity::Error, origin,
                   fmt::format("{} cannot have proxy_protocol, since the proxies that may use it are known by their "
                               "addresses; remove it, or listen at mqtt://127.0.0.1",
                               url));
        } else if (settings_.trusted_proxies.empty() && !is_refused(*find_key("server.trusted_proxies"))) {
            report(Severity::Error, origin,
                   fmt::format("nobody could connect to {}: it has proxy_protocol, and server.trusted_proxies is "
                               "empty; write there the addresses of the proxies",
                               url));
        }
    }

    void check_web_settings() {
        const auto& origins = *find_key("web.origins");
        for (const auto& text : settings_.web.origins) {
            if (text == "*" || text == "null" || is_origin(text)) continue;
            report(
                Severity::Error, origins_.of(origins),
                fmt::format("{} has {}, which no browser sends: write SCHEME://HOST or SCHEME://HOST:PORT, without a "
                            "path, or \"*\" for all pages",
                            origins.full_name(), quote(text)));
        }
    }

    [[nodiscard]] static bool is_origin(std::string_view text) {
        const auto host = text.find("://");
        return host != text.npos && host != 0 && host + 3 < text.size() && text.find('/', host + 3) == text.npos;
    }

    void check_tls(const Listener& listener, const Origin& origin) {
        const auto url = listener.url.text();
        const bool has_own = !listener.tls_certificates.empty() || !listener.tls_keys.empty() ||
                             !listener.tls_client_ca.empty() || !listener.tls_client_crl.empty() ||
                             !listener.tls_psk_file.empty() || listener.tls_client_certificates.has_value();
        if (!speaks_tls(listener.url.scheme)) {
            if (has_own)
                report(Severity::Error, origin,
                       fmt::format("{} has settings of TLS, which it does not speak; write {}:// or remove them", url,
                                   listener.url.scheme == net::Scheme::Http ? "https" : "mqtts"));
            return;
        }
        if (listener.tls_certificates.size() != listener.tls_keys.size()) {
            return report(
                Severity::Error, origin,
                fmt::format("tls_certificates of {} has {} files and tls_keys {}: each certificate needs its key", url,
                            listener.tls_certificates.size(), listener.tls_keys.size()));
        }
        const auto options = tls_options(settings_, listener);
        if (options.certificates.empty() && options.psk_file.empty()) {
            return report(Severity::Error, origin,
                          fmt::format("{} needs a certificate: write certificates and keys below [tls], or "
                                      "--tls-certificate FILE --tls-key FILE",
                                      url));
        }
        if (options.client_certificates == tls::ClientCertificates::Required && options.client_ca.empty()) {
            return report(Severity::Error, origin,
                          fmt::format("{} requires certificates of its clients, and there is no client_ca to say which "
                                      "are good",
                                      url));
        }
        if (!options.client_crl.empty() && options.client_certificates == tls::ClientCertificates::Ignored) {
            return report(
                Severity::Error, origin,
                fmt::format("{} has a list of revoked certificates (client_crl), but clients are not asked for "
                            "one: it needs a client_ca, and client_certificates not \"ignored\"",
                            url));
        }
        if (const auto context = tls::ServerContext::load(options); !context) {
            report(Severity::Error, origin, fmt::format("{}: {}", url, context.error()));
        }
    }

    void check_pair(std::size_t first, std::size_t second) {
        const auto& a = settings_.listeners[first].url;
        const auto& b = settings_.listeners[second].url;
        if (!collide(a, b)) return;
        const auto& origin = origins_.listeners[second];
        report(Severity::Error, origin,
               a == b ? fmt::format("{} is there twice, the first time from {}; remove one", b.text(),
                                    to_string(origins_.listeners[first]))
                      : fmt::format("{} takes the port of {} as well; remove one, or change its port", a.text(),
                                    b.text()));
    }

    const Settings& settings_;
    const Origins& origins_;
    const std::vector<const Key*>& refused_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check(const Settings& settings, const Origins& origins, const std::vector<const Key*>& refused) {
    return Checker(settings, origins, refused).run();
}

}  // namespace chappe::server
