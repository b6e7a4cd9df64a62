#pragma once

// Small conversions of text that the client commands share.

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"
#include "mqtt/packet.h"

namespace chappe::app {

// A value, or what is wrong with what a person typed and what would be right.
template <class T = void>
using Checked = std::expected<T, std::string>;

[[nodiscard]] std::string to_base64(Bytes bytes);
enum class HexCase : std::uint8_t { Lower, Upper };
[[nodiscard]] std::string to_hex(Bytes bytes, HexCase letters);

// "%40" becomes "@"; fails on a '%' without two hexadecimal digits behind it.
[[nodiscard]] Checked<std::string> percent_decode(std::string_view text);

[[nodiscard]] Checked<std::uint32_t> parse_number(std::string_view text, std::uint32_t min, std::uint32_t max);
// "2", "0.5": seconds, not negative, at most a year.
[[nodiscard]] Checked<Duration> parse_seconds(std::string_view text);
[[nodiscard]] Checked<mqtt::QoS> parse_qos(std::string_view text);

// Control characters as "\x1b", except tab and line feed: what comes from a broker does not command a terminal.
[[nodiscard]] std::string without_control_characters(std::string_view text);

// "1.5 s".
[[nodiscard]] std::string seconds_text(Duration duration);

// "Quota exceeded (0x97)", and ": " with the reason when there is one.
[[nodiscard]] std::string reason_text(mqtt::ReasonCode code, std::string_view reason);

}  // namespace chappe::app
