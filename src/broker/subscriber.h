#pragma once

// Who gets the messages of a topic filter, as the topic tree knows them: small values that any shard may hold.

#include <compare>
#include <cstdint>

#include "broker/ids.h"
#include "mqtt/types.h"

namespace chappe::broker {

enum class SubscriberKind : std::uint8_t {
    Session,  // `id` is a SessionId of `shard`.
    Group,    // A shared subscription: `id` is a GroupId of `shard`, which chooses the member.
    Local,    // In process, a feature of the broker: `id` is its number in the registry of Local subscribers.
};

struct SubscriberId {
    ShardId shard;
    SubscriberKind kind = SubscriberKind::Session;
    std::uint64_t id = 0;

    friend auto operator<=>(const SubscriberId&, const SubscriberId&) = default;
};

// One subscription, as far as routing needs it.
struct Subscription {
    SubscriberId subscriber;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool no_local = false;
    bool retain_as_published = false;
    std::uint32_t subscription_identifier = 0;  // 0: none. Of a Group: how many members hold it in the tree.

    friend bool operator==(const Subscription&, const Subscription&) = default;
};

}  // namespace chappe::broker
