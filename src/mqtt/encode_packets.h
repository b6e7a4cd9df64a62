#pragma once

// What follows the fixed header of each packet. `Out` is a ByteCounter or a ByteWriter. Internal to mqtt.

#include "mqtt/property_writer.h"

namespace chappe::mqtt {

// Bit 0x02 is reserved, and must be 1, in the packets that ask for an answer (table 2-2).
template <class Packet>
[[nodiscard]] constexpr std::uint8_t first_byte(PacketType type, const Packet&) {
    const auto asks = type == PacketType::PubRel || type == PacketType::Subscribe || type == PacketType::Unsubscribe;
    return static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | (asks ? 0b0010U : 0U));
}

[[nodiscard]] constexpr std::uint8_t first_byte_of_publish(bool dup, QoS qos, bool retain) {
    return static_cast<std::uint8_t>(static_cast<unsigned>(PacketType::Publish) << 4 | (dup ? 0b1000U : 0U) |
                                     static_cast<unsigned>(qos) << 1 | (retain ? 0b0001U : 0U));
}

[[nodiscard]] constexpr std::uint8_t first_byte(PacketType, const Publish& packet) {
    return first_byte_of_publish(packet.dup, packet.qos, packet.retain);
}

[[nodiscard]] constexpr bool is_v5(ProtocolVersion version) { return version == ProtocolVersion::V5; }

template <class Out>
void write_packet_id(PacketId id, Out& out) {
    ASSERT(id.value != 0);
    out.u16(id.value);
}

[[nodiscard]] constexpr std::uint8_t connect_flags(const Connect& packet) {
    unsigned flags = packet.clean_start ? 0x02 : 0;
    if (packet.will) flags |= 0x04U | static_cast<unsigned>(packet.will->qos) << 3 | (packet.will->retain ? 0x20U : 0U);
    if (packet.password) flags |= 0x40;
    if (packet.user_name) flags |= 0x80;
    return static_cast<std::uint8_t>(flags);
}

template <class Out>
void write_will(const Will& will, ProtocolVersion version, Out& out) {
    if (is_v5(version)) write_properties(will, out);
    out.string(will.topic);
    out.binary(will.payload);
}

template <class Out>
void write_body(const Connect& packet, ProtocolVersion, Out& out) {
    ASSERT(packet.user_name || !packet.password || is_v5(packet.version));  // [MQTT3-3.1.2-22]
    out.string(packet.version == ProtocolVersion::V31 ? "MQIsdp" : "MQTT");
    out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(packet.version) | (packet.bridge ? 0x80U : 0U)));
    out.u8(connect_flags(packet));
    out.u16(packet.keep_alive_seconds);
    if (is_v5(packet.version)) write_properties(packet, out);
    out.string(packet.client_id);
    if (packet.will) write_will(*packet.will, packet.version, out);
    if (packet.user_name) out.string(*packet.user_name);
    if (packet.password) out.binary(*packet.password);
}

template <class Out>
void write_body(const ConnAck& packet, ProtocolVersion version, Out& out) {
    out.u8(packet.session_present && version != ProtocolVersion::V31 ? 1 : 0);  // 3.1 does not have the flag.
    if (is_v5(version)) {
        out.u8(static_cast<std::uint8_t>(packet.reason_code));
        write_properties(packet, out);
    } else {
        constexpr std::uint8_t server_unavailable = 3;
        out.u8(connect_return_code(packet.reason_code).value_or(server_unavailable));
    }
}

template <class Out>
void write_body(const Publish& packet, ProtocolVersion version, Out& out) {
    out.string(packet.topic);
    if (packet.qos != QoS::AtMostOnce) write_packet_id(packet.packet_id, out);
    if (is_v5(version)) write_properties(packet, out);
    out.raw(packet.payload);
}

// Property Length and the properties of this delivery, then those that were encoded before.
template <class Out>
void write_properties(const PublishHead& head, Out& out) {
    const auto visit_own = [&](auto visit) {
        visit(PropertyId::MessageExpiryInterval, head.message_expiry_interval_seconds);
        visit_delivery_properties(head, visit);
    };
    ByteCounter counter;
    visit_own(PropertyWriter(counter));
    out.variable_byte_integer(counter.size() + head.forwarded_properties.size());
    visit_own(PropertyWriter(out));
    out.raw(head.forwarded_properties);
}

