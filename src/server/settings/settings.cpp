#include "server/settings/settings.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>
#include <utility>

namespace chappe::server {

namespace {

std::string environment_variable(const char* name) {
    const auto* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// The place of the XDG Base Directory Specification, which wants relative paths ignored.
std::string default_data_directory(const Environment& environment) {
    if (environment.is_root) return "/var/lib/chappe";
    if (environment.xdg_data_home.starts_with('/')) return environment.xdg_data_home + "/chappe";
    if (environment.home.starts_with('/')) return environment.home + "/.local/share/chappe";
    return "/var/lib/chappe";
}

Listener default_listener(std::string host) {
    Listener listener;
    listener.url = {.scheme = net::Scheme::Mqtt, .host = std::move(host), .port = 1883, .path = {}};
    listener.may_be_absent = true;
    return listener;
}

// Then its clients may come from elsewhere, though it only listens on this machine.
bool is_for_proxies(const Settings& settings, const Listener& listener) {
    return listener.proxy_protocol || (speaks_http(listener.url.scheme) && !settings.trusted_proxies.empty());
}

}  // namespace

bool anonymous_allowed(const Settings& settings, const Listener& listener) {
    const bool only_local = net::is_loopback(listener.url) && !is_for_proxies(settings, listener);
    return listener.allow_anonymous.value_or(settings.allow_anonymous || only_local);
}

Environment Environment::of_this_process() {
    return {.is_root = geteuid() == 0,
            .home = environment_variable("HOME"),
            .xdg_data_home = environment_variable("XDG_DATA_HOME")};
}

Settings default_settings(const Environment& environment) {
    Settings settings;
    settings.listeners = {default_listener("127.0.0.1"), default_listener("::1")};
    settings.data_directory = default_data_directory(environment);
    return settings;
}

tls::ServerOptions tls_options(const Settings& settings, const Listener& listener) {
    const bool own = !listener.tls_certificates.empty();
    const auto& certificates = own ? listener.tls_certificates : settings.tls.certificates;
    const auto& keys = own ? listener.tls_keys : settings.tls.keys;
    const auto& ca = listener.tls_client_ca.empty() ? settings.tls.client_ca : listener.tls_client_ca;
    const bool common = listener.tls_client_ca.empty() && listener.tls_client_crl.empty();
    const auto& crl = common ? settings.tls.client_crl : listener.tls_client_crl;
    const auto wanted = listener.tls_client_certificates.value_or(settings.tls.client_certificates);
    const bool nobody_is_trusted = ca.empty() && wanted == tls::ClientCertificates::Optional;
    tls::ServerOptions options{
        .certificates = {},
        .client_certificates = nobody_is_trusted ? tls::ClientCertificates::Ignored : wanted,
        .client_ca = ca,
        .client_crl = crl,
        .psk_file = listener.tls_psk_file.empty() ? settings.tls.psk_file : listener.tls_psk_file,
        .version_least = settings.tls.version_least,
        .application_protocols = {"mqtt"}};
    if (speaks_http(listener.url.scheme)) options.application_protocols.emplace_back("http/1.1");
    for (std::size_t index = 0; index < std::min(certificates.size(), keys.size()); ++index) {
        options.certificates.push_back({certificates[index], keys[index]});
    }
    return options;
}

std::vector<net::Network> trusted_proxies(const Settings& settings) {
    std::vector<net::Network> networks;
    for (const auto& text : settings.trusted_proxies) {
        if (const auto network = net::Network::parse(text)) networks.push_back(*network);
    }
    return networks;
}

std::shared_ptr<const web::Rules> web_rules(const Settings& settings) {
    auto rules = std::make_shared<web::Rules>();
    rules->origins = settings.web.origins;
    rules->trusted_proxies = trusted_proxies(settings);
    return rules;
}

std::string control_socket(const Settings& settings) {
    if (settings.control_socket == "off") return {};
    if (!settings.control_socket.empty()) return settings.control_socket;
    return settings.data_directory + "/control.sock";
}

std::uint32_t shard_count(const Settings& settings) {
    return settings.shards != 0 ? settings.shards : std::clamp(std::thread::hardware_concurrency(), 1U, shards_max);
}

Settings effective(Settings settings) {
    if (const auto path = control_socket(settings); !path.empty()) settings.control_socket = path;
    settings.shards = shard_count(settings);
    return settings;
}

}  // namespace chappe::server
