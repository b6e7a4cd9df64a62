// Bytes from a stranger: the decoder never crashes or reads beyond them, and what it accepts survives encoding: decode,
// encode, decode gives the same packet, and encoding that gives the same bytes.
//
// The first byte of the input chooses version, sender and form; the rest is a stream of packets, or, in the other form,
// the first byte of one packet and its body, which spares the fuzzer guessing a length that fits.

#include <array>

#include "mqtt/decoder.h"
#include "mqtt/encoder.h"

namespace {

using namespace chappe;
using namespace chappe::mqtt;

struct Choice {
    ProtocolVersion version;
    Sender sender;
    bool stream;
};

Choice choice(std::uint8_t byte) {
    constexpr std::array versions = {ProtocolVersion::V5, ProtocolVersion::V311, ProtocolVersion::V31,
                                     ProtocolVersion::V5};
    return {versions[byte & 0b11], (byte & 0b100) != 0 ? Sender::Server : Sender::Client, (byte & 0b1000) == 0};
}

// The version that the packet's bytes are in.
ProtocolVersion version_of(const Packet& packet, ProtocolVersion version) {
    const auto* connect = std::get_if<Connect>(&packet);
    return connect != nullptr ? connect->version : version;
}

Packet decode_again(const Buffer& bytes, ProtocolVersion version, Sender sender) {
    const auto found = frame(bytes.bytes(), packet_size_limit);
    ASSERT(found.has_value() && found->has_value());
    ASSERT((*found)->size == bytes.size());
    auto packet = decode(**found, version, sender);
    ASSERT(packet.has_value());
    return std::move(*packet);
}

void check_round_trip(const Packet& packet, ProtocolVersion version, Sender sender) {
    Buffer once;
    encode(packet, version, once);
    ASSERT(encoded_size(packet, version) == once.size());
    const auto again = decode_again(once, version, sender);
    ASSERT(again == packet);
    Buffer twice;
    encode(again, version, twice);
    ASSERT(as_text(once.bytes()) == as_text(twice.bytes()));
}

PublishHead head_of(const Publish& publish, Bytes forwarded_properties) {
    return {.qos = publish.qos,
            .retain = publish.retain,
            .topic = publish.topic,
            .topic_alias = publish.topic_alias,
            .message_expiry_interval_seconds = publish.properties.message_expiry_interval_seconds,
            .subscription_identifiers = publish.subscription_identifiers,
            .forwarded_properties = forwarded_properties,
            .payload_size = publish.payload.size()};
}

// Handing a message on as head, stored properties and payload is the same as handing on its fields.
void check_forwarding(const Publish& publish, ProtocolVersion version) {
    Buffer properties;
    encode_forwarded_properties(publish.properties, properties);
    const auto decoded = decode_forwarded_properties(properties.bytes());
    ASSERT(decoded.has_value());
    auto expected = publish.properties;
    expected.message_expiry_interval_seconds.reset();
    ASSERT(*decoded == expected);

    Buffer whole;
    encode(publish, version, whole);
    Buffer parts;
    const auto packet_id_at = encode(head_of(publish, properties.bytes()), version, parts);
    ASSERT(packet_id_at.has_value());
    if (publish.qos != QoS::AtMostOnce) {
        *parts.at(*packet_id_at) = static_cast<std::uint8_t>(publish.packet_id.value >> 8);
        *parts.at(*packet_id_at + 1) = static_cast<std::uint8_t>(publish.packet_id.value);
    }
    parts.append(publish.payload);
    *parts.at(0) = whole.bytes()[0];  // A head never has DUP.
    ASSERT(as_text(whole.bytes()) == as_text(parts.bytes()));
}

void check(const Frame& frame, ProtocolVersion version, Sender sender) {
    const auto packet = decode(frame, version, sender);
    if (frame.type == PacketType::Connect) {
        const auto refusal = refusal_version(frame);
        if (packet) ASSERT(refusal == version_of(*packet, version));
    }
    if (!packet) {
        ASSERT(is_error(packet.error().code));
        ASSERT(!packet.error().reason.empty());
        return;
    }
    check_round_trip(*packet, version_of(*packet, version), sender);
    if (const auto* publish = std::get_if<Publish>(&*packet)) check_forwarding(*publish, version);
}

void check_stream(Bytes bytes, ProtocolVersion version, Sender sender) {
    while (true) {
        std::size_t needed = 0;
        const auto found = frame(bytes, packet_size_limit, &needed);
        if (!found) return;
        if (!*found) {
            ASSERT(needed > bytes.size());
            return;
        }
        ASSERT((*found)->size <= bytes.size());
        check(**found, version, sender);
        bytes = bytes.subspan((*found)->size);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const auto [version, sender, stream] = choice(data[0]);
    if (stream) {
        check_stream({data + 1, size - 1}, version, sender);
    } else {
        const auto type = static_cast<PacketType>(data[1] >> 4);
        const auto flags = static_cast<std::uint8_t>(data[1] & 0x0F);
        check({type, flags, {data + 2, size - 2}, size}, version, sender);
    }
    return 0;
}
