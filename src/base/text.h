#pragma once

// Small things about text.

#include <algorithm>
#include <string_view>

namespace chappe {

inline constexpr std::string_view blanks = " \t\r\n";

// Without the blanks at its begin and end.
constexpr std::string_view trimmed(std::string_view text) noexcept {
    const auto begin = text.find_first_not_of(blanks);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

// ASCII's letters only.
constexpr char lower(char letter) noexcept {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

constexpr bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower, lower);
}

constexpr bool is_control(char character) noexcept {
    const auto byte = static_cast<unsigned char>(character);
    return byte < 0x20 || byte == 0x7F;
}

}  // namespace chappe
