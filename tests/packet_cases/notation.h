#pragma once

// A notation for packets that shows their structure and counts the lengths:
//
//   10 { s'MQTT' 05 02 003C {} s'id' }
//
//   10 003C     bytes in hexadecimal, in pairs; spaces mean nothing
//   'text'      the bytes of the text
//   s'text'     a UTF-8 Encoded String (or Binary Data): two bytes of length, then the text
//   { ... }     a Variable Byte Integer with the size of what is inside, then that: Remaining Length, Property Length
//   xN'text'    the text N times (decimal), as in x1000'a', for packets that are long
//
// Wrong lengths are written in plain hexadecimal.

#include <charconv>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace chappe::mqtt::cases {

class Notation {
public:
    explicit Notation(std::string_view text) : rest_(text) {}

    [[nodiscard]] std::string bytes() {
        auto result = sequence();
        ASSERT(rest_.empty());  // A '}' too many.
        return result;
    }

private:
    // Until the end of the text, or of the braces.
    std::string sequence() {
        std::string result;
        while (!rest_.empty() && rest_.front() != '}') result += element();
        return result;
    }

    std::string element() {
        switch (rest_.front()) {
            case ' ':
            case '\n':
                take(1);
                return {};
            case '{':
                return counted();
            case '\'':
                return quoted();
            case 's':
                return string();
            case 'x':
                return repeated();
            default:
                return hexadecimal();
        }
    }

    std::string counted() {
        take(1);
        const auto inside = sequence();
        ASSERT(take(1) == "}");
        std::string length;
        auto size = inside.size();
        for (; size >= 0x80; size >>= 7) length += static_cast<char>(size | 0x80);
        return length + static_cast<char>(size) + inside;
    }

    std::string quoted() {
        take(1);
        const auto end = rest_.find('\'');
        ASSERT(end != std::string_view::npos);
        const std::string text(take(end));
        take(1);
        return text;
    }

    std::string string() {
        take(1);
        const auto text = rest_.front() == 'x' ? repeated() : quoted();
        ASSERT(text.size() <= 0xFFFF);
        return std::string{static_cast<char>(text.size() >> 8), static_cast<char>(text.size())} + text;
    }

    std::string repeated() {
        take(1);
        std::size_t count = 0;
        const auto parsed = std::from_chars(rest_.data(), rest_.data() + rest_.size(), count);
        take(static_cast<std::size_t>(parsed.ptr - rest_.data()));
        const auto text = quoted();
        std::string result;
        for (std::size_t i = 0; i < count; ++i) result += text;
        return result;
    }

    std::string hexadecimal() {
        unsigned value = 0;
        const auto digits = take(2);
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        ASSERT(parsed.ptr == digits.data() + 2);
        return {static_cast<char>(value)};
    }

    std::string_view take(std::size_t count) {
        ASSERT(count <= rest_.size());
        const auto taken = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return taken;
    }

    std::string_view rest_;
};

[[nodiscard]] inline std::string bytes_of(std::string_view notation) { return Notation(notation).bytes(); }

}  // namespace chappe::mqtt::cases
