#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace chappe {

namespace {

constexpr std::uint64_t low_bits = 0x0101'0101'0101'0101;
constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;

// Subtracting 1 from each byte sets the high bit of a byte that was 0. A borrow can spoil only bytes after a 0, so the
// answer for all eight together is exact.
bool is_ascii_without_null(std::uint64_t eight_bytes) noexcept {
    return ((eight_bytes | (eight_bytes - low_bits)) & high_bits) == 0;
}

bool is_continuation(std::uint8_t byte) noexcept { return (byte & 0xC0) == 0x80; }

// The size of the code point at `at`, or 0 where it is not well-formed: table 3-7 of the Unicode standard, without
// U+0000.
std::size_t code_point_size(const std::uint8_t* at, std::size_t available) noexcept {
    const auto lead = at[0];
    if (lead < 0x80) return lead == 0 ? 0 : 1;
    if (lead < 0xC2 || lead > 0xF4) return 0;
    const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (available < size) return 0;
    for (std::size_t i = 1; i < size; ++i) {
        if (!is_continuation(at[i])) return 0;
    }
    const auto second = at[1];
    if (lead == 0xE0 && second < 0xA0) return 0;  // Overlong.
    if (lead == 0xED && second > 0x9F) return 0;  // A surrogate.
    if (lead == 0xF0 && second < 0x90) return 0;  // Overlong.
    if (lead == 0xF4 && second > 0x8F) return 0;  // Above U+10FFFF.
    return size;
}

}  // namespace

bool is_valid_utf8(std::string_view text) noexcept {
    const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto* const end = at + text.size();
    while (at != end) {
        const auto available = static_cast<std::size_t>(end - at);
        if (available >= sizeof(std::uint64_t)) {
            std::uint64_t eight_bytes;
            std::memcpy(&eight_bytes, at, sizeof(eight_bytes));
            if (is_ascii_without_null(eight_bytes)) {
                at += sizeof(eight_bytes);
                continue;
            }
        }
        const auto size = code_point_size(at, available);
        if (size == 0) return false;
        at += size;
    }
    return true;
}

}  // namespace chappe
