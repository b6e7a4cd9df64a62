#include "ldap/escape.h"

#include <cstddef>

#include "base/text.h"

namespace chappe::ldap {
namespace {

void append_as_hex(std::string& text, char byte) {
    static constexpr std::string_view digits = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(byte);
    text += '\\';
    text += digits[code >> 4];
    text += digits[code & 15];
}

}  // namespace

std::string escape_in_filter(std::string_view value) {
    std::string text;
    for (const char byte : value) {
        if (std::string_view("*()\\\0", 5).contains(byte)) {
            append_as_hex(text, byte);
        } else {
            text += byte;
        }
    }
    return text;
}

// As hexadecimal digits where "\" and the character would do as well: software that does not understand all of it has
// fewer ways to go wrong. The RFC does not want control characters escaped, but libldap takes some of them for spaces.
std::string escape_in_dn(std::string_view value) {
    std::string text;
    for (std::size_t i = 0; i != value.size(); ++i) {
        const char byte = value[i];
        const bool is_at_an_end = i == 0 || i + 1 == value.size();
        if (std::string_view("\"+,;<=>\\").contains(byte) || (byte == ' ' && is_at_an_end) || (byte == '#' && i == 0) ||
            is_control(byte)) {
            append_as_hex(text, byte);
        } else {
            text += byte;
        }
    }
    return text;
}

}  // namespace chappe::ldap
