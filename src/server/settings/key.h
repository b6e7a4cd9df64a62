#pragma once

// One row of the table of settings. Everything that deals with settings goes through these rows: the reader, the
// command line, `chappe config` and the documentation know no setting by themselves.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/settings/settings.h"

namespace chappe::server {

enum class Type : std::uint8_t {
    Boolean,
    Integer,
    Size,      // Bytes, also written with a unit.
    Duration,  // Seconds, also written with a unit.
    Mode,      // The access mode of a file, written as octal text.
    Text,
    Path,    // Of a file or directory.
    Paths,   // An array of them.
    Texts,   // An array of texts.
    Choice,  // One of `Key::choices`.
    Url,     // Of a listener.
    Urls,    // An array of them.
};

// A setting's value, whatever its type: a bool, a number (of bytes or seconds where there is a unit), a text (the
// chosen word of a Choice), or several texts. The first alternative is a value that is not set, where a setting may be.
using Value = std::variant<std::monostate, bool, std::uint64_t, std::string, std::vector<std::string>>;

// How a row reaches its value. `set` is given only what read_value() (value.h) made for that row.
template <class Owner>
struct Access {
    Value (*get)(const Owner& owner);
    void (*set)(Owner& owner, const Value& value);
};

// Numbers from `least` to `most`, or the length of a text or path.
struct Range {
    std::uint64_t least = 0;
    std::uint64_t most = 0;
};

// A word that stands for a number: "never".
struct Word {
    std::string_view text;
    std::uint64_t value = 0;
};

enum class Reload : std::uint8_t { Now, Restart };

struct Key {
    std::string_view section;
    std::string_view name;
    Type type;
    std::string_view unit;  // What an Integer counts. Sizes are in bytes and durations in seconds.
    Range range;
    Word word;
    std::span<const std::string_view> choices;
    Reload reload;
    std::string_view option;  // The option of `chappe serve` for this setting alone, if there is one.
    std::string_view text;    // A paragraph of Markdown, whose first sentence is enough for `chappe serve --help`.
    std::string_view default_text;  // Where the default depends on the machine.
    std::string_view example;       // A value as it is written in the file.
    // A setting of the broker, or one of each [[listener]].
    std::variant<Access<Settings>, Access<Listener>> access;

    [[nodiscard]] std::string full_name() const { return std::string(section) + '.' + std::string(name); }
    [[nodiscard]] bool is_array() const noexcept {
        return type == Type::Urls || type == Type::Paths || type == Type::Texts;
    }
    [[nodiscard]] bool is_of_listener() const noexcept { return std::holds_alternative<Access<Listener>>(access); }

    // Each is for the rows of its owner only.
    [[nodiscard]] Value get(const Settings& settings) const { return std::get<Access<Settings>>(access).get(settings); }
    [[nodiscard]] Value get(const Listener& listener) const { return std::get<Access<Listener>>(access).get(listener); }
    void set(Settings& settings, const Value& value) const { std::get<Access<Settings>>(access).set(settings, value); }
    void set(Listener& listener, const Value& value) const { std::get<Access<Listener>>(access).set(listener, value); }
};

struct Section {
    std::string_view name;
    std::string_view text;  // For the documentation.
    bool is_repeated;       // Written [[name]], as often as one likes.
};

// In the order in which they are documented and printed; keys() goes through the sections in this order.
[[nodiscard]] std::span<const Section> sections();
[[nodiscard]] std::span<const Key> keys();

[[nodiscard]] const Section* find_section(std::string_view name);
[[nodiscard]] const Key* find_key(std::string_view section, std::string_view name);
[[nodiscard]] const Key* find_key(std::string_view full_name);

// The row's place in keys().
[[nodiscard]] std::size_t index_of(const Key& key);

}  // namespace chappe::server
