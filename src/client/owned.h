#pragma once

// What outlives the call that brought it: the packets of `mqtt` are views, these own their text.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mqtt/packet.h"

namespace chappe::client {

using OwnedUserProperties = std::vector<std::pair<std::string, std::string>>;

// mqtt::MessageProperties, owned.
struct OwnedProperties {
    std::optional<std::uint8_t> payload_format_indicator;
    std::optional<std::uint32_t> message_expiry_interval_seconds;
    std::optional<std::string> content_type;
    std::optional<std::string> response_topic;
    std::optional<std::string> correlation_data;
    OwnedUserProperties user_properties;

    friend bool operator==(const OwnedProperties&, const OwnedProperties&) = default;
};

// mqtt::Will, owned.
struct OwnedWill {
    std::string topic;
    std::string payload;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    std::uint32_t delay_interval_seconds = 0;
    OwnedProperties properties;
};

// One topic filter with its options, as a client asks for it.
struct Subscription {
    std::string filter;
    mqtt::SubscriptionOptions options;
    std::optional<std::uint32_t> identifier;

    friend bool operator==(const Subscription&, const Subscription&) = default;
};

// The views live as long as what they are taken of.
[[nodiscard]] mqtt::UserProperties view(const OwnedUserProperties& properties);
[[nodiscard]] mqtt::MessageProperties view(const OwnedProperties& properties);
[[nodiscard]] mqtt::Will view(const OwnedWill& will);

[[nodiscard]] OwnedUserProperties own(const mqtt::UserProperties& properties);

}  // namespace chappe::client
