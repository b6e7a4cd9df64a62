#pragma once

// The options of `chappe serve` that give settings, which `chappe config` has too. They are made from the table of
// settings.

#include <expected>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "server/settings/load.h"

namespace chappe::app {

struct SettingsOptions {
    std::string config_file;  // Empty: none.
    std::vector<server::Override> overrides;
};

// Declares the options on `command`. `options` must live as long as it.
void add_settings_options(CLI::App& command, SettingsOptions& options);

// Reads the file, if there is one, and the settings. The error is a line for the person: the file cannot be read.
// Called again on a reload.
[[nodiscard]] std::expected<server::Loaded, std::string> load_settings(const SettingsOptions& options);

// Reads a configuration file; the error is a line for the person.
[[nodiscard]] std::expected<server::ConfigurationFile, std::string> open_configuration(const std::string& path);

}  // namespace chappe::app
