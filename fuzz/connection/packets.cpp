#include "fuzz/connection/packets.h"

#include <array>
#include <string>
#include <string_view>

#include "broker/output.h"
#include "mqtt/encoder.h"

namespace chappe::fuzz {

using namespace std::string_view_literals;
using mqtt::PacketId;
using mqtt::ProtocolVersion;
using mqtt::QoS;
using mqtt::ReasonCode;

namespace {

constexpr std::array versions = {ProtocolVersion::V5, ProtocolVersion::V311, ProtocolVersion::V31, ProtocolVersion::V5};
// They have their homes on both shards. The last one cannot be subscribed to literally.
constexpr std::array client_ids = {"a"sv, "b"sv, "c"sv, "d"sv, ""sv, "a+"sv, "longer than all have to take"sv};
constexpr std::array topics = {"a"sv,       "a/b"sv, "a/c"sv, "b"sv, "b/c/d"sv, "p/x"sv,
                               "r/x"sv,     "s/x"sv, "$x"sv,  "/"sv, ""sv,      "a/b/c/d/e/f/g/h/a/b/c/d/e/f/g/h"sv,
                               "$SYS/up"sv, "a+"sv};
constexpr std::array filters = {"#"sv,          "a/#"sv,          "a/b"sv,         "+/b"sv,        "+/x"sv,
                                "a"sv,          "s/#"sv,          "r/#"sv,         "$share/g/#"sv, "$share/g/a/#"sv,
                                "$share/h/a"sv, "$share/h/+/x"sv, "$share/g"sv,    "a/#/b"sv,      "+/+/#"sv,
                                "$x/#"sv,       "b/c/d"sv,        "$share/s/s/#"sv};
constexpr std::array<std::uint16_t, 4> small_maximums = {1, 2, 10, 65'535};
constexpr std::array<std::uint32_t, 6> packet_sizes = {20, 25, 30, 40, 100, 5000};
constexpr std::array<std::uint32_t, 6> intervals = {0, 1, 5, 60, 3600, mqtt::session_never_expires};
constexpr std::array user_names = {"yes"sv, "no"sv, "later"sv, "continue"sv, "other"sv};
constexpr std::array ack_codes = {ReasonCode::Success, ReasonCode::NoMatchingSubscribers, ReasonCode::UnspecifiedError,
                                  ReasonCode::QuotaExceeded};

PacketId any_packet_id(Input& input) { return PacketId{static_cast<std::uint16_t>(1 + input.below(8))}; }

mqtt::MessageProperties any_properties(Input& input) {
    mqtt::MessageProperties properties;
    if (input.flag()) properties.message_expiry_interval_seconds = input.one_of(intervals);
    if (input.flag()) properties.content_type = "text/plain";
    if (input.flag()) properties.response_topic = "a/reply";
    if (input.flag()) properties.user_properties = {{"name", "value"}, {"name", ""}};
    return properties;
}

mqtt::Will any_will(Input& input) {
    mqtt::Will will{.topic = any_topic(input), .payload = any_payload(input), .qos = any_qos(input)};
    if (will.topic.empty()) will.topic = "will";
    will.retain = input.flag();
    if (input.flag()) will.delay_interval_seconds = input.one_of(intervals);
    will.properties = any_properties(input);
    input.end_flags();
    return will;
}

mqtt::SubscriptionOptions any_options(Input& input, ProtocolVersion version) {
    mqtt::SubscriptionOptions options{.qos = any_qos(input)};
    if (version != ProtocolVersion::V5) return options;
    options.no_local = input.flag();
    options.retain_as_published = input.flag();
    options.retain_handling = static_cast<mqtt::RetainHandling>(int{input.flag()} + int{input.flag()});
    input.end_flags();
    return options;
}

}  // namespace

std::string_view any_client_id(Input& input) { return input.one_of(client_ids); }

std::string_view any_topic(Input& input) { return input.one_of(topics); }

QoS any_qos(Input& input) { return static_cast<QoS>(input.below(3)); }

Bytes any_payload(Input& input) {
    static const std::string large(broker::Output::reference_from_bytes, '.');
    switch (input.below(4)) {
        case 0:
            return as_bytes("x");
        case 1:
            return {};
        case 2:
            return as_bytes("some thirty bytes of a payload");
        default:
            return as_bytes(large);
    }
}

void append_connect(Input& input, Buffer& out) {
    mqtt::Connect connect{.version = input.one_of(versions), .client_id = any_client_id(input)};
    const bool v5 = connect.version == ProtocolVersion::V5;
    connect.clean_start = !input.flag();
    connect.bridge = input.flag() && !v5;
    if (input.flag()) connect.keep_alive_seconds = 5;
    if (input.flag()) connect.session_expiry_interval_seconds = input.one_of(intervals);
    if (input.flag()) connect.receive_maximum = input.one_of(small_maximums);
    if (input.flag()) connect.maximum_packet_size = input.one_of(packet_sizes);
    if (input.flag()) connect.topic_alias_maximum = input.one_of(small_maximums);
    if (input.flag()) connect.will = any_will(input);
    connect.request_problem_information = !input.flag();
    connect.request_response_information = input.flag();
    if (input.flag()) connect.user_name = input.one_of(user_names);
    if (input.flag() && (v5 || connect.user_name)) connect.password = as_bytes("secret");
    if (input.flag()) connect.authentication_method = "fuzz";
    if (connect.authentication_method && input.flag()) {
        connect.authentication_data = as_bytes(input.one_of(user_names));
    }
    input.end_flags();
    mqtt::encode(connect, out);
}

void append_publish(Input& input, ProtocolVersion version, Buffer& out) {
    mqtt::Publish publish{.qos = any_qos(input), .topic = any_topic(input), .payload = any_payload(input)};
    if (publish.qos != QoS::AtMostOnce) publish.packet_id = any_packet_id(input);
    publish.retain = input.flag();
    publish.dup = input.flag() && publish.qos != QoS::AtMostOnce;
    if (input.flag()) publish.topic_alias = static_cast<std::uint16_t>(1 + input.below(3));
    publish.properties = any_properties(input);
    input.end_flags();
    mqtt::encode(publish, version, out);
}

void append_subscribe(Input& input, ProtocolVersion version, Buffer& out) {
    mqtt::Subscribe subscribe{.packet_id = any_packet_id(input)};
    const auto count = 1 + input.below(4);
    for (std::size_t entry = 0; entry != count; ++entry) {
        const auto filter = input.one_of(filters);
        auto options = any_options(input, version);
        if (filter.starts_with("$share/")) options.no_local = false;  // A violation, and the end of the connection.
        subscribe.entries.push_back({.filter = filter, .options = options});
    }
    if (const auto identifier = input.below(4); identifier != 0) {
        subscribe.subscription_identifier = static_cast<std::uint32_t>(identifier);
    }
    mqtt::encode(subscribe, version, out);
}

void append_unsubscribe(Input& input, ProtocolVersion version, Buffer& out) {
    mqtt::Unsubscribe unsubscribe{.packet_id = any_packet_id(input)};
    const auto count = 1 + input.below(3);
    for (std::size_t entry = 0; entry != count; ++entry) unsubscribe.filters.push_back(input.one_of(filters));
    mqtt::encode(unsubscribe, version, out);
}

void append_release(Input& input, ProtocolVersion version, Buffer& out) {
    mqtt::encode(mqtt::PubRel{.packet_id = any_packet_id(input)}, version, out);
}

void append_acknowledgement(Input& input, ProtocolVersion version, Buffer& out) {
    const auto packet_id = any_packet_id(input);
    switch (input.below(4)) {
        case 0:
            return mqtt::encode(mqtt::PubAck{.packet_id = packet_id, .reason_code = input.one_of(ack_codes)}, version,
                                out);
        case 1:
            return mqtt::encode(mqtt::PubRec{.packet_id = packet_id, .reason_code = input.one_of(ack_codes)}, version,
                                out);
        case 2:
            return mqtt::encode(mqtt::PubRel{.packet_id = packet_id}, version, out);
        default:
            return mqtt::encode(mqtt::PubComp{.packet_id = packet_id}, version, out);
    }
}

void append_disconnect(Input& input, ProtocolVersion version, Buffer& out) {
    mqtt::Disconnect disconnect;
    if (input.flag()) disconnect.reason_code = ReasonCode::DisconnectWithWillMessage;
    if (input.flag()) disconnect.session_expiry_interval_seconds = input.one_of(intervals);
    if (input.flag()) disconnect.reason_string = "bye";
    input.end_flags();
    mqtt::encode(disconnect, version, out);
}

void append_auth(Input& input, Buffer& out) {
    mqtt::Auth auth{.reason_code = ReasonCode::ContinueAuthentication};
    if (input.flag()) auth.reason_code = ReasonCode::ReAuthenticate;
    auth.authentication_method = input.flag() ? "another" : "fuzz";
    if (input.flag()) auth.authentication_data = as_bytes(input.one_of(user_names));
    input.end_flags();
    mqtt::encode(auth, ProtocolVersion::V5, out);
}

}  // namespace chappe::fuzz
