// A configuration file, a zero byte, and lines NAME=VALUE for the command line: reading finds fault with what it will,
// but its findings have a place and a text, and what is printed of the settings is read back as the same.

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "mqtt/topic.h"
#include "server/settings/changes.h"
#include "server/settings/load.h"
#include "server/settings/print.h"

namespace {

using namespace chappe;
using namespace chappe::server;

// Up to `end` or to the end of the text; `text` keeps what follows.
std::string_view take_until(char end, std::string_view& text) {
    const auto size = std::min(text.find(end), text.size());
    const auto taken = text.substr(0, size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return taken;
}

std::vector<Override> overrides_in(std::string_view text) {
    std::vector<Override> overrides;
    while (!text.empty()) {
        auto value = take_until('\n', text);
        const auto name = take_until('=', value);
        overrides.push_back({"--set", std::string(name), {std::string(value)}});
    }
    return overrides;
}

void check_findings(const Loaded& loaded, std::string_view text) {
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
    for (const auto& finding : loaded.findings) {
        ASSERT(!finding.message.empty() && !finding.message.contains('\n'));
        ASSERT(finding.origin.line <= lines);
        ASSERT(finding.origin.kind != Origin::Kind::File || finding.origin.line != 0);
    }
}

void check_origins(const Loaded& loaded) {
    ASSERT(loaded.origins.listeners.size() == loaded.settings.listeners.size());
    const auto defaults = default_settings({});
    for (const auto& key : keys()) {
        if (key.is_of_listener() || key.type == Type::Urls) continue;
        const bool is_default = loaded.origins.of(key).kind == Origin::Kind::Default;
        ASSERT(!is_default || key.get(loaded.settings) == key.get(defaults));
    }
}

// Which of two listeners at one address counts is not said anywhere, because there is an error.
bool has_an_address_twice(const Settings& settings) {
    return std::ranges::any_of(settings.listeners, [&](const Listener& listener) {
        return std::ranges::count(settings.listeners, listener.url, &Listener::url) > 1;
    });
}

// Without errors the warnings come again too. After errors there may be others: a refused value is printed as its
// default, about which there may be something to say.
void check_that_it_reads_what_it_prints(const Loaded& loaded) {
    const ConfigurationFile printed{"printed", print_toml(loaded, Which::All)};
    const auto again = load(&printed, {}, {});
    ASSERT(has_an_address_twice(loaded.settings) || changes(loaded.settings, again.settings).empty());
    ASSERT(loaded.has_errors() || again.findings.size() == loaded.findings.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const ConfigurationFile file{"file", std::string(take_until('\0', input))};
    const auto loaded = load(&file, overrides_in(input), {});
    check_findings(loaded, file.text);
    check_origins(loaded);
    check_that_it_reads_what_it_prints(loaded);
    ASSERT(mqtt::is_valid_utf8(print_json(loaded, Which::All)));
    ASSERT(mqtt::is_valid_utf8(print_findings_json(file.name, true, loaded)));
    return 0;
}
