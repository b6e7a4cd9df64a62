#pragma once

// From packets to bytes. Each packet is measured, then written once into space of just that size at the end of `out`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "mqtt/packet.h"

namespace chappe::mqtt {

// Appends the packet. Fields that `version` does not have are left out. The packet must be legal: lengths that fit,
// packet ids that are not 0, reason codes that this packet may carry. Connect is encoded in its own `version` field.
// In 3.1 and 3.1.1 a failure in SUBACK becomes 0x80, and the reason code of CONNACK its return code; one that has none
// (see connect_return_code()) becomes 3, so a server that has to close without CONNACK must ask first.
void encode(const Packet& packet, ProtocolVersion version, Buffer& out);

void encode(const Connect& packet, Buffer& out);
void encode(const ConnAck& packet, ProtocolVersion version, Buffer& out);
void encode(const Publish& packet, ProtocolVersion version, Buffer& out);
void encode(const PubAck& packet, ProtocolVersion version, Buffer& out);
void encode(const PubRec& packet, ProtocolVersion version, Buffer& out);
void encode(const PubRel& packet, ProtocolVersion version, Buffer& out);
void encode(const PubComp& packet, ProtocolVersion version, Buffer& out);
void encode(const Subscribe& packet, ProtocolVersion version, Buffer& out);
void encode(const SubAck& packet, ProtocolVersion version, Buffer& out);
void encode(const Unsubscribe& packet, ProtocolVersion version, Buffer& out);
void encode(const UnsubAck& packet, ProtocolVersion version, Buffer& out);
void encode(const PingReq& packet, ProtocolVersion version, Buffer& out);
void encode(const PingResp& packet, ProtocolVersion version, Buffer& out);
void encode(const Disconnect& packet, ProtocolVersion version, Buffer& out);
void encode(const Auth& packet, ProtocolVersion version, Buffer& out);

// The size that encode() would append, for comparing with the peer's Maximum Packet Size first. More than
// packet_size_limit where the packet cannot be encoded: it, or one of its texts, is too long.
[[nodiscard]] std::size_t encoded_size(const Packet& packet, ProtocolVersion version);
[[nodiscard]] std::size_t encoded_size(const Publish& packet, ProtocolVersion version);

// Variable Byte Integer (1.5.5): 1 to 4 bytes for values up to 268,435,455.
[[nodiscard]] constexpr std::size_t variable_byte_integer_size(std::uint32_t value) noexcept {
    return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}
std::uint8_t* write_variable_byte_integer(std::uint32_t value, std::uint8_t* out) noexcept;

// The properties of a message that a broker hands on unchanged (payload format, content type, response topic,
// correlation data, user properties in their order), encoded as they stand in a PUBLISH, without the length before
// them. Message expiry is not among them: it is counted down while the message waits.
void encode_forwarded_properties(const MessageProperties& properties, Buffer& out);

// Reads back what encode_forwarded_properties() wrote. The views point into `bytes`.
[[nodiscard]] Result<MessageProperties> decode_forwarded_properties(Bytes bytes);

// A PUBLISH for one of many subscribers, without its payload, which is sent from where it is kept.
struct PublishHead {
    QoS qos = QoS::AtMostOnce;
    bool retain = false;
    std::string_view topic;  // Empty where a topic alias stands for it.
    std::optional<std::uint16_t> topic_alias;
    std::optional<std::uint32_t> message_expiry_interval_seconds;
    std::span<const std::uint32_t> subscription_identifiers;
    Bytes forwarded_properties;  // As encode_forwarded_properties() wrote them.
    std::size_t payload_size = 0;
};

// Appends all that stands before the payload. Returns how far from there the packet identifier is, which is left 0;
// with QoS 0 there is none. Where the packet would be larger than packet_size_limit it appends and returns nothing:
// what came as a packet may grow on its way out, by the properties of 5.0 or by subscription identifiers.
[[nodiscard]] std::optional<std::size_t> encode(const PublishHead& head, ProtocolVersion version, Buffer& out);

}  // namespace chappe::mqtt
