#pragma once

// The options that pub, sub and request have in common. Their names are those of mosquitto_pub and mosquitto_sub.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "apps/chappe/clients/properties.h"
#include "apps/chappe/clients/text.h"
#include "client/backoff.h"
#include "client/options.h"
#include "net/url.h"
#include "tls/context.h"

namespace chappe::app {

enum class Verbosity : std::uint8_t { Quiet, Normal, Debug };

// What was typed.
struct ClientArguments {
    std::string url;
    std::string host;
    std::string port;
    std::string unix_path;
    std::optional<std::string> user;
    std::optional<std::string> password;
    std::string password_file;
    std::string id;
    std::string id_prefix;
    std::string version = "5";
    bool keep_session = false;
    std::string session_expiry;
    std::string keep_alive = "60";
    std::string inflight_max;
    std::string qos = "0";
    std::string time_limit;
    std::vector<std::string> topics;
    Properties properties;
    std::string property_problem;  // Of the first -D that was wrong.
    bool any_property = false;
    std::string will_topic;
    std::optional<std::string> will_payload;
    std::string will_qos = "0";
    bool will_retain = false;
    tls::ClientOptions tls;
    bool system_cas = false;
    bool insecure = false;
    std::string tls_version = "1.2";
    bool no_reconnect = false;
    bool quiet = false;
    bool debug = false;
    bool no_delay = false;
};

// What it means, checked.
struct ClientSetup {
    net::Url server;
    tls::ClientOptions tls;  // For mqtts://.
    client::Options options;
    client::Reconnect reconnect;
    Properties properties;
    std::vector<std::string> topics;  // Those of -t, behind that of the URL.
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    std::optional<Duration> time_limit;
    Verbosity verbosity = Verbosity::Normal;
};

void add_client_options(CLI::App& command, ClientArguments& arguments);
void add_topic_option(CLI::App& command, ClientArguments& arguments, const std::string& text);
void add_qos_option(CLI::App& command, ClientArguments& arguments);
void add_inflight_option(CLI::App& command, ClientArguments& arguments);

// What reads the environment and files, so that tests can say what is there.
struct Surroundings {
    std::optional<std::string> password;  // CHAPPE_PASSWORD.
    std::string process_id;
    std::uint64_t random;

    [[nodiscard]] static Surroundings of_this_process();
};

// `command` is the name of the command, for the client id of versions before 5.0.
[[nodiscard]] Checked<ClientSetup> check_arguments(const ClientArguments& arguments, std::string_view command,
                                                   const Surroundings& surroundings);

// The whole of a file, or of standard input for "-".
[[nodiscard]] Checked<std::string> read_file(const std::string& path);

// Exit codes beyond those of command.h. 27 is mosquitto's.
enum ClientExitCode : int {
    exit_not_connected = 3,
    exit_connection_lost = 4,
    exit_refused = 5,
    exit_time_limit = 27,
    exit_signal = 128,
};

// Says what is wrong with the command line, and returns exit_usage.
[[nodiscard]] int refuse_arguments(const char* command, const std::string& problem);

// The end of each --help.
[[nodiscard]] std::string client_footer(const std::string& examples);

}  // namespace chappe::app
