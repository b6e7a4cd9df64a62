#pragma once

// The properties of MQTT 5.0 (2.2.2): what values each may have, and, once per packet, which field holds which. Decoder
// and encoder both go through visit_properties(), so a packet cannot be read in one way and written in another.
// Internal to mqtt: others read and write the fields of the packets.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "mqtt/packet.h"

namespace chappe::mqtt {

// Table 2-4.
enum class PropertyId : std::uint8_t {
    PayloadFormatIndicator = 0x01,
    MessageExpiryInterval = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionIdentifier = 0x0B,
    SessionExpiryInterval = 0x11,
    AssignedClientIdentifier = 0x12,
    ServerKeepAlive = 0x13,
    AuthenticationMethod = 0x15,
    AuthenticationData = 0x16,
    RequestProblemInformation = 0x17,
    WillDelayInterval = 0x18,
    RequestResponseInformation = 0x19,
    ResponseInformation = 0x1A,
    ServerReference = 0x1C,
    ReasonString = 0x1F,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    MaximumQoS = 0x24,
    RetainAvailable = 0x25,
    UserProperty = 0x26,
    MaximumPacketSize = 0x27,
    WildcardSubscriptionAvailable = 0x28,
    SubscriptionIdentifierAvailable = 0x29,
    SharedSubscriptionAvailable = 0x2A,
};

// The values that a property may have, beyond what its type says.
enum class PropertyRange : std::uint8_t { Any, ZeroOrOne, NotZero, TopicName };

struct PropertyRule {
    PropertyRange range = PropertyRange::Any;
    ReasonCode violation = ReasonCode::ProtocolError;
};

[[nodiscard]] constexpr PropertyRule rule_of(PropertyId id) noexcept {
    switch (id) {
        case PropertyId::PayloadFormatIndicator:
        case PropertyId::RequestProblemInformation:
        case PropertyId::RequestResponseInformation:
        case PropertyId::MaximumQoS:
        case PropertyId::RetainAvailable:
        case PropertyId::WildcardSubscriptionAvailable:
        case PropertyId::SubscriptionIdentifierAvailable:
        case PropertyId::SharedSubscriptionAvailable:
            return {PropertyRange::ZeroOrOne};
        case PropertyId::ReceiveMaximum:
        case PropertyId::MaximumPacketSize:
        case PropertyId::SubscriptionIdentifier:
            return {PropertyRange::NotZero};
        case PropertyId::TopicAlias:
            return {PropertyRange::NotZero, ReasonCode::TopicAliasInvalid};
        case PropertyId::ResponseTopic:
            return {PropertyRange::TopicName};
        default:
            return {PropertyRange::Any};
    }
}

// A Subscription Identifier is the one Variable Byte Integer; other 32-bit fields are Four Byte Integers.
[[nodiscard]] constexpr bool is_variable_byte_integer(PropertyId id) noexcept {
    return id == PropertyId::SubscriptionIdentifier;
}

// visit_properties(packet, visit) calls visit(id, field) for each property that the packet may have, in ascending order
// of the ids, or visit(id, field, absent) where the field cannot tell that the property is absent and `absent` is the
// value that means the same. The type of the field says the type of the property; a vector may repeat. `Packet` is the
// const or the mutable struct.

// What a broker hands on unchanged, as encode_forwarded_properties() writes it.
template <class Properties, class Visit>
constexpr void visit_forwarded_properties(Properties& p, Visit&& visit) {
    visit(PropertyId::PayloadFormatIndicator, p.payload_format_indicator);
    visit(PropertyId::ContentType, p.content_type);
    visit(PropertyId::ResponseTopic, p.response_topic);
    visit(PropertyId::CorrelationData, p.correlation_data);
    visit(PropertyId::UserProperty, p.user_properties);
}

// The properties of a PUBLISH that concern this delivery only, beside its message expiry.
template <class Packet, class Visit>
constexpr void visit_delivery_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::SubscriptionIdentifier, p.subscription_identifiers);
    visit(PropertyId::TopicAlias, p.topic_alias);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Publish>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::MessageExpiryInterval, p.properties.message_expiry_interval_seconds);
    visit_delivery_properties(p, visit);
    visit_forwarded_properties(p.properties, visit);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Will>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::MessageExpiryInterval, p.properties.message_expiry_interval_seconds);
    visit(PropertyId::WillDelayInterval, p.delay_interval_seconds, 0U);
    visit_forwarded_properties(p.properties, visit);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Connect>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::SessionExpiryInterval, p.session_expiry_interval_seconds);
    visit(PropertyId::AuthenticationMethod, p.authentication_method);
    visit(PropertyId::AuthenticationData, p.authentication_data);
    visit(PropertyId::RequestProblemInformation, p.request_problem_information, true);
    visit(PropertyId::RequestResponseInformation, p.request_response_information, false);
    visit(PropertyId::ReceiveMaximum, p.receive_maximum);
    visit(PropertyId::TopicAliasMaximum, p.topic_alias_maximum, std::uint16_t{0});
    visit(PropertyId::UserProperty, p.user_properties);
    visit(PropertyId::MaximumPacketSize, p.maximum_packet_size);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, ConnAck>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::SessionExpiryInterval, p.session_expiry_interval_seconds);
    visit(PropertyId::AssignedClientIdentifier, p.assigned_client_id);
    visit(PropertyId::ServerKeepAlive, p.server_keep_alive_seconds);
    visit(PropertyId::AuthenticationMethod, p.authentication_method);
    visit(PropertyId::AuthenticationData, p.authentication_data);
    visit(PropertyId::ResponseInformation, p.response_information);
    visit(PropertyId::ServerReference, p.server_reference);
    visit(PropertyId::ReasonString, p.reason_string);
    visit(PropertyId::ReceiveMaximum, p.receive_maximum);
    visit(PropertyId::TopicAliasMaximum, p.topic_alias_maximum, std::uint16_t{0});
    visit(PropertyId::MaximumQoS, p.maximum_qos);
    visit(PropertyId::RetainAvailable, p.retain_available);
    visit(PropertyId::UserProperty, p.user_properties);
    visit(PropertyId::MaximumPacketSize, p.maximum_packet_size);
    visit(PropertyId::WildcardSubscriptionAvailable, p.wildcard_subscription_available);
    visit(PropertyId::SubscriptionIdentifierAvailable, p.subscription_identifiers_available);
    visit(PropertyId::SharedSubscriptionAvailable, p.shared_subscription_available);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Subscribe>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::SubscriptionIdentifier, p.subscription_identifier);
    visit(PropertyId::UserProperty, p.user_properties);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Unsubscribe>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::UserProperty, p.user_properties);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Disconnect>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::SessionExpiryInterval, p.session_expiry_interval_seconds);
    visit(PropertyId::ServerReference, p.server_reference);
    visit(PropertyId::ReasonString, p.reason_string);
    visit(PropertyId::UserProperty, p.user_properties);
}

template <class Packet, class Visit>
    requires std::same_as<std::remove_const_t<Packet>, Auth>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::AuthenticationMethod, p.authentication_method);
    visit(PropertyId::AuthenticationData, p.authentication_data);
    visit(PropertyId::ReasonString, p.reason_string);
    visit(PropertyId::UserProperty, p.user_properties);
}

// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK.
template <class Packet>
concept HasReasonStringOnly = requires(Packet p) {
    p.packet_id;
    p.reason_string;
    p.user_properties;
};

template <HasReasonStringOnly Packet, class Visit>
constexpr void visit_properties(Packet& p, Visit&& visit) {
    visit(PropertyId::ReasonString, p.reason_string);
    visit(PropertyId::UserProperty, p.user_properties);
}

}  // namespace chappe::mqtt
