// chappe serve: the broker.

#include <cstdio>
#include <memory>
#include <string>
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

const net::ListenUrl* first_tcp(const std::vector<net::ListenUrl>& urls) {
    for (const auto& url : urls) {
        if (url.scheme == net::Scheme::Mqtt) return &url;
    }
    return nullptr;
}

// What a person who starts Chappe for the first time wants to know.
void greet(const std::vector<net::ListenUrl>& urls) {
    for (const auto& url : urls) std::printf("Chappe listens on %s\n", url.text().c_str());
    if (const auto* url = first_tcp(urls)) {
        const auto port = url->port == net::default_port(net::Scheme::Mqtt) ? "" : " -p " + std::to_string(url->port);
        std::printf(
            "Try it in two other terminals:\n"
            "  chappe sub%s -t 'hello/#' -v\n"
            "  chappe pub%s -t hello/world -m 21.5\n",
            port.c_str(), port.c_str());
    }
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
    if (settings->log.format == server::LogFormat::Text) greet((*server)->listening_on());
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
