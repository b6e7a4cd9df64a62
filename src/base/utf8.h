#pragma once

#include <string_view>

namespace chappe {

// Well-formed UTF-8 as MQTT wants it (section 1.5.4): no surrogates, and no U+0000. Tested in mqtt/utf8_test.cpp.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace chappe
