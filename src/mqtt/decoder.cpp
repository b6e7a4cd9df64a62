#include "mqtt/decoder.h"

#include <algorithm>

#include "mqtt/decode_packets.h"

namespace chappe::mqtt {

namespace {

// The fixed header's flags, except those of PUBLISH, which mean something and are read with it ([MQTT-2.1.3-1]).
// In 3.1 the three packets that ask for an answer have a DUP flag too; decode() refuses it in later versions.
bool flags_are_valid(PacketType type, std::uint8_t flags) noexcept {
    constexpr std::uint8_t dup = 0b1000;
    switch (type) {
        case PacketType::Publish:
            return true;
        case PacketType::PubRel:
        case PacketType::Subscribe:
        case PacketType::Unsubscribe:
            return (flags & ~dup) == 0b0010;
        default:
            return flags == 0;
    }
}

bool has_dup_of_v31(const Frame& frame) noexcept {
    return frame.type != PacketType::Publish && (frame.flags & 0b1000) != 0;
}

bool is_sent_by(Sender sender, PacketType type, ProtocolVersion version) noexcept {
    switch (type) {
        case PacketType::Connect:
        case PacketType::Subscribe:
        case PacketType::Unsubscribe:
        case PacketType::PingReq:
            return sender == Sender::Client;
        case PacketType::ConnAck:
        case PacketType::SubAck:
        case PacketType::UnsubAck:
        case PacketType::PingResp:
            return sender == Sender::Server;
        case PacketType::Disconnect:
            return sender == Sender::Client || version == ProtocolVersion::V5;
        default:
            return true;
    }
}

Result<> check_frame(const Frame& frame, DecodeContext context) {
    if (frame.type == PacketType::Connect) context.version = ProtocolVersion::V5;  // Not agreed on yet.
    if (frame.type == PacketType::Auth && !context.v5()) {
        return failure(ReasonCode::MalformedPacket, "packet type 15 is reserved before 5.0");
    }
    if (has_dup_of_v31(frame) && context.version != ProtocolVersion::V31) {
        return failure(ReasonCode::MalformedPacket, "reserved flags are set");
    }
    if (!is_sent_by(context.sender, frame.type, context.version)) {
        return failure(ReasonCode::ProtocolError, "packet is not for this direction");
    }
    return {};
}

// Runs a decode_...() function and refuses what it leaves over.
template <class Decode, class... Context>
Result<Packet> decode_all(Decode decode_one, const Frame& frame, Context... context) {
    ByteReader in(frame.body);
    auto packet = TRY(decode_one(in, context...));
    TRY(in.expect_end());
    return Packet(std::move(packet));
}

template <class Empty>
Result<Packet> decode_empty(const Frame& frame) {
    TRY(ByteReader(frame.body).expect_end());
    return Packet(Empty{});
}

Result<Packet> decode_as_packet(const Frame& frame, DecodeContext context) {
    Publish publish;
    TRY(decode(frame, context.version, context.sender, publish, context.limits));
    return Packet(std::move(publish));
}

}  // namespace

Result<std::optional<Frame>> frame(Bytes bytes, std::size_t packet_size_max, std::size_t* bytes_needed) {
    const auto need_more = [&](std::size_t size) -> std::optional<Frame> {
        if (bytes_needed != nullptr) *bytes_needed = size;
        return std::nullopt;
    };
    if (bytes.empty()) return need_more(2);
    const auto type = static_cast<PacketType>(bytes[0] >> 4);
    const auto flags = static_cast<std::uint8_t>(bytes[0] & 0x0F);
    if (bytes[0] >> 4 == 0) return failure(ReasonCode::MalformedPacket, "packet type 0 is reserved");
    if (!flags_are_valid(type, flags)) return failure(ReasonCode::MalformedPacket, "reserved flags are set");

    constexpr std::size_t header_size_max = 5;
    const auto header = bytes.first(std::min(bytes.size(), header_size_max));
    const auto length_bytes = header.subspan(1);
    const auto length_complete = std::ranges::any_of(length_bytes, [](std::uint8_t byte) { return byte < 0x80; });
    if (!length_complete && header.size() < header_size_max) return need_more(header.size() + 1);
    ByteReader in(length_bytes);
    const auto remaining_length = TRY(in.variable_byte_integer());

    const auto header_size = header.size() - in.size();
    const auto size = header_size + remaining_length;
    if (size > packet_size_max) return failure(ReasonCode::PacketTooLarge, "packet is larger than allowed");
    if (bytes.size() < size) return need_more(size);
    return Frame{type, flags, bytes.subspan(header_size, remaining_length), size};
}

Result<Packet> decode(const Frame& frame, ProtocolVersion version, Sender sender, DecodeLimits limits) {
    const DecodeContext context{version, sender, limits};
    TRY(check_frame(frame, context));
    switch (frame.type) {
        case PacketType::Connect:
            return decode_all(decode_connect, frame, context);
        case PacketType::ConnAck:
            return decode_all(decode_connack, frame, context);
        case PacketType::Publish:
            return decode_as_packet(frame, context);
        case PacketType::PubAck:
            return decode_all(decode_puback, frame, context);
        case PacketType::PubRec:
            return decode_all(decode_pubrec, frame, context);
        case PacketType::PubRel:
            return decode_all(decode_pubrel, frame, context);
        case PacketType::PubComp:
            return decode_all(decode_pubcomp, frame, context);
        case PacketType::Subscribe:
            return decode_all(decode_subscribe, frame, context);
        case PacketType::SubAck:
            return decode_all(decode_suback, frame, context);
        case PacketType::Unsubscribe:
            return decode_all(decode_unsubscribe, frame, context);
        case PacketType::UnsubAck:
            return decode_all(decode_unsuback, frame, context);
        case PacketType::PingReq:
            return decode_empty<PingReq>(frame);
        case PacketType::PingResp:
            return decode_empty<PingResp>(frame);
        case PacketType::Disconnect:
            return decode_all(decode_disconnect, frame, context);
        case PacketType::Auth:
            return decode_all(decode_auth, frame, context);
    }
    return failure(ReasonCode::MalformedPacket, "packet type 0 is reserved");
}

Result<> decode(const Frame& frame, ProtocolVersion version, Sender sender, Publish& out, DecodeLimits limits) {
    ASSERT(frame.type == PacketType::Publish);
    ByteReader in(frame.body);
    return decode_publish(frame.flags, in, {version, sender, limits}, out);  // The payload takes all that is left.
}

Result<PacketId> read_packet_id(ByteReader& in, DecodeContext context) {
    const PacketId id{TRY(in.u16())};
    if (id.value == 0) {
        return failure(context.v5() ? ReasonCode::ProtocolError : ReasonCode::MalformedPacket,
                       "packet identifier is 0");
    }
    return id;
}

Result<ReasonCode> read_reason_code(ByteReader& in, PacketType type, DecodeContext context) {
    const auto code = static_cast<ReasonCode>(TRY(in.u8()));
    if (!is_allowed(code, type, context.sender)) {
        return failure(ReasonCode::ProtocolError, "reason code is not one of this packet's");
    }
    return code;
}

}  // namespace chappe::mqtt
