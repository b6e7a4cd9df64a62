#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "client/owned.h"
#include "client/stored_publish.h"

namespace chappe::client {

// What the server allows on this connection, as its CONNACK said (3.2.2.3).
struct ServerLimits {
    std::uint16_t receive_maximum = 65'535;
    mqtt::QoS maximum_qos = mqtt::QoS::ExactlyOnce;
    bool retain = true;
    std::uint32_t packet_size_max = mqtt::packet_size_limit;
    std::uint16_t topic_alias_maximum = 0;
    bool wildcards = true;
    bool subscription_identifiers = true;
    bool shared_subscriptions = true;

    [[nodiscard]] static ServerLimits of(const mqtt::ConnAck& packet);

    // Why the server would not take it; nothing when it would.
    [[nodiscard]] std::optional<mqtt::Error> refusal(const StoredPublish& publish) const;
    [[nodiscard]] std::optional<mqtt::Error> refusal(std::span<const Subscription> subscriptions) const;
};

}  // namespace chappe::client
