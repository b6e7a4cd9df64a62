// SUBSCRIBE, UNSUBSCRIBE and their acknowledgements.

#include "mqtt/decode_packets.h"
#include "mqtt/property_reader.h"

namespace chappe::mqtt {

namespace {

Result<SubscriptionOptions> read_requested_qos(ByteReader& in) {
    const auto qos = TRY(in.u8());
    if (qos > 2) return failure(ReasonCode::MalformedPacket, "requested QoS is not 0, 1 or 2");  // [MQTT3-3.8.3-4]
    return SubscriptionOptions{.qos = static_cast<QoS>(qos)};
}

// 3.8.3.1
Result<SubscriptionOptions> read_options(ByteReader& in) {
    const auto bits = TRY(in.u8());
    const auto qos = bits & 0b11;
    const auto retain_handling = bits >> 4 & 0b11;
    if ((bits & 0xC0) != 0) {  // [MQTT-3.8.3-5]
        return failure(ReasonCode::MalformedPacket, "reserved subscription options are set");
    }
    if (qos == 3) return failure(ReasonCode::ProtocolError, "maximum QoS is 3");
    if (retain_handling == 3) return failure(ReasonCode::ProtocolError, "retain handling is 3");
    return SubscriptionOptions{
        .qos = static_cast<QoS>(qos),
        .no_local = (bits & 0x04) != 0,
        .retain_as_published = (bits & 0x08) != 0,
        .retain_handling = static_cast<RetainHandling>(retain_handling),
    };
}

Result<Subscribe::Entry> read_entry(ByteReader& in, DecodeContext context) {
    Subscribe::Entry entry;
    entry.filter = TRY(in.string());
    entry.options = context.v5() ? TRY(read_options(in)) : TRY(read_requested_qos(in));
    if (entry.options.no_local && entry.filter.starts_with("$share/")) {  // [MQTT-3.8.3-4]
        return failure(ReasonCode::ProtocolError, "no local on a shared subscription");
    }
    return entry;
}

// Whether there may be one more filter.
Result<> check_count(std::size_t filters, DecodeContext context) {
    if (filters >= context.limits.filters_max) return failure(ReasonCode::QuotaExceeded, too_many_filters);
    return {};
}

// The reason codes of SUBACK in 3.1.1 and 3.1: granted QoS, or failure ([MQTT3-3.9.3-2]).
Result<ReasonCode> read_suback_return_code(ByteReader& in) {
    const auto code = TRY(in.u8());
    if (code > 2 && code != 0x80) return failure(ReasonCode::ProtocolError, "return code is reserved");
    return static_cast<ReasonCode>(code);
}

}  // namespace

Result<Subscribe> decode_subscribe(ByteReader& in, DecodeContext context) {
    Subscribe subscribe;
    subscribe.packet_id = TRY(read_packet_id(in, context));
    if (context.v5()) TRY(read_properties(in, subscribe, context.limits));
    if (in.empty()) return failure(ReasonCode::ProtocolError, "SUBSCRIBE without topic filter");  // [MQTT-3.8.3-2]
    while (!in.empty()) {
        TRY(check_count(subscribe.entries.size(), context));
        subscribe.entries.push_back(TRY(read_entry(in, context)));
    }
    return subscribe;
}

Result<SubAck> decode_suback(ByteReader& in, DecodeContext context) {
    SubAck suback;
    suback.packet_id = TRY(read_packet_id(in, context));
    if (context.v5()) TRY(read_properties(in, suback, context.limits));
    if (in.empty()) return failure(ReasonCode::ProtocolError, "SUBACK without reason code");  // [MQTT-3.9.3-1]
    while (!in.empty()) {
        suback.reason_codes.push_back(context.v5() ? TRY(read_reason_code(in, PacketType::SubAck, context))
                                                   : TRY(read_suback_return_code(in)));
    }
    return suback;
}

Result<Unsubscribe> decode_unsubscribe(ByteReader& in, DecodeContext context) {
    Unsubscribe unsubscribe;
    unsubscribe.packet_id = TRY(read_packet_id(in, context));
    if (context.v5()) TRY(read_properties(in, unsubscribe, context.limits));
    if (in.empty()) return failure(ReasonCode::ProtocolError, "UNSUBSCRIBE without topic filter");  // [MQTT-3.10.3-2]
    while (!in.empty()) {
        TRY(check_count(unsubscribe.filters.size(), context));
        unsubscribe.filters.push_back(TRY(in.string()));
    }
    return unsubscribe;
}

Result<UnsubAck> decode_unsuback(ByteReader& in, DecodeContext context) {
    UnsubAck unsuback;
    unsuback.packet_id = TRY(read_packet_id(in, context));
    if (!context.v5()) return unsuback;
    TRY(read_properties(in, unsuback, context.limits));
    if (in.empty()) return failure(ReasonCode::ProtocolError, "UNSUBACK without reason code");  // [MQTT-3.11.3-1]
    while (!in.empty()) {
        unsuback.reason_codes.push_back(TRY(read_reason_code(in, PacketType::UnsubAck, context)));
    }
    return unsuback;
}

}  // namespace chappe::mqtt
