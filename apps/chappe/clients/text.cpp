#include "apps/chappe/clients/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace chappe::app {

std::string to_base64(Bytes bytes) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const auto group = bytes.subspan(at, std::min<std::size_t>(3, bytes.size() - at));
        std::uint32_t bits = 0;
        for (std::size_t i = 0; i < 3; ++i) bits = bits << 8 | (i < group.size() ? group[i] : 0U);
        for (std::size_t i = 0; i < 4; ++i) text += i <= group.size() ? alphabet[bits >> (18 - 6 * i) & 0x3F] : '=';
    }
    return text;
}

std::string to_hex(Bytes bytes, HexCase letters) {
    const std::string_view digits = letters == HexCase::Lower ? "0123456789abcdef" : "0123456789ABCDEF";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const auto byte : bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 0x0F];
    }
    return text;
}

Checked<std::string> percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '%') {
            decoded += text[at];
            continue;
        }
        const auto digits = text.substr(at + 1, 2);
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (failure != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
            return std::unexpected("\"" + std::string(text) +
                                   "\" has a % without two hexadecimal digits; % itself is %25");
        }
        decoded += static_cast<char>(value);
        at += 2;
    }
    return decoded;
}

Checked<std::uint32_t> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max) {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure == std::errc() && end == text.data() + text.size() && value >= min && value <= max) return value;
    return std::unexpected("\"" + std::string(text) + "\" is not a whole number from " + std::to_string(min) + " to " +
                           std::to_string(max));
}

Checked<Duration> parse_seconds(std::string_view text) {
    constexpr double year = 366.0 * 24 * 3600;
    double seconds = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool whole = failure == std::errc() && end == text.data() + text.size();
    if (!whole || !std::isfinite(seconds) || seconds < 0 || seconds > year) {
        return std::unexpected("\"" + std::string(text) + "\" is not a number of seconds, such as 10 or 0.5");
    }
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

Checked<mqtt::QoS> parse_qos(std::string_view text) {
    if (text == "0" || text == "1" || text == "2") return static_cast<mqtt::QoS>(text.front() - '0');
    return std::unexpected("\"" + std::string(text) +
                           "\" is not a QoS; there are 0 (at most once), 1 (at least once) and " + "2 (exactly once)");
}

std::string without_control_characters(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto byte = static_cast<std::uint8_t>(text[at]);
        // In UTF-8, U+0080 to U+009F are 0xC2 and one byte up to 0x9F; terminals obey these too.
        const bool c1 = byte == 0xC2 && at + 1 < text.size() && static_cast<std::uint8_t>(text[at + 1]) <= 0x9F;
        if ((byte >= 0x20 && byte != 0x7F && !c1) || byte == '\t' || byte == '\n') {
            clean += text[at];
            continue;
        }
        const auto shown = c1 ? static_cast<std::uint8_t>(text[++at]) : byte;
        clean += "\\x" + to_hex({&shown, 1}, HexCase::Lower);
    }
    return clean;
}

std::string seconds_text(Duration duration) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3g s", std::chrono::duration<double>(duration).count());
    return text.data();
}

std::string reason_text(mqtt::ReasonCode code, std::string_view reason) {
    const auto value = static_cast<std::uint8_t>(code);
    auto text = std::string(to_string(code)) + " (0x" + to_hex({&value, 1}, HexCase::Upper) + ")";
    return reason.empty() ? text : text + ": " + without_control_characters(reason);
}

}  // namespace chappe::app
