#pragma once

// TOML text to the values in it, with their places. Knows no setting. Its .cpp is the only file that includes toml++.

#include <string>
#include <string_view>
#include <vector>

#include "server/settings/value.h"

namespace chappe::server {

struct Entry {
    std::string name;
    Position position;  // Of the name.
    Raw value;
};

struct Table {
    std::string name;  // Empty for what stands before the first section.
    Position position;
    bool is_repeated = false;  // One of several: [[name]].
    std::vector<Entry> entries;
};

struct Document {
    std::vector<Table> tables;
    std::vector<Mistake> mistakes;
};

// Reads on after a mistake where the rest can be understood without it, so that a person sees all mistakes at once.
[[nodiscard]] Document read_toml(std::string_view text);

}  // namespace chappe::server
