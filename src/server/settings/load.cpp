#include "server/settings/load.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/result.h"
#include "server/settings/check.h"
#include "server/settings/nearest.h"
#include "server/settings/toml_reader.h"
#include "server/settings/value.h"

namespace chappe::server {

namespace {

struct PlacedListener {
    Listener listener;
    Origin origin;
};

std::vector<std::string_view> names_in(std::string_view section) {
    std::vector<std::string_view> names;
    for (const auto& key : keys()) {
        if (key.section == section) names.push_back(key.name);
    }
    return names;
}

std::vector<std::string_view> section_names() {
    std::vector<std::string_view> names;
    for (const auto& section : sections()) names.push_back(section.name);
    return names;
}

// What an unknown name was probably meant to be.
std::string suggestion(std::string_view section, std::string_view name) {
    for (const auto& key : keys()) {
        if (key.name == name) return fmt::format("it belongs in section [{}]", key.section);
    }
    if (const auto meant = nearest(name, names_in(section))) return fmt::format("did you mean {}?", *meant);
    for (const auto& other : sections()) {
        if (const auto meant = nearest(name, names_in(other.name))) {
            return fmt::format("did you mean {}, in section [{}]?", *meant, other.name);
        }
    }
    return "`chappe config` shows all that there are";
}

std::string suggestion_for_section(std::string_view name) {
    const auto names = section_names();
    if (const auto meant = nearest(name, names)) return fmt::format("did you mean [{}]?", *meant);
    return fmt::format("there are [{}]", fmt::join(names, "], ["));
}

class Loader {
public:
    explicit Loader(const Environment& environment) { loaded_.settings = default_settings(environment); }

    void read_file(const ConfigurationFile& file) {
        place_ = {.kind = Origin::Kind::File, .place = file.name};
        auto document = read_toml(file.text);
        for (const auto& mistake : document.mistakes) report(mistake.position.line, mistake.message);
        for (const auto& table : document.tables) read_table(table);
    }

    void read_override(const Override& override) {
        place_ = {.kind = Origin::Kind::CommandLine, .place = override.option};
        const auto* key = find_key(override.name);
        if (key == nullptr) return report(0, unknown_override(override.name));
        if (key->is_of_listener())
            return report(0, override.name + " is set in a file only; --listen adds plain listeners");
        if (override.values.empty()) return report(0, fmt::format("{0} has no value: write {0}=VALUE", override.name));
        const auto raws = raws_of(*key, override.values);
        if (!raws) {
            refused_.push_back(key);
            return report(0, raws.error());
        }
        if (key->type == Type::Urls) listeners_.clear();
        for (const auto& raw : *raws) read_setting(*key, raw);
    }

    [[nodiscard]] Loaded finish() {
        place_listeners();
        for (auto& finding : check(loaded_.settings, loaded_.origins, refused_)) add(std::move(finding));
        return std::move(loaded_);
    }

private:
    // What was given several times for an array is one. Of URLs each has its own place.
    [[nodiscard]] static std::expected<std::vector<Raw>, std::string> raws_of(const Key& key,
                                                                              const std::vector<std::string>& values) {
        std::vector<Raw> raws;
        for (const auto& value : values) {
            auto raw = TRY(raw_from_text(key, value));
            raws.push_back(std::move(raw));
        }
        if (!key.is_array() || key.type == Type::Urls) return raws;
        std::vector<Raw> all;
        for (auto& raw : raws) std::ranges::move(std::get<std::vector<Raw>>(raw.content), std::back_inserter(all));
        return std::vector{Raw{std::move(all), {}}};
    }

    [[nodiscard]] Origin at(const Position& position) const {
        auto origin = place_;
        origin.line = position.line;
        return origin;
    }

    // In the order of the lines. Nearly all come in that order.
    void add(Finding finding) {
        const auto line_of = [](const Finding& other) { return other.origin.line; };
        auto& all = loaded_.findings;
        all.insert(std::ranges::upper_bound(all, finding.origin.line, {}, line_of), std::move(finding));
    }

    void report(std::uint32_t line, std::string message, std::uint32_t column = 0) {
        auto origin = place_;
        origin.line = line;
        origin.column = column;
        add({Severity::Error, std::move(origin), std::move(message)});
    }

    void report_all(const std::vector<Mistake>& mistakes) {
        for (const auto& mistake : mistakes) report(mistake.position.line, mistake.message);
    }

    [[nodiscard]] static std::string unknown_override(std::string_view name) {
        const auto dot = name.find('.');
        if (dot == std::string_view::npos) {
            return fmt::format("{} is not a setting: write section.name=value, such as log.level=debug", quote(name));
        }
        return fmt::format("unknown setting {}; {}", name, suggestion(name.substr(0, dot), name.substr(dot + 1)));
    }

    void read_table(const Table& table) {
        if (table.name.empty()) return read_top(table);
        const auto* section = find_section(table.name);
        const auto [line, column] = table.position;
        if (section == nullptr) {
            return report(line, fmt::format("unknown section [{}]; {}", table.name, suggestion_for_section(table.name)),
                          column);
        }
        if (section->is_repeated && !table.is_repeated) {
            report(line, fmt::format("write [[{0}]] with two brackets, because there can be several", table.name));
        } else if (!section->is_repeated && table.is_repeated) {
            report(line, fmt::format("write [{0}] with one bracket, because there is only one", table.name));
        }
        section->is_repeated ? read_listener(table) : read_section(table);
    }

