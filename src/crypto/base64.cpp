#include "crypto/base64.h"

#include <array>
#include <cstdint>

namespace chappe::crypto {

namespace {

constexpr std::string_view standard_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view url_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t no_digit = 0xFF;
using Digits = std::array<std::uint8_t, 256>;

constexpr Digits digits_of(std::string_view alphabet) {
    Digits digits{};
    digits.fill(no_digit);
    for (std::size_t value = 0; value != alphabet.size(); ++value) {
        digits[static_cast<unsigned char>(alphabet[value])] = static_cast<std::uint8_t>(value);
    }
    return digits;
}

constexpr Digits standard_digits = digits_of(standard_alphabet);
constexpr Digits url_digits = digits_of(url_alphabet);

bool is_for_urls(Base64 form) noexcept { return form == Base64::Url || form == Base64::UrlPadded; }
bool is_padded(Base64 form) noexcept { return form == Base64::Padded || form == Base64::UrlPadded; }

// Without the padding, or nothing where it is not as it must be.
std::optional<std::string_view> without_padding(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int count = 0; count != 2 && text.ends_with('='); ++count) text.remove_suffix(1);
    return text;
}

}  // namespace

std::string encode_base64(std::string_view bytes, Base64 form) {
    const auto alphabet = is_for_urls(form) ? url_alphabet : standard_alphabet;
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6) text += alphabet[bits >> (count - 6) & 63];
    }
    if (count != 0) text += alphabet[bits << (6 - count) & 63];
    while (is_padded(form) && text.size() % 4 != 0) text += '=';
    return text;
}

std::optional<std::string> decode_base64(std::string_view text, Base64 form) {
    if (is_padded(form)) {
        const auto digits = without_padding(text);
        if (!digits) return std::nullopt;
        text = *digits;
    }
    if (text.size() % 4 == 1) return std::nullopt;
    const auto& digits = is_for_urls(form) ? url_digits : standard_digits;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3 + 2);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char character : text) {
        const auto digit = digits[static_cast<unsigned char>(character)];
        if (digit == no_digit) return std::nullopt;
        bits = bits << 6 | digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xFF);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;  // Bits that belong to no byte.
    return bytes;
}

}  // namespace chappe::crypto
