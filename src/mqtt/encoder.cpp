#include "mqtt/encoder.h"

#include "mqtt/encode_packets.h"

namespace chappe::mqtt {

namespace {

template <class Packet>
std::size_t body_size(const Packet& packet, ProtocolVersion version) {
    ByteCounter counter;
    write_body(packet, version, counter);
    return counter.size();
}

template <class Packet>
std::size_t packet_size(const Packet& packet, ProtocolVersion version) {
    const auto size = body_size(packet, version);
    return 1 + variable_byte_integer_size(static_cast<std::uint32_t>(size)) + size;
}

// Fixed header and body; `payload_size` bytes that are sent from elsewhere follow. Returns the fixed header's size, or
// nothing where the packet would be larger than any may be.
template <class Packet>
std::optional<std::size_t> write_packet(std::uint8_t first, const Packet& packet, ProtocolVersion version,
                                        std::size_t payload_size, Buffer& buffer) {
    const auto size = body_size(packet, version);
    const auto remaining_length = size + payload_size;
    if (remaining_length > remaining_length_max) return std::nullopt;
    const auto header_size = 1 + variable_byte_integer_size(static_cast<std::uint32_t>(remaining_length));
    auto* const begin = buffer.grow(header_size + size);
    ByteWriter out(begin);
    out.u8(first);
    out.variable_byte_integer(remaining_length);
    write_body(packet, version, out);
    ASSERT(out.at() == begin + header_size + size);
    return header_size;
}

template <class Packet>
void encode_packet(PacketType type, const Packet& packet, ProtocolVersion version, Buffer& buffer) {
    const auto header_size = write_packet(first_byte(type, packet), packet, version, 0, buffer);
    ASSERT(header_size.has_value());
}

}  // namespace

void encode(const Connect& packet, Buffer& out) { encode_packet(PacketType::Connect, packet, packet.version, out); }
void encode(const ConnAck& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::ConnAck, packet, version, out);
}
void encode(const Publish& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::Publish, packet, version, out);
}
void encode(const PubAck& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PubAck, packet, version, out);
}
void encode(const PubRec& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PubRec, packet, version, out);
}
void encode(const PubRel& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PubRel, packet, version, out);
}
void encode(const PubComp& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PubComp, packet, version, out);
}
void encode(const Subscribe& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::Subscribe, packet, version, out);
}
void encode(const SubAck& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::SubAck, packet, version, out);
}
void encode(const Unsubscribe& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::Unsubscribe, packet, version, out);
}
void encode(const UnsubAck& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::UnsubAck, packet, version, out);
}
void encode(const PingReq& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PingReq, packet, version, out);
}
void encode(const PingResp& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::PingResp, packet, version, out);
}
void encode(const Disconnect& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::Disconnect, packet, version, out);
}
void encode(const Auth& packet, ProtocolVersion version, Buffer& out) {
    encode_packet(PacketType::Auth, packet, version, out);
}

void encode(const Packet& packet, ProtocolVersion version, Buffer& out) {
    std::visit(
        [&]<class P>(const P& each) {
            if constexpr (std::same_as<P, Connect>) {
                encode(each, out);
            } else {
                encode(each, version, out);
            }
        },
        packet);
}

std::size_t encoded_size(const Packet& packet, ProtocolVersion version) {
    return std::visit([&](const auto& each) { return packet_size(each, version); }, packet);
}

std::size_t encoded_size(const Publish& packet, ProtocolVersion version) { return packet_size(packet, version); }

std::uint8_t* write_variable_byte_integer(std::uint32_t value, std::uint8_t* out) noexcept {
    while (value >= 0x80) {
        *out++ = static_cast<std::uint8_t>(value | 0x80);
        value >>= 7;
    }
    *out++ = static_cast<std::uint8_t>(value);
    return out;
}

void encode_forwarded_properties(const MessageProperties& properties, Buffer& out) {
    ByteCounter counter;
    visit_forwarded_properties(properties, PropertyWriter(counter));
    ByteWriter writer(out.grow(counter.size()));
    visit_forwarded_properties(properties, PropertyWriter(writer));
}

std::optional<std::size_t> encode(const PublishHead& head, ProtocolVersion version, Buffer& out) {
    const auto first = first_byte_of_publish(false, head.qos, head.retain);
    const auto header_size = write_packet(first, head, version, head.payload_size, out);
    if (!header_size) return std::nullopt;
    return *header_size + 2 + head.topic.size();  // After the topic name and its length.
}

}  // namespace chappe::mqtt
