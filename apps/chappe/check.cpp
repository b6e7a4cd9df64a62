// chappe check: what is wrong in a configuration file, without starting anything.

#include <cstdio>
#include <memory>
#include <string>

#include "apps/chappe/command.h"
#include "apps/chappe/settings_options.h"
#include "server/settings/print.h"

namespace chappe::app {

namespace {

constexpr auto check_footer = R"(Examples:
  chappe check chappe.toml
  chappe check --json chappe.toml

Exit codes: 0 the file can be used, 1 it has errors, 2 it cannot be read.)";

struct CheckOptions {
    std::string file;
    bool json = false;
};

std::string report(const CheckOptions& options, const server::Loaded& loaded) {
    if (options.json) return server::print_findings_json(options.file, loaded);
    std::string text;
    for (const auto& finding : loaded.findings) text += to_string(finding) + '\n';
    if (loaded.has_errors()) return text;
    const auto count = loaded.settings_in_file;
    return text + options.file + ": ok, " + std::to_string(count) + (count == 1 ? " setting\n" : " settings\n");
}

int check(const CheckOptions& options) {
    const auto file = open_configuration(options.file);
    if (!file) {
        std::fprintf(stderr, "%s\n", file.error().c_str());
        return exit_usage;
    }
    const auto loaded = server::load(&*file, {}, server::Environment::of_this_process());
    std::fputs(report(options, loaded).c_str(), stdout);
    return loaded.has_errors() ? exit_failure : exit_success;
}

}  // namespace

Run define_check(CLI::App& command) {
    const auto options = std::make_shared<CheckOptions>();
    command.add_option("FILE", options->file, "The configuration file (TOML)")->required();
    command.add_flag("--json", options->json, "Print one JSON object");
    command.footer(check_footer);
    return [options] { return check(*options); };
}

}  // namespace chappe::app
