#include "web/frame.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/assert.h"

namespace chappe::web {

namespace {

constexpr std::uint8_t final_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t opcode_bits = 0x0F;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_bits = 0x7F;
constexpr std::uint8_t length_of_16_bits = 126;
constexpr std::uint8_t length_of_64_bits = 127;

std::uint64_t big_endian(Bytes bytes) noexcept {
    std::uint64_t value = 0;
    for (const auto byte : bytes) value = value << 8 | byte;
    return value;
}

Violation protocol_error(std::string_view why) { return {CloseCode::ProtocolError, why}; }

// Codes that an endpoint may send (section 7.4).
bool may_be_sent(std::uint64_t code) noexcept {
    if (code >= 3000) return code < 5000;
    return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

}  // namespace

FrameHead::FrameHead(Opcode opcode, std::size_t payload_size) noexcept : size_(payload_size < 126 ? 2 : 4) {
    ASSERT(payload_size <= frame_payload_max);
    bytes_[0] = final_bit | static_cast<std::uint8_t>(opcode);
    bytes_[1] = size_ == 2 ? static_cast<std::uint8_t>(payload_size) : length_of_16_bits;
    bytes_[2] = static_cast<std::uint8_t>(payload_size >> 8);
    bytes_[3] = static_cast<std::uint8_t>(payload_size);
}

void append_frame(Opcode opcode, Bytes payload, Buffer& out) {
    out.append(FrameHead(opcode, payload.size()).bytes());
    out.append(payload);
}

void append_close(CloseCode code, std::string_view why, Buffer& out) {
    if (code == CloseCode::None) return append_frame(Opcode::Close, {}, out);
    const auto reason = why.substr(0, control_payload_max - 2);
    out.append(FrameHead(Opcode::Close, 2 + reason.size()).bytes());
    auto* place = out.grow(2);
    place[0] = static_cast<std::uint8_t>(static_cast<std::uint16_t>(code) >> 8);
    place[1] = static_cast<std::uint8_t>(code);
    out.append(reason);
}

FrameReader::Outcome FrameReader::decode(std::span<std::uint8_t> bytes) {
    Outcome outcome;
    std::size_t at = 0;
    while (true) {
        if (in_payload_ && left_ == 0) {
            finish_frame(outcome);
            if (outcome.close || outcome.violation) return outcome;
        }
        if (at == bytes.size()) return outcome;
        if (in_payload_) {
            const auto part = bytes.subspan(at, std::min<std::uint64_t>(left_, bytes.size() - at));
            unmask(part);
            if (is_control()) {
                control_.append(part);
            } else if (outcome.size != at) {
                std::memmove(bytes.data() + outcome.size, part.data(), part.size());
            }
            if (!is_control()) outcome.size += part.size();
            at += part.size();
            left_ -= part.size();
            continue;
        }
        head_[head_read_++] = bytes[at++];
        outcome.violation = take_head();
        if (outcome.violation) return outcome;
    }
}

// How long the head is, as far as is known.
std::size_t FrameReader::head_size() const noexcept {
    const auto length = head_read_ < 2 ? 0 : head_[1] & length_bits;
    return 2 + (length == length_of_16_bits ? 2 : length == length_of_64_bits ? 8 : 0) + mask_.size();
}

// After one more byte of it. What is wrong is said as soon as it can be seen.
std::optional<Violation> FrameReader::take_head() {
    if (head_read_ == 1) return check_opcode();
    if (head_read_ == 2) {
        if ((head_[1] & mask_bit) == 0) return protocol_error("a frame of a client is not masked");
        if (is_control() && (head_[1] & length_bits) > control_payload_max) {
            return protocol_error("a control frame is too long");
        }
    }
    if (head_read_ < head_size()) return {};

    const auto length = head_[1] & length_bits;
    const auto extended = Bytes(head_).subspan(2, head_size() - 2 - mask_.size());
    left_ = extended.empty() ? length : big_endian(extended);
    if (length == length_of_16_bits && left_ < length_of_16_bits) return protocol_error("a length is not minimal");
    if (length == length_of_64_bits && left_ <= 0xFFFF) return protocol_error("a length is not minimal");
    if (left_ >> 63 != 0) return protocol_error("a length has its highest bit set");
    std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(head_size() - mask_.size()), mask_.size(), mask_.begin());
    mask_at_ = 0;
    head_read_ = 0;
    in_payload_ = true;
    return {};
}

std::optional<Violation> FrameReader::check_opcode() {
    if ((head_[0] & reserved_bits) != 0) return protocol_error("a reserved bit is set");
    last_ = (head_[0] & final_bit) != 0;
    opcode_ = static_cast<Opcode>(head_[0] & opcode_bits);
    switch (opcode_) {
        case Opcode::Continuation:
            if (!in_message_) return protocol_error("a continuation of no message");
            break;
        case Opcode::Text:
            if (in_message_) return protocol_error("a message begins within another");
            return Violation{CloseCode::UnsupportedData, "MQTT needs binary frames [MQTT-6.0.0-1]"};
        case Opcode::Binary:
            if (in_message_) return protocol_error("a message begins within another");
            break;
        case Opcode::Close:
        case Opcode::Ping:
        case Opcode::Pong:
            if (!last_) return protocol_error("a control frame is in fragments");
            return {};
        default:
            return protocol_error("an unknown opcode");
    }
    in_message_ = !last_;
    return {};
}

void FrameReader::unmask(std::span<std::uint8_t> bytes) noexcept {
    std::array<std::uint8_t, 8> turned{};  // The mask, from where it is on.
    for (std::size_t index = 0; index < turned.size(); ++index) turned[index] = mask_[(mask_at_ + index) % 4];
    std::uint64_t mask = 0;
    std::memcpy(&mask, turned.data(), sizeof mask);
    mask_at_ = static_cast<std::uint8_t>((mask_at_ + bytes.size()) % 4);

    auto* place = bytes.data();
    auto left = bytes.size();
    for (; left >= sizeof mask; left -= sizeof mask, place += sizeof mask) {
        std::uint64_t word = 0;
        std::memcpy(&word, place, sizeof word);
        word ^= mask;
        std::memcpy(place, &word, sizeof word);
    }
    for (std::size_t index = 0; index < left; ++index) place[index] ^= turned[index];
}

void FrameReader::finish_frame(Outcome& outcome) {
    in_payload_ = false;
    if (!is_control()) return;
    auto payload = std::exchange(control_, {});
    if (opcode_ == Opcode::Ping) {
        outcome.ping = std::move(payload);
    } else if (opcode_ == Opcode::Close) {
        take_close(payload.bytes(), outcome);
    }
}

void FrameReader::take_close(Bytes payload, Outcome& outcome) {
    if (payload.empty()) {
        outcome.close = CloseCode::None;
    } else if (payload.size() == 1 || !may_be_sent(big_endian(payload.first(2)))) {
        outcome.violation = protocol_error("a Close frame with a wrong code");
    } else {
        outcome.close = static_cast<CloseCode>(big_endian(payload.first(2)));
    }
}

}  // namespace chappe::web
