#pragma once

// Reads the data types of section 1.5 from bytes that are all there. Never reads past the end: a field that does not
// fit is a Malformed Packet. Internal to mqtt.

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "mqtt/reason_code.h"
#include "mqtt/topic.h"

namespace chappe::mqtt {

class ByteReader {
public:
    explicit ByteReader(Bytes bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    [[nodiscard]] bool empty() const noexcept { return at_ == end_; }
    [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    [[nodiscard]] Result<std::uint8_t> u8() {
        if (size() < 1) return truncated();
        return *at_++;
    }

    [[nodiscard]] Result<std::uint16_t> u16() {
        if (size() < 2) return truncated();
        const auto value = static_cast<std::uint16_t>(at_[0] << 8 | at_[1]);
        at_ += 2;
        return value;
    }

    [[nodiscard]] Result<std::uint32_t> u32() {
        if (size() < 4) return truncated();
        const auto value = static_cast<std::uint32_t>(at_[0]) << 24 | static_cast<std::uint32_t>(at_[1]) << 16 |
                           static_cast<std::uint32_t>(at_[2]) << 8 | at_[3];
        at_ += 4;
        return value;
    }

    // Four bytes at most, and no more than the value needs ([MQTT-1.5.5-1]).
    [[nodiscard]] Result<std::uint32_t> variable_byte_integer() {
        std::uint32_t value = 0;
        for (unsigned shift = 0; shift <= 21; shift += 7) {
            if (empty()) return truncated();
            const auto byte = *at_++;
            value |= static_cast<std::uint32_t>(byte & 0x7F) << shift;
            if ((byte & 0x80) != 0) continue;
            if (byte == 0 && shift != 0) break;
            return value;
        }
        return failure(ReasonCode::MalformedPacket, "variable byte integer is too long");
    }

    [[nodiscard]] Result<Bytes> take(std::size_t count) {
        if (size() < count) return truncated();
        const Bytes taken(at_, count);
        at_ += count;
        return taken;
    }

    [[nodiscard]] Bytes rest() noexcept {
        const Bytes taken(at_, end_);
        at_ = end_;
        return taken;
    }

    // Binary Data: two bytes of length, then the data (1.5.6).
    [[nodiscard]] Result<Bytes> binary() {
        const auto count = TRY(u16());
        return take(count);
    }

    // UTF-8 Encoded String ([MQTT-1.5.4-1], [MQTT-1.5.4-2]).
    [[nodiscard]] Result<std::string_view> string() {
        const auto text = as_text(TRY(binary()));
        if (!is_valid_utf8(text)) return failure(ReasonCode::MalformedPacket, "text is not valid UTF-8");
        return text;
    }

    [[nodiscard]] Result<> expect_end() const {
        if (!empty()) return failure(ReasonCode::MalformedPacket, "bytes are left over after the packet");
        return {};
    }

private:
    [[nodiscard]] static std::unexpected<Error> truncated() {
        return failure(ReasonCode::MalformedPacket, "packet ends in the middle of a field");
    }

    const std::uint8_t* at_;
    const std::uint8_t* end_;
};

}  // namespace chappe::mqtt
