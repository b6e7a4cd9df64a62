#pragma once

// What happened, in numbers. Each shard writes its own Counters and anybody may read them at any time; totals are the
// sums.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ring.h"
#include "base/time.h"

namespace chappe::broker {

// Written by one thread, read by any.
class Counter {
public:
    void add(std::uint64_t amount = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    void subtract(std::uint64_t amount = 1) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_ = 0;
};

// Why a message was not delivered to a session that was owed it, or not accepted at all.
enum class DropReason : std::uint8_t {
    QueueFull,       // The session's queue was at queue_messages_max or queue_bytes_max.
    QueuesFull,      // All queues together were at queued_bytes_total_max.
    Rejected,        // The queue was full and the publisher was told so (when_full = reject).
    UnsentFull,      // QoS 0, and the subscriber does not read fast enough (unsent_bytes_max, unsent_bytes_total_max).
    Offline,         // QoS 0, and the subscriber is not connected.
    Expired,         // Its Message Expiry Interval passed.
    PacketTooLarge,  // Larger than the subscriber's Maximum Packet Size.
    SessionEnded,    // Still queued or unacknowledged when the session ended.
    NotAuthorized,   // Publishing or receiving it is not permitted.
    RetainedFull,    // Not retained: retained_messages_max or retained_bytes_max.
    RefusedBySubscriber,  // The subscriber answered with a reason code of 0x80 or more.
    NoMember,             // The shared subscription lost its last member.
};
inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::NoMember) + 1;

[[nodiscard]] std::string_view to_string(DropReason reason) noexcept;  // "queue_full"

// The bounds of Limits, by the names of their settings. Each is counted when it is reached: something was refused,
// dropped, made to wait, or granted with less than was asked for.
enum class Bound : std::uint8_t {
    PacketSizeMax,
    ConnectPacketSizeMax,
    TopicLengthMax,
    TopicLevelsMax,
    UserPropertiesMax,
    FiltersPerPacketMax,
    ClientIdLengthMax,
    ConnectionsMax,
    ConnectTimeoutSeconds,
    ConnectionsBeforeLoginMax,
    LoginsWaitingMax,
    AddressConnectsPerMinuteMax,
    ClientConnectsPerMinuteMax,
    FlappingWaitSeconds,
    TlsHandshakesPerSecondMax,
    KeepAliveMaxSeconds,
    UnsentBytesMax,
    UnsentBytesTotalMax,
    UnfinishedBytesTotalMax,
    TopicAliasMax,
    SessionsMax,
    SessionsBytesMax,
    SessionExpiryMaxSeconds,
    WillDelayMaxSeconds,
    SubscriptionsPerSessionMax,
    SubscriptionsMax,
    SubscriptionBytesMax,
    ReceiveMaximum,
    InflightMax,
    QueueMessagesMax,
    QueueBytesMax,
    QueuedBytesTotalMax,
    MailboxBytesMax,
    RetainedMessagesMax,
    RetainedBytesMax,
};
inline constexpr std::size_t bound_count = static_cast<std::size_t>(Bound::RetainedBytesMax) + 1;

[[nodiscard]] std::string_view to_string(Bound bound) noexcept;  // "packet_size_max"

struct alignas(64) Counters {
    Counter bytes_received, bytes_sent;
    Counter packets_received, packets_sent;
    Counter publish_received, publish_sent;
    Counter publish_bytes_received, publish_bytes_sent;
    Counter sockets_accepted, connects_received, connects_refused;
    Counter connections;  // Sockets open now.
    Counter clients_connected, sessions, sessions_expired;
    Counter inflight_messages, inflight_bytes, queued_messages, queued_bytes, queued_payload_bytes;
    Counter shared_groups, shared_subscriptions;  // The latter count each member.
    std::array<Counter, bound_count> bounds_reached;
    std::array<Counter, drop_reason_count> drops;

    void reached(Bound bound) noexcept { bounds_reached[static_cast<std::size_t>(bound)].add(); }
};

// One message that was dropped.
struct Drop {
    Instant at;
    DropReason reason = {};
    std::string client_id;  // Or the shared subscription that had not given it to a member: "$share/NAME/FILTER".
    std::string topic;
};

// The last drops of a shard, for an operator who asks. Owned by the shard.
class DropLog {
public:
    explicit DropLog(std::size_t kept_max) : kept_max_(kept_max) {}

    void add(Drop drop) {
        if (kept_max_ == 0) return;
        if (drops_.size() == kept_max_) drops_.pop_front();
        drops_.push_back(std::move(drop));
    }

    void keep(std::size_t kept_max) {
        kept_max_ = kept_max;
        while (drops_.size() > kept_max_) drops_.pop_front();
    }

    [[nodiscard]] const Ring<Drop>& drops() const noexcept { return drops_; }
    [[nodiscard]] std::size_t kept_max() const noexcept { return kept_max_; }

private:
    std::size_t kept_max_;
    Ring<Drop> drops_;
};

}  // namespace chappe::broker
