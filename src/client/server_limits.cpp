#include "client/server_limits.h"

#include "mqtt/topic.h"

namespace chappe::client {

using mqtt::ReasonCode;

ServerLimits ServerLimits::of(const mqtt::ConnAck& packet) {
    return {
        .receive_maximum = packet.receive_maximum.value_or(65'535),
        .maximum_qos = packet.maximum_qos.value_or(mqtt::QoS::ExactlyOnce),
        .retain = packet.retain_available.value_or(true),
        .packet_size_max = packet.maximum_packet_size.value_or(mqtt::packet_size_limit),
        .topic_alias_maximum = packet.topic_alias_maximum,
        .wildcards = packet.wildcard_subscription_available.value_or(true),
        .subscription_identifiers = packet.subscription_identifiers_available.value_or(true),
        .shared_subscriptions = packet.shared_subscription_available.value_or(true),
    };
}

std::optional<mqtt::Error> ServerLimits::refusal(const StoredPublish& publish) const {
    if (publish.qos() > maximum_qos) return mqtt::Error{ReasonCode::QoSNotSupported, "Above the server's Maximum QoS"};
    if (publish.retain() && !retain) return mqtt::Error{ReasonCode::RetainNotSupported, "The server retains nothing"};
    if (publish.size() > packet_size_max) {
        return mqtt::Error{ReasonCode::PacketTooLarge, "Above the server's Maximum Packet Size"};
    }
    return std::nullopt;
}

std::optional<mqtt::Error> ServerLimits::refusal(std::span<const Subscription> subscriptions) const {
    for (const auto& subscription : subscriptions) {
        if (subscription.identifier && !subscription_identifiers) {
            return mqtt::Error{ReasonCode::SubscriptionIdentifiersNotSupported,
                               "The server has no subscription identifiers"};
        }
        if (!wildcards && mqtt::has_wildcards(subscription.filter)) {
            return mqtt::Error{ReasonCode::WildcardSubscriptionsNotSupported, "The server allows no wildcards"};
        }
        if (!shared_subscriptions && subscription.filter.starts_with("$share/")) {
            return mqtt::Error{ReasonCode::SharedSubscriptionsNotSupported, "The server has no shared subscriptions"};
        }
    }
    return std::nullopt;
}

}  // namespace chappe::client
