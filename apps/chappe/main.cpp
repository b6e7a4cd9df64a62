#include <algorithm>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "apps/chappe/command.h"
#include "base/version.h"
#include "server/settings/nearest.h"

namespace chappe::app {
namespace {

struct Command {
    std::string_view name;
    const char* summary;
    Run (*define)(CLI::App&);
};

// In the order of `chappe --help`.
constexpr Command commands[] = {
    {"serve", "Run the broker", define_serve},
    {"pub", "Publish messages", define_pub},
    {"sub", "Subscribe, and print the messages that come", define_sub},
    {"request", "Publish a request and print the response", define_request},
    {"check", "Say what is wrong in a configuration file and its policy", define_check},
    {"config", "Print every setting and where it comes from", define_config},
    {"cert", "Make certificates for TLS on a local network", define_cert},
    {"user", "Manage who may connect", define_user},
    {"role", "Manage what users may do", define_role},
    {"ban", "Keep addresses, users and clients out", define_ban},
    {"explain", "Say what a client may do, and by which rule", define_explain},
    {"drops", "List the messages that were dropped last, and why", define_drops},
    {"refusals", "List who was refused what last, and why", define_refusals},
    {"redirect", "Send clients of a running broker to another server", define_redirect},
    {"disconnect", "End the connection of a client of a running broker", define_disconnect},
    {"version", "Print the version", define_version},
};

constexpr auto chappe_examples = R"(Examples:
  chappe serve
  chappe sub -t 'sensors/#' -v
  chappe pub -t sensors/kitchen/temperature -m 21.5
  chappe check chappe.toml
  chappe config --config chappe.toml --changed
  chappe config --help

Exit codes: 0 success, 1 failure, 2 the command line is wrong.)";

// CLI11 has an exit code of its own for each kind of mistake; a script only wants to know that the command line was
// wrong.
int explain(const CLI::App& app, const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
}

// The command of a command, where one was chosen: `chappe user add`.
const CLI::App& chosen_command(const CLI::App& app) {
    const auto chosen = app.get_subcommands();
    return chosen.empty() ? app : chosen_command(*chosen.front());
}

std::string full_name(const CLI::App& command) {
    const auto* const parent = command.get_parent();
    return (parent == nullptr ? std::string() : full_name(*parent) + ' ') + command.get_name();
}

// Where a word could only have been the name of a command.
std::string hint_of(const CLI::App& command, const std::string& word) {
    const auto members = command.get_subcommands({});
    std::vector<std::string> names;
    for (const auto* member : members) names.push_back(member->get_name());
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto meant = server::nearest(word, candidates);
    return meant ? "did you mean " + std::string(*meant) + "?" : std::string("--help shows what is expected");
}

// CLI11 would list all that it could not place, from the last to the first.
int refuse_words(const CLI::App& app) {
    const auto& command = chosen_command(app);
    const auto words = command.remaining(true);
    const auto word = words.empty() ? std::string() : words.front();
    const auto option = word.substr(0, word.find('='));
    std::vector<std::string> names;
    for (const auto* known : command.get_options()) {
        for (const auto& name : known->get_lnames()) names.push_back("--" + name);
    }
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    const auto meant = option.starts_with("--") ? server::nearest(option, candidates) : std::nullopt;
    const auto hint = meant ? "did you mean " + std::string(*meant) + "?" : hint_of(command, word);
    const auto what =
        option.starts_with('-') ? "there is no option \"" + option + "\"" : "\"" + word + "\" is not expected here";
    std::fprintf(stderr, "%s: %s; %s\n", full_name(command).c_str(), what.c_str(), hint.c_str());
    return exit_usage;
}

// CLI11 would only say that a subcommand is missing.
bool is_unknown_command(std::string_view word) {
    return !word.starts_with('-') && std::ranges::find(commands, word, &Command::name) == std::end(commands);
}

int refuse_command(std::string_view word) {
    std::vector<std::string_view> names;
    for (const auto& command : commands) names.push_back(command.name);
    const auto meant = server::nearest(word, names);
    const auto hint = meant ? "did you mean " + std::string(*meant) + "?" : "chappe --help lists the commands";
    std::fprintf(stderr, "chappe: there is no command \"%.*s\"; %s\n", static_cast<int>(word.size()), word.data(),
                 hint.c_str());
    return exit_usage;
}

int run(int argc, char** argv) {
    if (argc > 1 && is_unknown_command(argv[1])) return refuse_command(argv[1]);
    CLI::App app("Chappe: an MQTT broker and its tools, in one program", "chappe");
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("chappe ") + version());
    app.footer(chappe_examples);
    app.failure_message([](const CLI::App*, const CLI::Error& error) {
        return std::string("chappe: ") + error.what() + "; --help shows what is expected\n";
    });

    int exit_code = exit_success;
    for (const auto& command : commands) {
        auto* subcommand = app.add_subcommand(std::string(command.name), command.summary);
        subcommand->callback([run = command.define(*subcommand), &exit_code] { exit_code = run(); });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        return refuse_words(app);
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    return exit_code;
}

}  // namespace
}  // namespace chappe::app

int main(int argc, char** argv) { return chappe::app::run(argc, argv); }
