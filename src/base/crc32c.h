#pragma once

// CRC-32C (Castagnoli), as iSCSI has it (RFC 3720, 12.1): against mistakes on the way, not against intent.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace chappe {

namespace detail {

inline constexpr auto crc32c_of_bytes = [] {
    constexpr std::uint32_t polynomial = 0x82f63b78;  // 0x1edc6f41, the lowest bit first.
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte != table.size(); ++byte) {
        auto value = byte;
        for (int bit = 0; bit != 8; ++bit) value = value >> 1 ^ (value % 2 != 0 ? polynomial : 0);
        table[byte] = value;
    }
    return table;
}();

}  // namespace detail

// `before` is that of the bytes that stand before these; 0 where there are none.
[[nodiscard]] constexpr std::uint32_t crc32c(Bytes bytes, std::uint32_t before = 0) noexcept {
    auto state = ~before;
    for (const auto byte : bytes) state = state >> 8 ^ detail::crc32c_of_bytes[(state ^ byte) & 0xff];
    return ~state;
}

}  // namespace chappe
