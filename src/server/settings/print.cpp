#include "server/settings/print.h"

#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/settings/value.h"

namespace chappe::server {

namespace {

using Json = nlohmann::ordered_json;

bool is_wanted(const Origin& origin, Which which) {
    return which == Which::All || origin.kind != Origin::Kind::Default;
}

// Lines of the file, the comments below one another as far as the values allow it.
std::string line(std::string_view assignment, const Origin& origin) {
    return fmt::format("{:<48}  # {}\n", assignment, to_string(origin));
}

class TomlPrinter {
public:
    TomlPrinter(const Loaded& loaded, Which which) : loaded_(loaded), which_(which) {}

    [[nodiscard]] std::string print() {
        for (const auto& section : sections()) section.is_repeated ? print_listeners() : print_section(section);
        return std::move(out_);
    }

private:
    void print_section(const Section& section) {
        std::string lines;
        for (const auto& key : keys()) {
            if (key.section == section.name) lines += key.type == Type::Urls ? print_urls(key) : print_setting(key);
        }
        if (!lines.empty()) start_section(fmt::format("[{}]\n{}", section.name, lines));
    }

    void start_section(std::string_view lines) {
        if (!out_.empty()) out_ += '\n';
        out_ += lines;
    }

    [[nodiscard]] std::string print_setting(const Key& key) const {
        const auto& origin = loaded_.origins.of(key);
        if (!is_wanted(origin, which_)) return "";
        return line(fmt::format("{} = {}", key.name, print_value(key, key.get(loaded_.settings))), origin);
    }

    // One line for each, because each can come from another place.
    [[nodiscard]] std::string print_urls(const Key& key) const {
        std::string lines;
        for (std::size_t i = 0; i < loaded_.settings.listeners.size(); ++i) {
            const auto& listener = loaded_.settings.listeners[i];
            const auto& origin = loaded_.origins.listeners[i];
            if (!has_only_url(listener) || !is_wanted(origin, which_)) continue;
            lines += line(fmt::format("    {},", quote(listener.url.text())), origin);
        }
        if (lines.empty() && loaded_.settings.listeners.empty()) {
            return line(fmt::format("{} = []", key.name), loaded_.origins.of(key));
        }
        return lines.empty() ? "" : fmt::format("{} = [\n{}]\n", key.name, lines);
    }

    void print_listeners() {
        for (std::size_t i = 0; i < loaded_.settings.listeners.size(); ++i) {
            const auto& listener = loaded_.settings.listeners[i];
            const auto& origin = loaded_.origins.listeners[i];
            if (!has_only_url(listener) && is_wanted(origin, which_)) start_section(print_listener(listener, origin));
        }
    }

    // Its defaults are left out: a mode, for example, may not be written where there is no Unix socket.
    [[nodiscard]] static std::string print_listener(const Listener& listener, const Origin& origin) {
        auto lines = line("[[listener]]", origin);
        for (const auto& key : keys()) {
            if (!key.is_of_listener() || key.get(listener) == key.get(Listener())) continue;
            lines += fmt::format("{} = {}\n", key.name, print_value(key, key.get(listener)));
        }
        return lines;
    }

    const Loaded& loaded_;
    Which which_;
    std::string out_;
};

Json to_json(const Origin& origin) {
    switch (origin.kind) {
        case Origin::Kind::Default:
            return {{"kind", "default"}};
        case Origin::Kind::File:
            return {{"kind", "file"}, {"file", origin.place}, {"line", origin.line}};
        case Origin::Kind::CommandLine:
            return {{"kind", "command_line"}, {"option", origin.place}};
    }
    std::unreachable();
}

Json to_json(const Value& value) {
    return std::visit(
        [](const auto& alternative) -> Json {
            if constexpr (std::is_same_v<std::remove_cvref_t<decltype(alternative)>, std::monostate>) {
                return nullptr;
            } else {
                return alternative;
            }
        },
        value);
}

std::string without_quotes(std::string text) { return text.starts_with('"') ? text.substr(1, text.size() - 2) : text; }

Json to_json(const Key& key, const Settings& settings, const Origin& origin) {
    const auto value = key.get(settings);
    Json json{{"value", to_json(value)}};
    const bool has_unit = key.type == Type::Size || key.type == Type::Duration;
    if (has_unit) json["text"] = without_quotes(print_value(key, value));
    json["origin"] = to_json(origin);
    return json;
}

Json to_json(const Listener& listener, const Origin& origin) {
    Json json;
    for (const auto& key : keys()) {
        if (key.is_of_listener()) json[std::string(key.name)] = to_json(key.get(listener));
    }
    json["origin"] = to_json(origin);
    return json;
}

Json to_json(const Finding& finding) {
    Json json{{"severity", to_string(finding.severity)}};
    const auto& [kind, place, line, column] = finding.origin;
    if (kind != Origin::Kind::Default) json[kind == Origin::Kind::File ? "file" : "option"] = place;
    if (line != 0) json["line"] = line;
    if (column != 0) json["column"] = column;
    json["message"] = finding.message;
    return json;
}

// A file's name need not be UTF-8, and JSON must be.
std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

}  // namespace

std::string print_toml(const Loaded& loaded, Which which) { return TomlPrinter(loaded, which).print(); }

std::string print_json(const Loaded& loaded, Which which) {
    Json json = Json::object();
    for (const auto& key : keys()) {
        if (key.is_of_listener() || key.type == Type::Urls || !is_wanted(loaded.origins.of(key), which)) continue;
        json[std::string(key.section)][std::string(key.name)] = to_json(key, loaded.settings, loaded.origins.of(key));
    }
    for (std::size_t i = 0; i < loaded.settings.listeners.size(); ++i) {
        const auto& origin = loaded.origins.listeners[i];
        if (is_wanted(origin, which)) json["listener"].push_back(to_json(loaded.settings.listeners[i], origin));
    }
    return dump(json);
}

std::string print_findings_json(const std::string& file_name, bool ok, const Loaded& loaded) {
    Json json{{"file", file_name}, {"ok", ok}, {"settings", loaded.settings_in_file}};
    json["findings"] = Json::array();
    for (const auto& finding : loaded.findings) json["findings"].push_back(to_json(finding));
    return dump(json);
}

}  // namespace chappe::server
