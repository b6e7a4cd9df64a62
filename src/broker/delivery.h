#pragma once

// A message as it is owed to one session: what the matching subscriptions make of it.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "broker/ids.h"
#include "broker/journal.h"
#include "broker/message.h"
#include "mqtt/types.h"

namespace chappe::broker {

// The identifiers of all matching subscriptions that have one ([MQTT-3.3.4-4]). Nearly always none or one.
class SubscriptionIdentifiers {
public:
    SubscriptionIdentifiers() = default;
    SubscriptionIdentifiers(const SubscriptionIdentifiers& other)
        : first_(other.first_),
          all_(other.all_ ? std::make_unique<std::vector<std::uint32_t>>(*other.all_) : nullptr) {}
    SubscriptionIdentifiers(SubscriptionIdentifiers&&) noexcept = default;
    SubscriptionIdentifiers& operator=(SubscriptionIdentifiers other) noexcept {
        first_ = other.first_;
        all_ = std::move(other.all_);
        return *this;
    }
    ~SubscriptionIdentifiers() = default;

    // 0 stands for a subscription without identifier.
    void add(std::uint32_t identifier) {
        if (identifier == 0) return;
        if (first_ == 0) {
            first_ = identifier;
            return;
        }
        if (!all_) all_ = std::make_unique<std::vector<std::uint32_t>>(1, first_);
        all_->push_back(identifier);
    }

    [[nodiscard]] std::span<const std::uint32_t> all() const noexcept {
        if (all_) return *all_;
        return {&first_, first_ == 0 ? 0U : 1U};
    }
    [[nodiscard]] bool empty() const noexcept { return first_ == 0; }

private:
    std::uint32_t first_ = 0;
    std::unique_ptr<std::vector<std::uint32_t>> all_;
};

// The shared subscription that a message came through, where it goes back to if it cannot be delivered.
struct GroupRef {
    ShardId shard;
    std::uint32_t sequence = 0;  // Its place among the messages of the group. May start again at 0.
    GroupId group;               // Zero: not through a shared subscription.

    explicit operator bool() const noexcept { return group.value != 0; }
};

struct Delivery {
    MessagePtr message;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;  // The lower of the message's and the subscription's ([MQTT-3.8.4-8]).
    bool retain = false;
    SubscriptionIdentifiers subscription_identifiers;
    GroupRef group;
    DeliveryNumber number = 0;  // In the Journal.
};

}  // namespace chappe::broker
