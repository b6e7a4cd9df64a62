#include <cstdio>
#include <string>

#include "apps/chappe/command.h"
#include "base/version.h"

namespace chappe::app {
namespace {

struct Command {
    const char* name;
    const char* summary;
    Run (*define)(CLI::App&);
};

// In the order of `chappe --help`.
constexpr Command commands[] = {
    {"version", "Print the version", define_version},
};

constexpr auto examples = R"(Examples:
  chappe version
  chappe COMMAND --help

Exit codes: 0 success, 1 failure, 2 the command line is wrong.)";

// CLI11 has an exit code of its own for each kind of mistake; a script only wants to know that the command line was
// wrong.
int explain(const CLI::App& app, const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_success : exit_usage;
}

int run(int argc, char** argv) {
    CLI::App app("Chappe: an MQTT broker and its tools, in one program", "chappe");
    app.require_subcommand(1);
    app.set_version_flag("--version", std::string("chappe ") + version());
    app.footer(examples);

    int exit_code = exit_success;
    for (const auto& command : commands) {
        auto* subcommand = app.add_subcommand(command.name, command.summary);
        subcommand->callback([run = command.define(*subcommand), &exit_code] { exit_code = run(); });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return explain(app, error);
    }
    return exit_code;
}

}  // namespace
}  // namespace chappe::app

int main(int argc, char** argv) { return chappe::app::run(argc, argv); }
