// chappe serve: the broker.

#include <algorithm>
#include <array>
#include <cerrno>  // program_invocation_name
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chappe/command.h"
#include "apps/chappe/settings_options.h"
#include "server/server.h"

namespace chappe::app {

namespace {

constexpr auto serve_footer = R"(Examples:
  chappe serve
  chappe serve --config chappe.toml
  chappe serve --listen mqtt://0.0.0.0:1883 --allow-anonymous
  chappe serve --set limits.queue_messages_max=1000 --log-format json

SIGTERM and SIGINT stop the broker, SIGHUP has it read its configuration again.

Exit codes: 0 stopped by a signal, 1 it could not start, 2 the command line or the configuration is wrong.)";

// The settings, or what to tell the person.
std::expected<server::Settings, std::string> settings_of(const SettingsOptions& options) {
    auto loaded = TRY(load_settings(options));
    std::string errors;
    for (const auto& finding : loaded.findings) {
        if (finding.severity == server::Severity::Warning) {
            std::fprintf(stderr, "%s\n", to_string(finding).c_str());
        } else {
            errors += (errors.empty() ? "" : "\n") + to_string(finding);
        }
    }
    if (!errors.empty()) return std::unexpected(errors);
    return std::move(loaded.settings);
}

// As a word of a shell's command line.
std::string shell_word(std::string_view text) {
    constexpr std::string_view plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,";
    if (!text.empty() && text.find_first_not_of(plain) == text.npos) return std::string(text);
    std::string word = "'";
    for (const char letter : text) word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return word + "'";
}

// Whom to trust, for listeners that speak TLS: the CA that `chappe cert` has put beside the certificate, or the
// system's; or the key where there is no certificate.
std::string trust_options(const server::Settings& settings) {
    if (settings.tls.certificates.empty() && !settings.tls.psk_file.empty()) {
        return " --psk-file " + shell_word(settings.tls.psk_file);
    }
    if (settings.tls.certificates.empty()) return " --tls-use-os-certs";
    const auto ca = std::filesystem::path(settings.tls.certificates.front()).parent_path() / "ca.pem";
    return std::filesystem::exists(ca) ? " --cafile " + shell_word(ca.native()) : " --tls-use-os-certs";
}

// The client commands' options for a listener; what is their default is left out.
std::string options_for(const net::ListenUrl& url, const server::Settings& settings) {
    if (url.scheme == net::Scheme::Unix) return " --unix " + shell_word(url.path);
    constexpr std::array<std::string_view, 4> localhost = {"localhost", "127.0.0.1", "0.0.0.0", "::"};
    std::string options;
    if (std::ranges::find(localhost, url.host) == localhost.end()) options += " -h " + shell_word(url.host);
    const bool tls = server::speaks_tls(url.scheme);  // Where HTTP is spoken, MQTT is too.
    const auto default_port = net::default_port(tls ? net::Scheme::Mqtts : net::Scheme::Mqtt);
    if (url.port != default_port) options += " -p " + std::to_string(url.port);
    if (tls) options += trust_options(settings);
    const auto listener = std::ranges::find(settings.listeners, url, &server::Listener::url);
    const bool known = listener != settings.listeners.end();  // Not where the system has chosen the port.
    if (!server::anonymous_allowed(settings, known ? *listener : server::Listener{.url = url})) {
        options += " -u NAME -P PASSWORD";
    }
    return options;
}

// What a person who starts Chappe for the first time wants to know: lines that work when they are copied.
void greet(const std::vector<net::ListenUrl>& urls, const server::Settings& settings,
           const std::optional<crypto::Secret>& first_password) {
    for (const auto& url : urls) std::printf("Chappe listens on %s\n", url.text().c_str());
    if (first_password) {
        std::printf("The administrator is admin, with the password %s (shown this once)\n",
                    std::string(first_password->reveal()).c_str());
    }
    const auto tcp = std::ranges::find(urls, net::Scheme::Mqtt, &net::ListenUrl::scheme);
    const auto options = options_for(tcp != urls.end() ? *tcp : urls.front(), settings);
    const auto program = shell_word(program_invocation_name);
    std::printf(
        "Try it in two other terminals:\n"
        "  %s sub%s -t 'hello/#' -v\n"
        "  %s pub%s -t hello/world -m 21.5\n",
        program.c_str(), options.c_str(), program.c_str(), options.c_str());
    std::fflush(stdout);
}

int serve(const SettingsOptions& options) {
    const auto settings = settings_of(options);
    if (!settings) {
        std::fprintf(stderr, "%s\n", settings.error().c_str());
        return exit_usage;
    }
    const auto logger = server::Logger::create(settings->log);
    if (!logger) {
        std::fprintf(stderr, "chappe: cannot open the log: %s\n", logger.error().c_str());
        return exit_failure;
    }
    auto server = server::Server::start(*settings, [&options] { return settings_of(options); }, **logger);
    if (!server) {
        std::fprintf(stderr, "chappe: %s\n", server.error().c_str());
        return exit_failure;
    }
    auto first_password = (*server)->take_first_password();
    if (std::getenv("JOURNAL_STREAM") != nullptr) first_password.reset();  // systemd would keep it in its journal.
    if (settings->log.format == server::LogFormat::Text) {
        greet((*server)->listening_on(), *settings, first_password);
    }
    (*server)->run();
    return exit_success;
}

}  // namespace

Run define_serve(CLI::App& command) {
    const auto options = std::make_shared<SettingsOptions>();
    add_settings_options(command, *options);
    command.footer(serve_footer);
    return [options] { return serve(*options); };
}

}  // namespace chappe::app
