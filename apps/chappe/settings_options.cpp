#include "apps/chappe/settings_options.h"

#include <functional>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace chappe::app {

namespace {

// Up to the first full stop that ends a sentence, without the code marks of Markdown.
std::string first_sentence(std::string_view text) {
    std::string sentence(text.substr(0, text.find(". ")));
    if (sentence.ends_with('.')) sentence.pop_back();
    std::erase(sentence, '`');
    return sentence;
}

std::string value_name(const server::Key& key) {
    if (key.type == server::Type::Urls) return "URL";
    if (key.type == server::Type::Path || key.type == server::Type::Paths) return "PATH";
    if (key.choices.empty()) return "VALUE";
    std::string names;
    for (const auto choice : key.choices) names += (names.empty() ? "" : "|") + std::string(choice);
    return names;
}

// Declares an option that can be given several times, with one value each time.
CLI::Option* add_repeatable(CLI::App& command, const std::string& option,
                            const std::function<void(const std::vector<std::string>&)>& then, const std::string& help) {
    return command.add_option_function(option, then, help)->allow_extra_args(false);
}

void add_option_of(const server::Key& key, CLI::App& command, SettingsOptions& options) {
    const std::string option(key.option);
    const auto help = first_sentence(key.text);
    if (key.type == server::Type::Boolean) {
        const auto set = [&] { options.overrides.push_back({std::string(key.option), key.full_name(), {"true"}}); };
        command.add_flag_callback(option, set, help);
        return;
    }
    const auto set = [&](const std::vector<std::string>& values) {
        options.overrides.push_back({std::string(key.option), key.full_name(), values});
    };
    add_repeatable(command, option, set, help)->type_name(value_name(key));
}

// NAME=VALUE. Without a value the reader says what is missing.
server::Override parse_assignment(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos) return {"--set", text, {}};
    return {"--set", text.substr(0, equals), {text.substr(equals + 1)}};
}

}  // namespace

void add_settings_options(CLI::App& command, SettingsOptions& options) {
    command.add_option("--config", options.config_file, "The configuration file (TOML)")->type_name("FILE");
    // CLI11 calls back in the order of declaration, so the special options below go before --set.
    const auto set = [&](const std::vector<std::string>& assignments) {
        for (const auto& assignment : assignments) options.overrides.push_back(parse_assignment(assignment));
    };
    add_repeatable(command, "--set", set, "Any setting of docs/configuration.md, such as log.level=debug")
        ->type_name("SECTION.NAME=VALUE");
    for (const auto& key : server::keys()) {
        if (!key.option.empty()) add_option_of(key, command, options);
    }
}

std::expected<server::ConfigurationFile, std::string> open_configuration(const std::string& path) {
    auto file = server::read_configuration(path);
    if (!file) return std::unexpected(path + ": error: cannot be read: " + file.error());
    return *std::move(file);
}

std::expected<server::Loaded, std::string> load_settings(const SettingsOptions& options) {
    const auto environment = server::Environment::of_this_process();
    if (options.config_file.empty()) return server::load(nullptr, options.overrides, environment);
    const auto file = TRY(open_configuration(options.config_file));
    return server::load(&file, options.overrides, environment);
}

}  // namespace chappe::app
