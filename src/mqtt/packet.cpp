#include "mqtt/packet.h"

#include <algorithm>
#include <tuple>

namespace chappe::mqtt {

namespace {

// std::span has no operator==, which is why these comparisons are written out.
bool equal(Bytes a, Bytes b) { return std::ranges::equal(a, b); }

bool equal(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
    return a.has_value() == b.has_value() && (!a || equal(*a, *b));
}

}  // namespace

bool operator==(const MessageProperties& a, const MessageProperties& b) {
    const auto comparable = [](const MessageProperties& p) {
        return std::tie(p.payload_format_indicator, p.message_expiry_interval_seconds, p.content_type, p.response_topic,
                        p.user_properties);
    };
    return comparable(a) == comparable(b) && equal(a.correlation_data, b.correlation_data);
}

bool operator==(const Will& a, const Will& b) {
    const auto comparable = [](const Will& will) {
        return std::tie(will.topic, will.qos, will.retain, will.delay_interval_seconds, will.properties);
    };
    return comparable(a) == comparable(b) && equal(a.payload, b.payload);
}

bool operator==(const Connect& a, const Connect& b) {
    const auto comparable = [](const Connect& p) {
        return std::tie(p.version, p.bridge, p.clean_start, p.keep_alive_seconds, p.client_id, p.will, p.user_name,
                        p.session_expiry_interval_seconds, p.receive_maximum, p.maximum_packet_size,
                        p.topic_alias_maximum, p.request_response_information, p.request_problem_information,
                        p.authentication_method, p.user_properties);
    };
    return comparable(a) == comparable(b) && equal(a.password, b.password) &&
           equal(a.authentication_data, b.authentication_data);
}

bool operator==(const ConnAck& a, const ConnAck& b) {
    const auto comparable = [](const ConnAck& p) {
        return std::tie(p.session_present, p.reason_code, p.session_expiry_interval_seconds, p.receive_maximum,
                        p.maximum_qos, p.retain_available, p.maximum_packet_size, p.assigned_client_id,
                        p.topic_alias_maximum, p.reason_string, p.wildcard_subscription_available,
                        p.subscription_identifiers_available, p.shared_subscription_available,
                        p.server_keep_alive_seconds, p.response_information, p.server_reference,
                        p.authentication_method, p.user_properties);
    };
    return comparable(a) == comparable(b) && equal(a.authentication_data, b.authentication_data);
}

bool operator==(const Publish& a, const Publish& b) {
    const auto comparable = [](const Publish& p) {
        return std::tie(p.dup, p.qos, p.retain, p.topic, p.packet_id, p.topic_alias, p.subscription_identifiers,
                        p.properties);
    };
    return comparable(a) == comparable(b) && equal(a.payload, b.payload);
}

bool operator==(const Auth& a, const Auth& b) {
    const auto comparable = [](const Auth& p) {
        return std::tie(p.reason_code, p.authentication_method, p.reason_string, p.user_properties);
    };
    return comparable(a) == comparable(b) && equal(a.authentication_data, b.authentication_data);
}

}  // namespace chappe::mqtt
