// PUBLISH, the four acknowledgements of it, and the properties that travel with a message.

#include "mqtt/decode_packets.h"
#include "mqtt/encoder.h"
#include "mqtt/property_reader.h"

namespace chappe::mqtt {

namespace {

// Empties the packet but keeps the memory of its vectors.
void clear(Publish& publish) {
    publish.topic_alias.reset();
    publish.subscription_identifiers.clear();
    auto& properties = publish.properties;
    properties.payload_format_indicator.reset();
    properties.message_expiry_interval_seconds.reset();
    properties.content_type.reset();
    properties.response_topic.reset();
    properties.correlation_data.reset();
    properties.user_properties.clear();
}

Result<> read_flags(std::uint8_t flags, Publish& out) {
    const auto qos = flags >> 1 & 0b11;
    out.dup = (flags & 0b1000) != 0;
    out.retain = (flags & 0b0001) != 0;
    out.qos = static_cast<QoS>(qos);
    if (qos == 3) return failure(ReasonCode::MalformedPacket, "QoS is 3");                          // [MQTT-3.3.1-4]
    if (out.dup && qos == 0) return failure(ReasonCode::MalformedPacket, "DUP is set with QoS 0");  // [MQTT-3.3.1-2]
    return {};
}

// What the fields say together.
Result<> check(const Publish& publish, DecodeContext context) {
    if (publish.topic.empty() && !publish.topic_alias) {
        return failure(ReasonCode::ProtocolError, "neither topic name nor topic alias");
    }
    if (context.sender == Sender::Client && !publish.subscription_identifiers.empty()) {  // [MQTT-3.3.4-6]
        return failure(ReasonCode::ProtocolError, "subscription identifier in a client's PUBLISH");
    }
    return {};
}

template <class Ack>
Result<Ack> decode_ack(ByteReader& in, DecodeContext context) {
    Ack ack;
    ack.packet_id = TRY(read_packet_id(in, context));
    if (!context.v5() || in.empty()) return ack;
    ack.reason_code = TRY(read_reason_code(in, Ack::type, context));
    if (in.empty()) return ack;
    TRY(read_properties(in, ack, context.limits));
    return ack;
}

}  // namespace

Result<> decode_publish(std::uint8_t flags, ByteReader& in, DecodeContext context, Publish& out) {
    clear(out);
    TRY(read_flags(flags, out));
    out.topic = TRY(in.string());
    if (has_wildcards(out.topic)) return failure(ReasonCode::TopicNameInvalid, "topic name has a wildcard");
    out.packet_id = out.qos == QoS::AtMostOnce ? PacketId{} : TRY(read_packet_id(in, context));
    if (context.v5()) TRY(read_properties(in, out, context.limits));
    TRY(check(out, context));
    out.payload = in.rest();
    return {};
}

Result<PubAck> decode_puback(ByteReader& in, DecodeContext context) { return decode_ack<PubAck>(in, context); }
Result<PubRec> decode_pubrec(ByteReader& in, DecodeContext context) { return decode_ack<PubRec>(in, context); }
Result<PubRel> decode_pubrel(ByteReader& in, DecodeContext context) { return decode_ack<PubRel>(in, context); }
Result<PubComp> decode_pubcomp(ByteReader& in, DecodeContext context) { return decode_ack<PubComp>(in, context); }

Result<MessageProperties> decode_forwarded_properties(Bytes bytes) {
    MessageProperties properties;
    TRY(read_properties(ByteReader(bytes), properties, DecodeLimits{},
                        [](MessageProperties& fields, auto& visitor) { visit_forwarded_properties(fields, visitor); }));
    return properties;
}

}  // namespace chappe::mqtt
