// chappe check: what is wrong in a configuration file, and with the rules of who may do what, without starting
// anything.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "apps/chappe/command.h"
#include "apps/chappe/settings_options.h"
#include "server/check_policy.h"
#include "server/settings/print.h"

namespace chappe::app {

namespace {

constexpr auto check_footer = R"(Examples:
  chappe check chappe.toml
  chappe check --json chappe.toml
  chappe check --strict chappe.toml        # for scripts: warnings count as errors

Looks at the policy file (access.policy) and the accounts in chappe.db of the data directory as well, and warns of rules
that change nothing, of roles that nobody has, and of wildcards that lead out of what a variable such as ${username}
keeps a client to. Changes nothing, and may be run while a broker runs.

Exit codes: 0 the file can be used, 1 it has errors (or warnings, with --strict), 2 it cannot be read.)";

struct CheckOptions {
    std::string file;
    bool json = false;
    bool strict = false;
};

bool passes(const CheckOptions& options, const server::Loaded& loaded) {
    return options.strict ? loaded.findings.empty() : !loaded.has_errors();
}

std::string report(const CheckOptions& options, const server::Loaded& loaded) {
    if (options.json) return server::print_findings_json(options.file, passes(options, loaded), loaded);
    std::string text;
    for (const auto& finding : loaded.findings) text += to_string(finding) + '\n';
    if (!passes(options, loaded)) return text;
    const auto count = loaded.settings_in_file;
    return text + options.file + ": ok, " + std::to_string(count) + (count == 1 ? " setting\n" : " settings\n");
}

int check(const CheckOptions& options) {
    const auto file = open_configuration(options.file);
    if (!file) {
        std::fprintf(stderr, "%s\n", file.error().c_str());
        return exit_usage;
    }
    auto loaded = server::load(&*file, {}, server::Environment::of_this_process());
    // Where the settings are wrong, nobody knows whether these are the files that are meant.
    if (!loaded.has_errors()) {
        for (auto& finding : server::check_policy(loaded)) loaded.findings.push_back(std::move(finding));
    }
    std::fputs(report(options, loaded).c_str(), stdout);
    return passes(options, loaded) ? exit_success : exit_failure;
}

}  // namespace

Run define_check(CLI::App& command) {
    const auto options = std::make_shared<CheckOptions>();
    command.add_option("FILE", options->file, "The configuration file (TOML)")->required();
    command.add_flag("--json", options->json, "Print one JSON object");
    command.add_flag("--strict", options->strict, "Fail on warnings, too");
    command.footer(check_footer);
    return [options] { return check(*options); };
}

}  // namespace chappe::app
