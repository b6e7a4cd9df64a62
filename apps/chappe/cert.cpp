// chappe cert: a CA of one's own, and certificates for a server and its clients on a local network.

#include <ifaddrs.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chappe/command.h"
#include "base/result.h"
#include "mqtt/topic.h"
#include "net/endpoint.h"
#include "net/url.h"
#include "tls/authority.h"

namespace chappe::app {

namespace {

constexpr auto cert_footer = R"(Examples:
  chappe cert                                  # a CA, and a certificate for this machine
  chappe cert --name broker.lan --renew        # the server's once more, for this name
  chappe cert --client pump-7 --client pump-8  # certificates for clients
  chappe cert --revoke pump-7                  # into clients.crl, for tls.client_crl

Whoever trusts ca.pem trusts what is made here. Keep ca.key where nobody else can read it; the broker does not need it.
Exit codes: 0 success, 1 a file cannot be read or written, 2 the command line is wrong.)";

struct CertOptions {
    std::string folder = "certificates";
    std::vector<std::string> names;
    std::vector<std::string> clients;
    std::vector<std::string> revoked;
    unsigned days = 820;  // More than 825 are refused by some clients, and reported by who tests TLS.
    bool renew = false;
};

constexpr unsigned days_of_authority = 3650;
constexpr auto server_name = "server";

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
    return name.data();
}

// What this machine is called on its own network, and its addresses: what people type to reach it.
std::vector<std::string> names_of_this_machine() {
    std::vector<std::string> names{host_name()};
    const auto add = [&](const std::string& name) {
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    };
    if (names.front().find('.') == std::string::npos) add(names.front() + ".local");
    add("localhost");
    add("127.0.0.1");
    add("::1");
    ifaddrs* interfaces = nullptr;
    if (getifaddrs(&interfaces) != 0) return names;
    for (const auto* one = interfaces; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr) continue;
        const auto family = one->ifa_addr->sa_family;
        if (family != AF_INET && family != AF_INET6) continue;
        const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        std::array<char, NI_MAXHOST> text{};
        const auto failed = getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0;
        const auto address = failed ? std::nullopt : net::IpAddress::parse(text.data());
        if (address && address->scope == 0) add(text.data());  // Not link-local: its scope means nothing elsewhere.
    }
    freeifaddrs(interfaces);
    return names;
}

// It becomes the name of a file, and of a person or a thing.
bool is_good_name(const std::string& name) {
    const auto is_good = [](unsigned char letter) { return letter > 0x20 && letter != 0x7f && letter != '/'; };
    return !name.empty() && name.size() <= tls::common_name_max && name.front() != '.' && name != "ca" &&
           name != server_name && !name.ends_with(".old") && mqtt::is_valid_utf8(name) &&
           std::ranges::all_of(name, is_good);
}

// A name or address that clients can ask for, also with "*." for any name of a domain.
bool is_good_host(std::string_view host) {
    if (host.starts_with("*.")) host.remove_prefix(2);
    if (const auto address = net::IpAddress::parse(host)) return address->scope == 0;
    return host.find_first_of(":/") == host.npos && net::Url::parse("mqtt://" + std::string(host)).has_value();
}

void print_first_steps(const tls::Authority& authority, const std::string& host) {
    const auto server = authority.files_of(server_name);
    const auto ca = authority.ca();
    std::printf(
        "\nMake an account, whose password is printed this once:\n"
        "  chappe user add NAME --generate\n"
        "\nStart the broker:\n"
        "  chappe serve --listen mqtts://0.0.0.0:8883 --tls-certificate %s --tls-key %s\n"
        "\nPublish from another machine, which needs a copy of %s:\n"
        "  chappe pub -h %s --cafile ca.pem -u NAME -P PASSWORD -t hello/world -m 21.5\n"
        "  mosquitto_pub -h %s -p 8883 --cafile ca.pem -u NAME -P PASSWORD -t hello/world -m 21.5\n"
        "\nPython (paho-mqtt):\n"
        "  client.tls_set(\"ca.pem\")\n"
        "  client.username_pw_set(\"NAME\", \"PASSWORD\")\n"
        "  client.connect(\"%s\", 8883)\n"
        "\nArduino on an ESP32 (WiFiClientSecure and PubSubClient), with the content of ca.pem between the quotes:\n"
        "  const char ca[] = R\"(-----BEGIN CERTIFICATE-----\n"
        "  ...)\";\n"
        "  WiFiClientSecure network;\n"
        "  PubSubClient mqtt(network);\n"
        "  network.setCACert(ca);\n"
        "  mqtt.setServer(\"%s\", 8883);\n"
        "  mqtt.connect(\"NAME\", \"NAME\", \"PASSWORD\");\n",
        server.certificate.c_str(), server.key.c_str(), ca.c_str(), host.c_str(), host.c_str(), host.c_str(),
        host.c_str());
}

