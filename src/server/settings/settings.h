#pragma once

// The settings of `chappe serve`, as plain values that have been checked. key.h knows each one's name, range and text;
// load.h reads them from a file and a command line.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "access/certificate_method.h"
#include "broker/limits.h"
#include "net/network.h"
#include "server/settings/listener.h"
#include "tls/context.h"
#include "web/upgrade.h"

namespace chappe::server {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };
enum class LogFormat : std::uint8_t { Text, Json };

struct Log {
    LogLevel level = LogLevel::Info;
    LogFormat format = LogFormat::Text;
    std::string file;  // Empty: standard error.
};

// Of all listeners that have none of their own.
struct TlsSettings {
    std::vector<std::string> certificates;  // Each with the key at the same place of `keys`.
    std::vector<std::string> keys;
    std::string client_ca;
    std::string client_crl;
    std::string psk_file;
    tls::ClientCertificates client_certificates = tls::ClientCertificates::Optional;
    tls::Version version_least = tls::Version::Tls12;
};

// Of listeners at http and https.
struct WebSettings {
    std::vector<std::string> origins;
};

// For the method "jwt"; see access::TokenRules.
struct JwtSettings {
    std::vector<std::string> algorithms;
    std::string key;          // Where it is, see crypto::read_secret(); or a URL, of a set of keys.
    std::string key_ca_file;  // Whom to trust there; empty: the CAs of the system.
    std::uint32_t key_refresh_seconds = 3600;
    std::string issuer;
    std::string audience;
    std::uint32_t leeway_seconds = 60;
    bool expiry_required = true;
    std::string user_name_claim = "sub";
    std::string client_id_claim;
    std::string roles_claim;
    std::vector<std::string> roles_allowed;
    std::vector<std::string> roles = {"device"};

    [[nodiscard]] bool key_is_url() const noexcept { return key.starts_with("https://") || key.starts_with("http://"); }
    friend bool operator==(const JwtSettings&, const JwtSettings&) = default;
};

// How an HTTP server is asked who a client is.
struct HookSettings {
    std::string url;
    std::string secret;   // Where it is, see crypto::read_secret(); empty: none is sent.
    std::string ca_file;  // Empty: the CAs of the system.
    std::uint32_t timeout_seconds = 5;
    std::uint32_t cache_seconds = 60;
    std::vector<std::string> roles = {"device"};
    std::vector<std::string> roles_allowed;

    friend bool operator==(const HookSettings&, const HookSettings&) = default;
};

// For the method "ldap"; see access::LdapRules.
struct LdapSettings {
    std::string url;  // Or several, with spaces between.
    bool start_tls = false;
    std::string ca_file;
    std::uint32_t timeout_seconds = 5;
    std::string user_dn;
    std::string base;
    std::string filter = "(uid=${username})";
    std::string user_name_attribute;  // Empty: the one that the name is compared with.
    std::string bind_dn;
    std::string bind_password;  // Where it is, see crypto::read_secret().
    std::vector<std::string> roles = {"device"};
    std::string group_base;
    std::string group_filter = "(member=${dn})";
    std::string group_attribute = "cn";
    std::vector<std::string> group_roles;  // See group_and_role().
    std::uint32_t cache_seconds = 60;

    friend bool operator==(const LdapSettings&, const LdapSettings&) = default;
};

enum class LoginsLogged : std::uint8_t { Off, Refused, All };

// Who clients are and what they may do.
struct AccessSettings {
    std::vector<std::string> methods = {"certificate", "psk", "accounts"};  // In the order in which they are asked.
    std::string policy;                                                     // A file of roles and users; empty: none.
    access::CertificateName certificate_name = access::CertificateName::CommonName;
    std::vector<std::string> certificate_roles = {"editor"};
    std::vector<std::string> psk_roles = {"editor"};
    std::uint32_t password_remembered_seconds = 3600;
    bool decision_log = false;
    LoginsLogged login_log = LoginsLogged::All;
    std::uint64_t login_log_size_max = std::uint64_t{16} * 1024 * 1024;
    JwtSettings jwt;
    HookSettings hook;
    LdapSettings ldap;
    std::uint32_t wrong_passwords_max = 5;
    std::uint32_t wrong_passwords_wait_max_seconds = 300;

    friend bool operator==(const AccessSettings&, const AccessSettings&) = default;
};

inline constexpr std::uint32_t shards_max = 256;

// The defaults are these initial values, except for the two that default_settings() computes: listeners and
// data_directory.
struct Settings {
    std::vector<Listener> listeners;
    std::string data_directory;  // Made when something is first kept there, not before.
    std::string control_socket;  // Empty: in the data directory; "off": none.
    std::string user;            // Of the operating system, to run as; empty: as who has started it.
    bool allow_anonymous = false;
    std::uint32_t shards = 0;                 // 0: one per core.
    std::uint32_t sys_interval_seconds = 10;  // 0: the topics below $SYS are not published.
    std::uint32_t shutdown_timeout_seconds = 10;
    std::uint32_t drops_kept = 1000;
    std::uint32_t refusals_kept = 1000;
    std::string response_topic_prefix = "response";  // Empty: clients are given no Response Information.
    std::vector<std::string> trusted_proxies;        // Each is a net::Network.

    Log log;
    TlsSettings tls;
    AccessSettings access;
    WebSettings web;
    broker::Limits limits;
    broker::Policy policy;
};

// Whether a client that does not say who it is may connect through `listener`: by default only from this machine.
[[nodiscard]] bool anonymous_allowed(const Settings& settings, const Listener& listener);

[[nodiscard]] constexpr bool speaks_tls(net::Scheme scheme) noexcept {
    return scheme == net::Scheme::Mqtts || scheme == net::Scheme::Https;
}

// HTTP and WebSocket, besides MQTT itself.
[[nodiscard]] constexpr bool speaks_http(net::Scheme scheme) noexcept {
    return scheme == net::Scheme::Http || scheme == net::Scheme::Https;
}

// What TLS needs at this listener.
[[nodiscard]] tls::ServerOptions tls_options(const Settings& settings, const Listener& listener);

// Who is believed when it says for whom it connects.
[[nodiscard]] std::vector<net::Network> trusted_proxies(const Settings& settings);

// What holds for requests of HTTP.
[[nodiscard]] std::shared_ptr<const web::Rules> web_rules(const Settings& settings);

// Where the operator asks the broker; empty: nowhere.
[[nodiscard]] std::string control_socket(const Settings& settings);

// How many threads that makes: the value of `shards`, or what 0 stands for on this machine.
[[nodiscard]] std::uint32_t shard_count(const Settings& settings);

// The same settings, with what is left to the broker put in its place, for people who want to see it.
[[nodiscard]] Settings effective(Settings settings);

// What the default of data_directory depends on.
struct Environment {
    bool is_root = false;
    std::string home;
    std::string xdg_data_home;

    [[nodiscard]] static Environment of_this_process();
};

[[nodiscard]] Settings default_settings(const Environment& environment);

}  // namespace chappe::server