    // Nothing stands before the first section, but people forget the section, or write its name like a setting's.
    void read_top(const Table& table) {
        for (const auto& entry : table.entries) {
            const auto [line, column] = entry.position;
            if (const auto* section = find_section(entry.name)) {
                const auto* brackets = section->is_repeated ? "[[{0}]]" : "[{0}]";
                report(line, fmt::format("{0} is a section: write {1} on a line of its own and its settings below",
                                         entry.name, fmt::format(fmt::runtime(brackets), entry.name)));
            } else {
                report_unknown("", entry);
            }
        }
    }

    void report_unknown(std::string_view section, const Entry& entry) {
        const auto name = section.empty() ? entry.name : fmt::format("{}.{}", section, entry.name);
        report(entry.position.line, fmt::format("unknown setting {}; {}", name, suggestion(section, entry.name)),
               entry.position.column);
    }

    void read_section(const Table& table) {
        for (const auto& entry : table.entries) {
            const auto* key = find_key(table.name, entry.name);
            if (key == nullptr) {
                report_unknown(table.name, entry);
            } else if (read_setting(*key, entry.value)) {
                ++loaded_.settings_in_file;
            }
        }
    }

    bool read_setting(const Key& key, const Raw& raw) {
        const auto value = read_value(key, raw);
        if (!value) {
            refused_.push_back(&key);
            report_all(value.error());
            return false;
        }
        if (key.type == Type::Urls) {
            add_listeners(key, *value, raw);
        } else {
            key.set(loaded_.settings, *value);
        }
        loaded_.origins.set(key, at(raw.position));
        return true;
    }

    // Each URL of the array keeps the line on which it stands.
    void add_listeners(const Key& key, const Value& value, const Raw& raw) {
        Settings only_these;
        key.set(only_these, value);
        const auto& items = std::get<std::vector<Raw>>(raw.content);
        ASSERT(items.size() == only_these.listeners.size());
        for (std::size_t i = 0; i < items.size(); ++i) {
            listeners_.push_back({std::move(only_these.listeners[i]), at(items[i].position)});
        }
        listeners_were_set_ = true;
    }

    void read_listener(const Table& table) {
        PlacedListener placed{{}, at(table.position)};
        bool has_url = false;
        bool is_right = true;
        for (const auto& entry : table.entries) {
            const auto* key = find_key(table.name, entry.name);
            if (key == nullptr) {
                report_unknown(table.name, entry);
                continue;
            }
            has_url = has_url || key->type == Type::Url;
            is_right = read_into(placed, *key, entry.value) && is_right;
        }
        if (!has_url) report(table.position.line, "this listener has no address: write url = \"mqtt://HOST:PORT\"");
        if (!has_url || !is_right) return refused_.push_back(find_key("listener", "url"));
        listeners_.push_back(std::move(placed));
        listeners_were_set_ = true;
    }

    bool read_into(PlacedListener& placed, const Key& key, const Raw& raw) {
        const auto value = read_value(key, raw);
        if (!value) {
            report_all(value.error());
            return false;
        }
        key.set(placed.listener, *value);
        if (key.type == Type::Url) placed.origin = at(raw.position);
        ++loaded_.settings_in_file;
        return true;
    }

    void place_listeners() {
        auto& origins = loaded_.origins.listeners;
        if (!listeners_were_set_) {
            origins.assign(loaded_.settings.listeners.size(), Origin{});
            return;
        }
        loaded_.settings.listeners.clear();
        for (auto& [listener, origin] : listeners_) {
            loaded_.settings.listeners.push_back(std::move(listener));
            origins.push_back(std::move(origin));
        }
    }

    Loaded loaded_;
    Origin place_;  // What is being read.
    std::vector<const Key*> refused_;
    std::vector<PlacedListener> listeners_;
    bool listeners_were_set_ = false;
};

struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
};

}  // namespace

std::expected<std::string, std::string> read_text_file(const std::string& path, std::size_t mebibytes_max) {
    const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
    if (!file) return std::unexpected(std::string(std::strerror(errno)));
    constexpr std::size_t mebibyte = 1024 * 1024;
    std::string text;
    std::size_t read = 0;
    do {
        text.resize(read + mebibyte);
        read += std::fread(text.data() + read, 1, mebibyte, file.get());
        if (std::ferror(file.get()) != 0) return std::unexpected(std::string(std::strerror(errno)));
        if (read > mebibytes_max * mebibyte) {
            return std::unexpected(fmt::format("larger than {} MiB, which no such file is", mebibytes_max));
        }
    } while (read == text.size());
    text.resize(read);
    return text;
}

std::expected<ConfigurationFile, std::string> read_configuration(const std::string& path) {
    auto text = TRY(read_text_file(path, 1));
    return ConfigurationFile{path, std::move(text)};
}

bool Loaded::has_errors() const {
    return std::ranges::find(findings, Severity::Error, &Finding::severity) != findings.end();
}

Loaded load(const ConfigurationFile* file, const std::vector<Override>& overrides, const Environment& environment) {
    Loader loader(environment);
    if (file != nullptr) loader.read_file(*file);
    for (const auto& override : overrides) loader.read_override(override);
    return loader.finish();
}

}  // namespace chappe::server
