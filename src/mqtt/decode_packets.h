#pragma once

// One function per packet, or per group of packets of one form. Internal to mqtt; decoder.cpp picks the right one.
// `in` is at the start of the packet's body; what is left in it afterwards, the caller refuses.

#include "mqtt/byte_reader.h"
#include "mqtt/decoder.h"

namespace chappe::mqtt {

// What a packet is read against.
struct DecodeContext {
    ProtocolVersion version;
    Sender sender;
    DecodeLimits limits;

    [[nodiscard]] bool v5() const noexcept { return version == ProtocolVersion::V5; }
};

// The version is the packet's own.
[[nodiscard]] Result<Connect> decode_connect(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<ConnAck> decode_connack(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<> decode_publish(std::uint8_t flags, ByteReader& in, DecodeContext context, Publish& out);
[[nodiscard]] Result<PubAck> decode_puback(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<PubRec> decode_pubrec(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<PubRel> decode_pubrel(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<PubComp> decode_pubcomp(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<Subscribe> decode_subscribe(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<SubAck> decode_suback(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<Unsubscribe> decode_unsubscribe(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<UnsubAck> decode_unsuback(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<Disconnect> decode_disconnect(ByteReader& in, DecodeContext context);
[[nodiscard]] Result<Auth> decode_auth(ByteReader& in, DecodeContext context);

// A packet identifier is never 0 ([MQTT-2.2.1-3], [MQTT3-2.3.1-1]).
[[nodiscard]] Result<PacketId> read_packet_id(ByteReader& in, DecodeContext context);

// A reason code that `type` may carry in this direction.
[[nodiscard]] Result<ReasonCode> read_reason_code(ByteReader& in, PacketType type, DecodeContext context);

}  // namespace chappe::mqtt