template <class Out>
void write_body(const PublishHead& head, ProtocolVersion version, Out& out) {
    out.string(head.topic);
    if (head.qos != QoS::AtMostOnce) out.u16(0);
    if (is_v5(version)) write_properties(head, out);
}

// The reason code may be left out where it is Success, and the properties where there are none (3.4.2.1, 3.14.2.1).
template <class Packet, class Out>
void write_reason_and_properties(const Packet& packet, Out& out) {
    const auto has_properties = properties_size(packet) != 0;
    if (has_properties || packet.reason_code != ReasonCode::Success) {
        out.u8(static_cast<std::uint8_t>(packet.reason_code));
    }
    if (has_properties) write_properties(packet, out);
}

template <PacketType type, class Out>
void write_body(const Acknowledgement<type>& packet, ProtocolVersion version, Out& out) {
    write_packet_id(packet.packet_id, out);
    if (is_v5(version)) write_reason_and_properties(packet, out);
}

// 3.8.3.1; before 5.0 the byte is the requested QoS alone.
[[nodiscard]] constexpr std::uint8_t options_byte(const SubscriptionOptions& options, ProtocolVersion version) {
    auto bits = static_cast<unsigned>(options.qos);
    if (is_v5(version)) {
        bits |= (options.no_local ? 0x04U : 0U) | (options.retain_as_published ? 0x08U : 0U) |
                static_cast<unsigned>(options.retain_handling) << 4;
    }
    return static_cast<std::uint8_t>(bits);
}

template <class Out>
void write_body(const Subscribe& packet, ProtocolVersion version, Out& out) {
    ASSERT(!packet.entries.empty());  // [MQTT-3.8.3-2]
    write_packet_id(packet.packet_id, out);
    if (is_v5(version)) write_properties(packet, out);
    for (const auto& entry : packet.entries) {
        out.string(entry.filter);
        out.u8(options_byte(entry.options, version));
    }
}

// Before 5.0 there is one code for every failure ([MQTT3-3.9.3-2]). 3.1 has none at all; 0x80 is what brokers send
// there.
[[nodiscard]] constexpr std::uint8_t suback_code(ReasonCode code, ProtocolVersion version) {
    if (is_error(code) && !is_v5(version)) return 0x80;
    return static_cast<std::uint8_t>(code);
}

template <class Out>
void write_body(const SubAck& packet, ProtocolVersion version, Out& out) {
    write_packet_id(packet.packet_id, out);
    if (is_v5(version)) write_properties(packet, out);
    for (const auto code : packet.reason_codes) out.u8(suback_code(code, version));
}

template <class Out>
void write_body(const Unsubscribe& packet, ProtocolVersion version, Out& out) {
    ASSERT(!packet.filters.empty());  // [MQTT-3.10.3-2]
    write_packet_id(packet.packet_id, out);
    if (is_v5(version)) write_properties(packet, out);
    for (const auto filter : packet.filters) out.string(filter);
}

template <class Out>
void write_body(const UnsubAck& packet, ProtocolVersion version, Out& out) {
    write_packet_id(packet.packet_id, out);
    if (!is_v5(version)) return;
    write_properties(packet, out);
    for (const auto code : packet.reason_codes) out.u8(static_cast<std::uint8_t>(code));
}

template <class Out>
void write_body(const PingReq&, ProtocolVersion, Out&) {}

template <class Out>
void write_body(const PingResp&, ProtocolVersion, Out&) {}

template <class Out>
void write_body(const Disconnect& packet, ProtocolVersion version, Out& out) {
    if (is_v5(version)) write_reason_and_properties(packet, out);
}

template <class Out>
void write_body(const Auth& packet, ProtocolVersion version, Out& out) {
    ASSERT(is_v5(version));
    if (packet == Auth{}) return;  // 3.15.2.1
    out.u8(static_cast<std::uint8_t>(packet.reason_code));
    write_properties(packet, out);
}

}  // namespace chappe::mqtt