void say_issued(const tls::CertificateFiles& files, const std::string& whose) {
    std::printf("%s and its key %s: %s\n", files.certificate.c_str(), files.key.c_str(), whose.c_str());
}

std::expected<void, std::string> make_server(const tls::Authority& authority, const CertOptions& options) {
    const auto names = options.names.empty() ? names_of_this_machine() : options.names;
    const auto common_name = names.front().size() <= tls::common_name_max ? names.front() : std::string();
    const auto files = TRY(authority.issue(
        server_name,
        {.purpose = tls::Purpose::Server, .common_name = common_name, .names = names, .days = options.days}));
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    say_issued(files, "the server, reached as " + list);
    print_first_steps(authority, names.front());
    return {};
}

std::expected<void, std::string> make_certificates(const CertOptions& options) {
    const auto authority = TRY(tls::Authority::open(options.folder, days_of_authority));
    if (authority.is_new()) std::printf("%s: the CA that clients are to trust\n", authority.ca().c_str());
    if (!options.revoked.empty()) {
        const auto path = TRY(authority.revoke(options.revoked));
        std::printf("%s: write it down as tls.client_crl; a broker that has it reads it again by itself\n",
                    path.c_str());
    }
    for (const auto& name : options.clients) {
        if (authority.has(name) && !options.renew) {
            return std::unexpected(authority.files_of(name).certificate + ": is there already; --renew replaces it");
        }
        const auto files = TRY(authority.issue(
            name, {.purpose = tls::Purpose::Client, .common_name = name, .names = {}, .days = options.days}));
        say_issued(files, "the client " + name);
    }
    const bool only_others = (!options.clients.empty() || !options.revoked.empty()) && options.names.empty();
    if (authority.has(server_name) && (only_others || !options.renew)) {
        if (only_others) return {};
        return std::unexpected(authority.files_of(server_name).certificate +
                               ": is there already; --renew replaces it, --client NAME makes one for a client");
    }
    return make_server(authority, options);
}

int cert(const CertOptions& options) {
    for (const auto* names : {&options.clients, &options.revoked}) {
        for (const auto& name : *names) {
            if (is_good_name(name)) continue;
            std::fprintf(stderr,
                         "chappe cert: \"%s\" cannot be a client's name: it has 1 to 64 bytes of UTF-8, no spaces, no "
                         "/ and no dot at "
                         "its beginning, and is neither ca nor server\n",
                         name.c_str());
            return exit_usage;
        }
    }
    for (const auto& name : options.names) {
        if (is_good_host(name)) continue;
        std::fprintf(stderr, "chappe cert: \"%s\" is neither a host name nor an address\n", name.c_str());
        return exit_usage;
    }
    const auto made = make_certificates(options);
    if (made) return exit_success;
    std::fprintf(stderr, "chappe cert: %s\n", made.error().c_str());
    return exit_failure;
}

}  // namespace

Run define_cert(CLI::App& command) {
    const auto options = std::make_shared<CertOptions>();
    command.add_option("--dir", options->folder, "The folder for everything (certificates)")->type_name("PATH");
    command
        .add_option("--name", options->names,
                    "A name or address by which the server is reached; repeatable (those of this machine)")
        ->type_name("HOST")
        ->allow_extra_args(false);
    command.add_option("--client", options->clients, "Make a certificate for this client; repeatable")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command
        .add_option("--revoke", options->revoked,
                    "Put this client's certificate on the list of those that are not good any more")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command.add_option("--days", options->days, "How long what is made is good for (820)")
        ->type_name("DAYS")
        ->check(CLI::Range(1, 36500));
    command.add_flag("--renew", options->renew, "Replace what is there already");
    command.footer(cert_footer);
    return [options] { return cert(*options); };
}

}  // namespace chappe::app
