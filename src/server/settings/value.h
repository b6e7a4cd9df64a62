#pragma once

// One value on its way in (from the file or the command line) and out (to the file's syntax).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/settings/key.h"

namespace chappe::server {

struct Position {
    std::uint32_t line = 0;  // From 1. 0: nowhere in a file.
    std::uint32_t column = 0;
};

// What can stand in a file and is the value of no setting: a fraction, a date, a table.
struct Foreign {
    std::string_view description;
};

// A value as it was written, before it is known what it is for.
struct Raw {
    std::variant<Foreign, bool, std::int64_t, std::string, std::vector<Raw>> content;
    Position position;
};

struct Mistake {
    Position position;
    std::string message;
};

// Checks type, unit, choice and range.
[[nodiscard]] std::expected<Value, std::vector<Mistake>> read_value(const Key& key, const Raw& raw);

// A word of the command line, which has no quotes and brackets to tell its type from. The items of an array have commas
// between them, nothing is an empty array, and one as it stands in a file is taken too: a,b or ["a", "b"]. The error is
// for what is in brackets and is none.
[[nodiscard]] std::expected<Raw, std::string> raw_from_text(const Key& key, std::string_view text);

// The value in the syntax of the file, in its canonical form: read_value() reads the same from it.
[[nodiscard]] std::string print_value(const Key& key, const Value& value);

// A text in TOML's quotes.
[[nodiscard]] std::string quote(std::string_view text);

}  // namespace chappe::server
