#pragma once

// WebSocket's frames (RFC 6455, section 5), as a server sees them. No I/O: FrameReader is told bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"

namespace chappe::web {

enum class Opcode : std::uint8_t {
    Continuation = 0x0,
    Text = 0x1,
    Binary = 0x2,
    Close = 0x8,
    Ping = 0x9,
    Pong = 0xA,
};

enum class CloseCode : std::uint16_t {
    Normal = 1000,
    GoingAway = 1001,
    ProtocolError = 1002,
    UnsupportedData = 1003,
    None = 1005,  // A Close frame without a code. It is never sent as a number.
};

// Frames of ours are not longer, so that their head is short, and a receiver can take them whole.
inline constexpr std::size_t frame_payload_max = 0xFFFF;
inline constexpr std::size_t control_payload_max = 125;

// The head of an unmasked frame that is a whole message.
struct FrameHead {
    FrameHead(Opcode opcode, std::size_t payload_size) noexcept;

    [[nodiscard]] Bytes bytes() const noexcept { return std::span(bytes_).first(size_); }

private:
    std::array<std::uint8_t, 4> bytes_{};
    std::size_t size_;
};

void append_frame(Opcode opcode, Bytes payload, Buffer& out);
// `why` is cut to what a Close frame can hold.
void append_close(CloseCode code, std::string_view why, Buffer& out);

// What is wrong with a frame, and with which code the connection ends.
struct Violation {
    CloseCode code;
    std::string_view why;
};

// Takes frames apart, wherever they are cut. What it keeps between calls is a head that has not come whole, or the
// payload of a control frame; data goes on as it comes, so a frame of any length takes no memory.
class FrameReader {
public:
    struct Outcome {
        std::size_t size = 0;                // Bytes of data, which are now at the front of what was given.
        std::optional<Buffer> ping;          // Payload of the last Ping.
        std::optional<CloseCode> close;      // A Close frame came. What follows it was not looked at.
        std::optional<Violation> violation;  // The same, after an error.
    };

    // Decodes in place. Not called again after a Close frame or a violation.
    [[nodiscard]] Outcome decode(std::span<std::uint8_t> bytes);

private:
    [[nodiscard]] std::optional<Violation> take_head();
    [[nodiscard]] std::optional<Violation> check_opcode();
    [[nodiscard]] std::size_t head_size() const noexcept;
    void unmask(std::span<std::uint8_t> bytes) noexcept;
    void finish_frame(Outcome& outcome);
    static void take_close(Bytes payload, Outcome& outcome);
    [[nodiscard]] bool is_control() const noexcept { return opcode_ >= Opcode::Close; }

    std::array<std::uint8_t, 14> head_{};
    std::uint8_t head_read_ = 0;  // Bytes of `head_`.
    bool in_payload_ = false;
    bool last_ = false;        // This frame ends its message.
    bool in_message_ = false;  // A message has begun and not ended.
    Opcode opcode_ = Opcode::Continuation;
    std::uint8_t mask_at_ = 0;
    std::array<std::uint8_t, 4> mask_{};
    std::uint64_t left_ = 0;  // Of the payload.
    Buffer control_;          // Payload of a control frame so far.
};

}  // namespace chappe::web
