// chappe config: the settings that `chappe serve` would run with, and where each comes from.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "apps/chappe/command.h"
#include "apps/chappe/settings_options.h"
#include "server/settings/document.h"
#include "server/settings/print.h"

namespace chappe::app {

namespace {

constexpr auto config_footer = R"(Examples:
  chappe config
  chappe config --config chappe.toml --changed
  chappe config --config chappe.toml --set limits.inflight_max=20 --json

The output is a configuration file that gives the same settings. Findings go to standard error.
Exit codes: 0 the settings can be used, 1 they have errors, 2 the file cannot be read.)";

struct ConfigOptions {
    SettingsOptions settings;
    bool changed = false;
    bool json = false;
    bool document = false;
};

int print_config(const ConfigOptions& options) {
    if (options.document) {
        std::fputs(server::document_settings().c_str(), stdout);
        return exit_success;
    }
    auto loaded = load_settings(options.settings);
    if (!loaded) {
        std::fprintf(stderr, "%s\n", loaded.error().c_str());
        return exit_usage;
    }
    for (const auto& finding : loaded->findings) std::fprintf(stderr, "%s\n", to_string(finding).c_str());
    loaded->settings = server::effective(std::move(loaded->settings));
    const auto which = options.changed ? server::Which::Changed : server::Which::All;
    const auto text = options.json ? print_json(*loaded, which) : print_toml(*loaded, which);
    std::fputs(text.c_str(), stdout);
    return loaded->has_errors() ? exit_failure : exit_success;
}

}  // namespace

Run define_config(CLI::App& command) {
    const auto options = std::make_shared<ConfigOptions>();
    command.add_flag("--changed", options->changed, "Only what the file or the command line sets");
    command.add_flag("--json", options->json, "Print one JSON object");
    command.add_flag("--document", options->document, "Print docs/configuration.md")->group("");
    add_settings_options(command, options->settings);
    command.footer(config_footer);
    return [options] { return print_config(*options); };
}

}  // namespace chappe::app
