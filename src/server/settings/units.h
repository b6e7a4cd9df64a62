#pragma once

// Sizes and durations as people write them. An error is a sentence that says what would be right.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace chappe::server {

// "16 MiB", "64kB" or "1048576": kB, MB, GB and TB count in thousands, KiB, MiB, GiB and TiB in 1024.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_size(std::string_view text);

// "10s", "5m", "36h", "90d", "2w" or "600": whole seconds.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_duration(std::string_view text);

// Only digits, and less than 2^64.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_number(std::string_view text);

// The shortest form that says exactly the same: the largest unit that divides the number, or the bare number of bytes.
[[nodiscard]] std::string print_size(std::uint64_t bytes);        // "16 MiB", "1000", "0"
[[nodiscard]] std::string print_duration(std::uint64_t seconds);  // "90d", "90m", "0s"

}  // namespace chappe::server
