#include "server/settings/document.h"

#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "server/settings/key.h"
#include "server/settings/value.h"

namespace chappe::server {

namespace {

constexpr std::string_view introduction = R"(# Configuration

<!-- Made by `chappe config --document` from the table in src/server/settings/keys/. Change it there. -->

`chappe serve` runs without any configuration. What should be different is written in a file in
[TOML](https://toml.io) and given with `chappe serve --config chappe.toml`, or on the command line:

```toml
[server]
listen = ["mqtt://0.0.0.0:1883"]
allow_anonymous = true

[limits]
packet_size_max = "1 MiB"
session_expiry_max_seconds = "90d"
```

- **Sizes** are in bytes, or text with a unit: `"64 kB"` and `"16 MB"` count in thousands, `"64 KiB"` and `"16 MiB"` in
  1024.
- **Durations** are in seconds, or text with a unit: `"10s"`, `"5m"`, `"36h"`, `"90d"`, `"2w"`.
- **On the command line** `--set SECTION.NAME=VALUE` sets any of the settings below, text without quotes:
  `--set limits.inflight_max=20`. The items of an array have commas between them, or stand in brackets as in a file;
  `[]` is an empty one. A few settings have an option of their own. The command line goes before the file, and the file
  before the default.
- **`chappe check chappe.toml`** says what is wrong in a file, with its line, and what would be right. Unknown names are
  wrong. It looks at the [rules of who may do what](access.md#check-the-rules) as well.
- **`chappe config`** prints every value that holds, and the file and line, the option or the default that it comes
  from.
- **SIGHUP** makes a running broker read the file again. If there is a mistake in it, the broker says so and goes on as
  before. Settings that take effect with a restart only are marked below, and the broker names those that changed.
)";

// The text in lines of at most 120 columns, so that a change of one word is a change of one line or two.
std::string wrapped(std::string_view text) {
    constexpr std::size_t line_length_max = 120;
    std::string lines;
    while (text.size() > line_length_max) {
        const auto end = text.rfind(' ', line_length_max);
        lines += text.substr(0, end);
        lines += '\n';
        text.remove_prefix(end + 1);
    }
    return lines += text;
}

std::string_view type_of(const Key& key) {
    switch (key.type) {
        case Type::Boolean:
            return "true or false";
        case Type::Integer:
            return "number";
        case Type::Size:
            return "size in bytes";
        case Type::Duration:
            return "duration in seconds";
        case Type::Mode:
            return "access mode, as octal text";
        case Type::Text:
            return "text";
        case Type::Path:
            return "path";
        case Type::Paths:
            return "array of paths";
        case Type::Texts:
            return "array of texts";
        case Type::Choice:
            return "one of";
        case Type::Url:
            return "URL";
        case Type::Urls:
            return "array of URLs";
    }
    return "";
}

std::string range_of(const Key& key) {
    if (key.type == Type::Text || key.type == Type::Path || key.is_array() || key.range.most == 0) return "";
    return fmt::format(", `{}` to `{}`", print_value(key, key.range.least), print_value(key, key.range.most));
}

std::string choices_of(const Key& key) {
    std::string list;
    for (const auto choice : key.choices) list += fmt::format("{} `{}`", list.empty() ? "" : ",", quote(choice));
    return list;
}

std::string default_of(const Key& key) {
    if (!key.default_text.empty()) return std::string(key.default_text);
    const auto value = key.is_of_listener() ? key.get(Listener()) : key.get(default_settings({}));
    return fmt::format("`{}`", print_value(key, value));
}

std::string command_line_of(const Key& key) {
    if (key.is_of_listener()) return "";
    const auto* argument = key.type == Type::Boolean ? ""
                           : key.type == Type::Urls  ? " URL"
                           : key.type == Type::Path  ? " PATH"
                           : key.type == Type::Paths ? " PATH"
                                                     : " VALUE";
    const auto option = key.option.empty() ? "" : fmt::format("`{}{}` or ", key.option, argument);
    return fmt::format("- Command line: {}`--set {}=VALUE`\n", option, key.full_name());
}

std::string document(const Key& key) {
    return fmt::format(
        "\n### {}\n\n{}\n\n- Type: {}{}{}{}\n- Default: {}\n- Takes effect: {}\n{}- Example: `{} = {}`\n",
        key.full_name(), wrapped(key.text), type_of(key), key.unit.empty() ? "" : fmt::format(" of {}", key.unit),
        range_of(key), choices_of(key), default_of(key), key.reload == Reload::Now ? "on reload" : "after a restart",
        command_line_of(key), key.name, key.example);
}

}  // namespace

std::string document_settings() {
    std::string text(introduction);
    for (const auto& section : sections()) {
        const auto* header = section.is_repeated ? "\n## [[{}]]\n\n{}\n" : "\n## [{}]\n\n{}\n";
        text += fmt::format(fmt::runtime(header), section.name, wrapped(section.text));
        for (const auto& key : keys()) {
            if (key.section == section.name) text += document(key);
        }
    }
    return text;
}

}  // namespace chappe::server
