#pragma once

// Writes the data types of section 1.5. ByteCounter and ByteWriter have the same functions: a packet is described once,
// counted with the one and written with the other, so that the space is exact. Internal to mqtt.

#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/assert.h"
#include "base/bytes.h"
#include "mqtt/encoder.h"

namespace chappe::mqtt {

class ByteCounter {
public:
    void u8(std::uint8_t) noexcept { size_ += 1; }
    void u16(std::uint16_t) noexcept { size_ += 2; }
    void u32(std::uint32_t) noexcept { size_ += 4; }
    void variable_byte_integer(std::size_t value) noexcept {
        size_ += variable_byte_integer_size(static_cast<std::uint32_t>(value));
    }
    void raw(Bytes bytes) noexcept { size_ += bytes.size(); }
    // What is longer than its length can say counts for more than a packet may have, so that whoever compares sizes
    // finds out.
    void binary(Bytes bytes) noexcept {
        size_ += 2 + bytes.size();
        if (bytes.size() > std::numeric_limits<std::uint16_t>::max()) size_ += packet_size_limit;
    }
    void string(std::string_view text) noexcept { binary(as_bytes(text)); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::size_t size_ = 0;
};

class ByteWriter {
public:
    explicit ByteWriter(std::uint8_t* at) noexcept : at_(at) {}

    void u8(std::uint8_t value) noexcept { *at_++ = value; }
    void u16(std::uint16_t value) noexcept {
        at_[0] = static_cast<std::uint8_t>(value >> 8);
        at_[1] = static_cast<std::uint8_t>(value);
        at_ += 2;
    }
    void u32(std::uint32_t value) noexcept {
        u16(static_cast<std::uint16_t>(value >> 16));
        u16(static_cast<std::uint16_t>(value));
    }
    void variable_byte_integer(std::size_t value) {
        ASSERT(value <= remaining_length_max);
        at_ = write_variable_byte_integer(static_cast<std::uint32_t>(value), at_);
    }
    void raw(Bytes bytes) noexcept {
        if (bytes.empty()) return;  // memcpy may not be given a null pointer.
        std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }
    void binary(Bytes bytes) {
        ASSERT(bytes.size() <= std::numeric_limits<std::uint16_t>::max());
        u16(static_cast<std::uint16_t>(bytes.size()));
        raw(bytes);
    }
    void string(std::string_view text) { binary(as_bytes(text)); }

    [[nodiscard]] const std::uint8_t* at() const noexcept { return at_; }

private:
    std::uint8_t* at_;
};

}  // namespace chappe::mqtt
