#include "apps/chappe/clients/options.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <utility>

#include "apps/chappe/clients/url.h"
#include "apps/chappe/command.h"
#include "base/result.h"
#include "mqtt/topic.h"
#include "net/io_error.h"

namespace chappe::app {
namespace {

constexpr auto connection_group = "Connection";
constexpr auto tls_group = "Encryption (TLS)";
constexpr auto session_group = "Session";
constexpr auto will_group = "Will";

void add_connection_options(CLI::App& command, ClientArguments& to) {
    const auto option = [&](const char* names, auto& value, const char* text, const char* type) {
        command.add_option(names, value, text)->group(connection_group)->type_name(type)->allow_extra_args(false);
    };
    option("-h,--host", to.host, "The broker's name or address (localhost)", "HOST");
    option("-p,--port", to.port, "The broker's port (1883, with TLS 8883)", "PORT");
    option("-L,--url", to.url,
           "All at once: mqtt://[USER[:PASSWORD]@]HOST[:PORT][/TOPIC], %XX for a byte; mqtts:// with TLS", "URL");
    option("--unix", to.unix_path, "Connect to a Unix socket", "PATH");
    option("-u,--username", to.user, "The user name", "NAME");
    option("-P,--pw,--password", to.password, "The password; every user of this machine can see it in the process list",
           "PASSWORD");
    option("--password-file", to.password_file,
           "Read the password from the first line of a file (or set CHAPPE_PASSWORD)", "FILE");
    option("-V,--protocol-version", to.version, "5, 311 or 31 (5)", "VERSION");
    option("-k,--keepalive", to.keep_alive, "Seconds of silence after which the broker is asked; 0 never (60)",
           "SECONDS");
    option("-W", to.time_limit, "Give up after so many seconds, exit code 27", "SECONDS");
    command.add_flag("--no-reconnect", to.no_reconnect, "End when the connection is lost, exit code 4")
        ->group(connection_group);
    command.add_flag("--nodelay", to.no_delay, "Does nothing: small messages are always sent at once")->group("");
}

void add_tls_options(CLI::App& command, ClientArguments& to) {
    const auto option = [&](const char* names, auto& value, const char* text, const char* type) {
        command.add_option(names, value, text)->group(tls_group)->type_name(type)->allow_extra_args(false);
    };
    option("--cafile", to.tls.ca, "Use TLS, and trust the CAs of this file (PEM)", "FILE");
    command.add_flag("--tls-use-os-certs", to.system_cas, "Use TLS, and trust the CAs of the system, as mqtts:// does")
        ->group(tls_group);
    option("--cert", to.tls.certificate.certificate, "Our own certificate (PEM), for brokers that want one", "FILE");
    option("--key", to.tls.certificate.key, "Its private key (PEM)", "FILE");
    option("--psk-file", to.tls.psk_file,
           "Use TLS with a key that we share with the broker: a file with one line, IDENTITY:KEY", "FILE");
    option("--tls-version", to.tls_version, "The least version, 1.2 or 1.3 (1.2)", "VERSION");
    option("--tls-alpn", to.tls.application_protocols, "The application protocol to ask for, such as mqtt", "NAME");
    command
        .add_flag("--insecure", to.insecure,
                  "Do not check that the certificate is of the broker that we wanted; for tests only")
        ->group(tls_group);
}

void add_property_option(CLI::App& command, ClientArguments& to) {
    const auto take = [&to](const std::vector<std::string>& words) {
        to.any_property = true;
        const auto added = add_property(words, to.properties);
        if (!added && to.property_problem.empty()) to.property_problem = added.error();
    };
    command
        .add_option_function<std::vector<std::string>>("-D,--property", take,
                                                       "A property of MQTT 5; repeatable, see below")
        ->expected(3, 4)
        ->trigger_on_parse()
        ->option_text("PACKET NAME VALUE")
        ->group(session_group);
}

void add_session_options(CLI::App& command, ClientArguments& to) {
    const auto option = [&](const char* names, auto& value, const char* text, const char* type) {
        return command.add_option(names, value, text)->group(session_group)->type_name(type)->allow_extra_args(false);
    };
    option("-i,--id", to.id, "The client id (made by the broker)", "ID");
    option("-I,--id-prefix", to.id_prefix, "The client id: this and the process id", "PREFIX");
    command
        .add_flag("-c,--disable-clean-session", to.keep_session,
                  "Keep the session when we leave, and go on with the one kept; needs -i")
        ->group(session_group);
    option("-x,--session-expiry-interval", to.session_expiry,
           "Seconds that the broker keeps the session after we left, or \"never\" (0, with -c never)", "SECONDS");
    add_property_option(command, to);
    option("--will-topic", to.will_topic, "What the broker publishes when we vanish", "TOPIC")->group(will_group);
    option("--will-payload", to.will_payload, "Its payload (empty)", "TEXT")->group(will_group);
    option("--will-qos", to.will_qos, "Its QoS (0)", "QOS")->group(will_group);
    command.add_flag("--will-retain", to.will_retain, "It is retained")->group(will_group);
}

// --- Checks

Checked<std::string> first_line(const std::string& path) {
    const auto text = TRY(read_file(path));
    auto line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

bool wants_tls(const ClientArguments& from) {
    return from.system_cas || !from.tls.ca.empty() || !from.tls.psk_file.empty();
}

Checked<> check_server(const ClientArguments& from, ClientSetup& to) {
    const int ways =
        int{!from.url.empty()} + int{!from.unix_path.empty()} + int{!from.host.empty() || !from.port.empty()};
    if (ways > 1) return std::unexpected("give the broker once: -h and -p, or --url, or --unix");
    if (!from.url.empty()) {
        auto url = TRY(ClientUrl::parse(from.url));
        to.server = url.server;
        to.options.user_name = url.user;
        to.options.password = url.password;
        if (!url.topic.empty()) to.topics.push_back(url.topic);
        return {};
    }
    if (!from.unix_path.empty()) {
        to.server = TRY(unix_url(from.unix_path));
        return {};
    }
    const auto scheme = wants_tls(from) ? net::Scheme::Mqtts : net::Scheme::Mqtt;
    std::optional<std::uint16_t> port;
    if (!from.port.empty()) {
        const auto number = parse_number(from.port, 1, 65'535);
        if (!number) return std::unexpected("--port: " + number.error());
        port = static_cast<std::uint16_t>(*number);
    }
    to.server = TRY(url_of(scheme, from.host.empty() ? "localhost" : from.host, port));
    return {};
}

Checked<> check_tls(const ClientArguments& from, ClientSetup& to) {
    to.tls = from.tls;
    to.tls.verify_name = !from.insecure;
    if (from.tls_version != "1.2" && from.tls_version != "1.3" && from.tls_version != "tlsv1.2" &&
        from.tls_version != "tlsv1.3") {
        return std::unexpected("--tls-version: \"" + from.tls_version + "\" is no version; there are 1.2 and 1.3");
    }
    to.tls.version_least = from.tls_version.ends_with("1.3") ? tls::Version::Tls13 : tls::Version::Tls12;
    if (from.tls.certificate.certificate.empty() != from.tls.certificate.key.empty()) {
        return std::unexpected("--cert and --key belong together");
    }
    if (from.system_cas && !from.tls.ca.empty()) {
        return std::unexpected("--cafile and --tls-use-os-certs: give one of them");
    }
    for (const auto& name : from.tls.application_protocols) {
        if (name.empty() || name.size() > 255) return std::unexpected("--tls-alpn: a name has 1 to 255 bytes");
    }
    if (to.server.scheme == net::Scheme::Mqtts) return {};
    if (wants_tls(from) || from.insecure || !from.tls.certificate.key.empty() ||
        !from.tls.application_protocols.empty()) {
        return std::unexpected("options of TLS need a broker that speaks it: --cafile with -h, or mqtts://HOST");
    }
    return {};
}

Checked<mqtt::ProtocolVersion> parse_version(std::string_view text) {
    auto version = text;
    if (version.starts_with("mqttv")) version.remove_prefix(5);
    if (version == "5" || version == "5.0") return mqtt::ProtocolVersion::V5;
    if (version == "311" || version == "3.1.1") return mqtt::ProtocolVersion::V311;
    if (version == "31" || version == "3.1") return mqtt::ProtocolVersion::V31;
    return std::unexpected("--protocol-version: \"" + std::string(text) +
                           "\" is not a version; there are 5, 311 and 31");
}

// A password comes from the option, the file, the URL, or the environment: the first that is there.
Checked<> check_login(const ClientArguments& from, const Surroundings& surroundings, ClientSetup& to) {
    auto& options = to.options;
    if (from.user) options.user_name = from.user;
    if (from.password && !from.password_file.empty()) {
        return std::unexpected("--password and --password-file: give one of them");
    }
    if (from.password) {
        options.password = from.password;
    } else if (!from.password_file.empty()) {
        options.password = TRY(first_line(from.password_file));
    } else if (!options.password && options.user_name) {
        options.password = surroundings.password;
    }
    if (options.password && !options.user_name && options.version != mqtt::ProtocolVersion::V5) {
        return std::unexpected("a password needs a user name (-u) before MQTT 5");
    }
    if (options.user_name && !mqtt::is_valid_utf8(*options.user_name)) {
        return std::unexpected("--username: it is not text that MQTT allows (UTF-8)");
    }
    if (options.user_name && options.user_name->size() > 65'535) return std::unexpected("--username: it is too long");
    if (options.password && options.password->size() > 65'535) return std::unexpected("the password is too long");
    return {};
}

// 3.1 and 3.1.1 have no ids made by the broker that a client would learn; 23 bytes is what 3.1 allows.
std::string made_up_id(std::string_view command, const Surroundings& surroundings) {
    std::uint8_t bytes[4];
    for (std::size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<std::uint8_t>(surroundings.random >> 8 * i);
    return "chappe-" + std::string(command.substr(0, 7)) + "-" + to_hex(bytes, HexCase::Lower);
}

Checked<> check_id(const ClientArguments& from, std::string_view command, const Surroundings& surroundings,
                   ClientSetup& to) {
    if (!from.id.empty() && !from.id_prefix.empty()) return std::unexpected("--id and --id-prefix: give one of them");
    to.options.client_id = from.id_prefix.empty() ? from.id : from.id_prefix + surroundings.process_id;
    if (!mqtt::is_valid_utf8(to.options.client_id) || to.options.client_id.size() > 65'535) {
        return std::unexpected("--id: it is not text that MQTT allows (UTF-8, at most 65535 bytes)");
    }
    if (to.options.client_id.empty() && from.keep_session) {
        return std::unexpected("-c needs a client id (-i), by which the broker finds the session again");
    }
    if (to.options.client_id.empty() && to.options.version != mqtt::ProtocolVersion::V5) {
        to.options.client_id = made_up_id(command, surroundings);
    }
    return {};
}

Checked<> check_session(const ClientArguments& from, ClientSetup& to) {
    auto& options = to.options;
    options.clean_start = !from.keep_session;
    options.session_expiry_interval_seconds =
        from.properties.session_expiry_seconds.value_or(from.keep_session ? mqtt::session_never_expires : 0);
    if (!from.session_expiry.empty()) {
        const auto expiry = parse_session_expiry(from.session_expiry);
        if (!expiry) return std::unexpected("--session-expiry-interval: " + expiry.error());
        options.session_expiry_interval_seconds = *expiry;
    }
    if (from.properties.disconnect_session_expiry_seconds.value_or(0) != 0 &&
        options.session_expiry_interval_seconds == 0) {
        return std::unexpected("-D disconnect session-expiry-interval: the session must have one from the start (-x)");
    }
    const bool v5 = options.version == mqtt::ProtocolVersion::V5;
    if (!from.session_expiry.empty() && !v5) return std::unexpected("-x needs MQTT 5 (-V 5)");
    if (from.any_property && !v5) return std::unexpected("-D needs MQTT 5 (-V 5): earlier versions have no properties");
    const auto keep_alive = parse_number(from.keep_alive, 0, 65'535);
    if (!keep_alive) return std::unexpected("--keepalive: " + keep_alive.error());
    options.keep_alive_seconds = static_cast<std::uint16_t>(*keep_alive);
    if (from.inflight_max.empty()) return {};
    const auto inflight_max = parse_number(from.inflight_max, 1, 65'535);
    if (!inflight_max) return std::unexpected("--max-inflight: " + inflight_max.error());
    options.inflight_max = static_cast<std::uint16_t>(*inflight_max);
    return {};
}

Checked<> check_will(const ClientArguments& from, ClientSetup& to) {
    const bool any = from.will_payload || from.will_retain || from.properties.any_of_will || from.will_qos != "0";
    if (from.will_topic.empty()) {
        return any ? Checked<>(std::unexpected("a will needs --will-topic")) : Checked<>();
    }
    if (!mqtt::is_valid_utf8(from.will_topic) || !mqtt::is_valid_topic_name(from.will_topic)) {
        return std::unexpected("--will-topic: \"" + from.will_topic + "\" is not a topic to publish to (no # or +)");
    }
    const auto qos = parse_qos(from.will_qos);
    if (!qos) return std::unexpected("--will-qos: " + qos.error());
    if (from.will_payload.value_or("").size() > 65'535) return std::unexpected("--will-payload: it is too long");
    to.options.will = client::OwnedWill{.topic = from.will_topic,
                                        .payload = from.will_payload.value_or(""),
                                        .qos = *qos,
                                        .retain = from.will_retain,
                                        .delay_interval_seconds = from.properties.will_delay_seconds,
                                        .properties = from.properties.will};
    return {};
}

Checked<> check_rest(const ClientArguments& from, ClientSetup& to) {
    to.topics.insert(to.topics.end(), from.topics.begin(), from.topics.end());
    const auto qos = parse_qos(from.qos);
    if (!qos) return std::unexpected("--qos: " + qos.error());
    to.qos = *qos;
    if (!from.time_limit.empty()) {
        const auto limit = parse_seconds(from.time_limit);
        if (!limit) return std::unexpected("-W: " + limit.error());
        to.time_limit = *limit;
    }
    to.reconnect.enabled = !from.no_reconnect;
    to.verbosity = from.quiet ? Verbosity::Quiet : from.debug ? Verbosity::Debug : Verbosity::Normal;
    return {};
}

}  // namespace

void add_client_options(CLI::App& command, ClientArguments& arguments) {
    command.set_help_flag("--help", "Print this text");  // -h is the host, as in mosquitto_pub.
    add_connection_options(command, arguments);
    add_tls_options(command, arguments);
    add_session_options(command, arguments);
    command.add_flag("--quiet", arguments.quiet, "Print no errors");
    command.add_flag("-d,--debug", arguments.debug, "Say what happens on the connection, on standard error");
}

void add_topic_option(CLI::App& command, ClientArguments& arguments, const std::string& text) {
    command.add_option("-t,--topic", arguments.topics, text)->option_text("TOPIC")->allow_extra_args(false);
}

void add_inflight_option(CLI::App& command, ClientArguments& arguments) {
    command.add_option("-M,--max-inflight", arguments.inflight_max, "Unacknowledged messages at once (100)")
        ->type_name("COUNT");
}

void add_qos_option(CLI::App& command, ClientArguments& arguments) {
    command.add_option("-q,--qos", arguments.qos, "0 at most once, 1 at least once, 2 exactly once (0)")
        ->type_name("QOS");
}

Surroundings Surroundings::of_this_process() {
    std::random_device random;
    const auto* password = std::getenv("CHAPPE_PASSWORD");
    return {.password = password == nullptr ? std::nullopt : std::optional<std::string>(password),
            .process_id = std::to_string(getpid()),
            .random = std::uint64_t{random()} << 32 | random()};
}

Checked<ClientSetup> check_arguments(const ClientArguments& arguments, std::string_view command,
                                     const Surroundings& surroundings) {
    ClientSetup setup;
    if (!arguments.property_problem.empty()) return std::unexpected(arguments.property_problem);
    setup.properties = arguments.properties;
    setup.options = arguments.properties.connect;
    setup.options.version = TRY(parse_version(arguments.version));
    TRY(check_server(arguments, setup));
    TRY(check_tls(arguments, setup));
    TRY(check_login(arguments, surroundings, setup));
    TRY(check_id(arguments, command, surroundings, setup));
    TRY(check_session(arguments, setup));
    TRY(check_will(arguments, setup));
    TRY(check_rest(arguments, setup));
    return setup;
}

Checked<std::string> read_file(const std::string& path) {
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    std::unique_ptr<std::FILE, Close> opened;
    if (path != "-") opened.reset(std::fopen(path.c_str(), "rb"));
    auto* file = path == "-" ? stdin : opened.get();
    std::string content;
    char block[65'536];
    while (file != nullptr) {
        const auto size = std::fread(block, 1, sizeof block, file);
        content.append(block, size);
        if (content.size() > mqtt::remaining_length_max)
            return std::unexpected(path + ": larger than a message may be, 256 MiB");
        if (size < sizeof block) break;
    }
    if (file == nullptr || std::ferror(file) != 0) {
        return std::unexpected("cannot read " + path + ": " + std::string(net::error_text(errno)));
    }
    return content;
}

int refuse_arguments(const char* command, const std::string& problem) {
    std::fprintf(stderr, "chappe %s: %s; --help shows what is expected\n", command, problem.c_str());
    return exit_usage;
}

std::string client_footer(const std::string& examples) {
    return examples + "\n\nProperties of MQTT 5, with -D PACKET NAME VALUE and -D PACKET user-property NAME VALUE:\n" +
           list_properties() +
           "\nExit codes: 0 success, 1 another failure, 2 the command line is wrong, 3 no connection or login "
           "refused,\n"
           "4 connection lost, 5 refused or not acknowledged by the broker, 27 the time of -W is over,\n"
           "128 + signal number when interrupted before the work was done.";
}

}  // namespace chappe::app
