#pragma once

// What there is to say about a configuration, and where each value of it came from.

#include <cstdint>
#include <string>
#include <string_view>

namespace chappe::server {

struct Origin {
    enum class Kind : std::uint8_t { Default, File, CommandLine };

    Kind kind = Kind::Default;
    std::string place;         // The file's name, or the option.
    std::uint32_t line = 0;    // File only. 0: the file as a whole.
    std::uint32_t column = 0;  // File only. 0: the line as a whole.

    friend bool operator==(const Origin&, const Origin&) = default;
};

[[nodiscard]] std::string to_string(const Origin& origin);  // "default", "chappe.toml:12", "--listen"

// An error stops the broker from starting, and a reload from being applied. A warning does not.
enum class Severity : std::uint8_t { Error, Warning };

[[nodiscard]] std::string_view to_string(Severity severity) noexcept;  // "error"

struct Finding {
    Severity severity = Severity::Error;
    Origin origin;
    std::string message;  // What is wrong and what would be right.
};

[[nodiscard]] std::string to_string(const Finding& finding);  // "chappe.toml:12: error: ..."

}  // namespace chappe::server
