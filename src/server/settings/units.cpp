#include "server/settings/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

#include "base/result.h"

namespace chappe::server {

namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};

constexpr std::uint64_t kibi = 1024;
constexpr std::uint64_t kilo = 1000;

// print_size takes the first one that divides the number, so the large ones come first and the binary ones before the
// decimal.
constexpr std::array size_units = {
    Unit{"TiB", kibi* kibi* kibi* kibi},
    Unit{"GiB", kibi* kibi* kibi},
    Unit{"MiB", kibi* kibi},
    Unit{"KiB", kibi},
    Unit{"TB", kilo* kilo* kilo* kilo},
    Unit{"GB", kilo* kilo* kilo},
    Unit{"MB", kilo* kilo},
    Unit{"kB", kilo},
    Unit{"B", 1},
};

constexpr std::array duration_units = {
    Unit{"w", 7 * 24 * 3600}, Unit{"d", 24 * 3600}, Unit{"h", 3600}, Unit{"m", 60}, Unit{"s", 1},
};

bool same_word(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b,
                              [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::optional<std::uint64_t> factor_of(std::string_view unit, std::span<const Unit> units) {
    const auto found = std::ranges::find_if(units, [&](const Unit& known) { return same_word(known.name, unit); });
    return found == units.end() ? std::nullopt : std::optional(found->factor);
}

std::string too_large(std::string_view text) { return '"' + std::string(text) + "\" is too large a number"; }

// The bare number counts in the unit that the setting is kept in, so its factor is 1.
std::expected<std::uint64_t, std::string> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                                          std::string_view expected) {
    const auto digits_end = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto unit = text.substr(std::min(text.find_first_not_of(' ', digits_end), text.size()));
    const auto factor = unit.empty() && digits_end == text.size() ? 1 : factor_of(unit, units);
    if (digits_end == 0 || !factor) {
        return std::unexpected('"' + std::string(text) + "\" is not " + std::string(expected));
    }
    const auto number = TRY(parse_number(text.substr(0, digits_end)));
    if (number > std::numeric_limits<std::uint64_t>::max() / *factor) return std::unexpected(too_large(text));
    return number * *factor;
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_number(std::string_view text) {
    std::uint64_t number = 0;
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::result_out_of_range) return std::unexpected(too_large(text));
    if (error != std::errc{} || stopped != end) {
        return std::unexpected('"' + std::string(text) + "\" is not a whole number");
    }
    return number;
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
    return parse_with_unit(
        text, size_units,
        "a size: write a number of bytes, or a whole number with kB, MB, GB, KiB, MiB or GiB, such as "
        "\"16 MiB\"");
}

std::expected<std::uint64_t, std::string> parse_duration(std::string_view text) {
    return parse_with_unit(
        text, duration_units,
        "a duration: write a number of seconds, or a whole number with s, m, h, d or w, such as \"5m\"");
}

std::string print_size(std::uint64_t bytes) {
    for (const auto& unit : size_units) {
        if (bytes == 0 || unit.factor == 1) break;
        if (bytes % unit.factor == 0) return std::to_string(bytes / unit.factor) + ' ' + std::string(unit.name);
    }
    return std::to_string(bytes);
}

std::string print_duration(std::uint64_t seconds) {
    for (const auto& unit : duration_units) {
        // "7d" is read more easily than "1w".
        if (seconds == 0 || unit.name == "w") continue;
        if (seconds % unit.factor == 0) return std::to_string(seconds / unit.factor) + std::string(unit.name);
    }
    return std::to_string(seconds) + 's';
}

}  // namespace chappe::server
