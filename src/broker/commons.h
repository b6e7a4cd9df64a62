#pragma once

// What all shards share: three structures that are safe to share, a few numbers, and the ports. Built before the first
// shard and destroyed after the last.

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/hash.h"
#include "broker/journal.h"
#include "broker/limits.h"
#include "broker/mailbox.h"
#include "broker/message_queue.h"
#include "broker/ports.h"
#include "broker/retained_store.h"
#include "broker/subscriber.h"
#include "broker/topic_tree.h"
#include "broker/unsent_bytes.h"

namespace chappe::broker {

struct Commons {
    Commons(std::uint16_t shards, const Limits& limits, std::uint64_t seed, Authenticator& the_authenticator,
            const Permissions& the_permissions, EventLog& the_events)
        : shard_count(shards),
          hash(seed),
          tree(seed),
          retained(limits.retained_messages_max, limits.retained_bytes_max, seed),
          mailboxes(std::make_unique<Mailbox[]>(shards)),
          authenticator(the_authenticator),
          permissions(the_permissions),
          events(the_events) {}

    const std::uint16_t shard_count;
    const TextHash hash;  // Keyed at random, the same for all shards.

    TopicTree tree;
    RetainedStore retained;
    std::unique_ptr<Mailbox[]> mailboxes;  // One for each shard.

    std::atomic<std::uint32_t> connections = 0;
    std::atomic<std::uint32_t> connections_before_login = 0;  // Of these.
    std::atomic<std::uint32_t> sessions = 0;
    std::atomic<std::size_t> session_bytes = 0;  // With wills, without subscriptions and messages.
    QueuedBytesTotal queued_bytes = 0;
    UnsentBytesTotal unsent_bytes;                            // To be written to connections.
    std::atomic<std::size_t> unfinished_bytes = 0;            // Of packets that have not come whole yet.
    std::atomic<std::size_t> session_subscription_bytes = 0;  // What sessions keep of their subscriptions.

    // All that subscriptions take.
    [[nodiscard]] std::size_t subscription_bytes() const noexcept {
        return tree.size_bytes() + session_subscription_bytes.load(std::memory_order_relaxed);
    }

    Authenticator& authenticator;
    const Permissions& permissions;
    EventLog& events;
    Journal* journal = nullptr;  // Set before the shards are made, or never.

    // Filled before the shards start, and not changed while they run; only their filters come and go.
    std::vector<LocalSubscriber*> local_subscribers;

    // Where the subscriptions of local subscribers stand in the tree: on no shard, since each shard serves them itself.
    static constexpr ShardId every_shard{0xFFFF};

    [[nodiscard]] ShardId home_of_client(std::string_view client_id) const noexcept {
        return ShardId{static_cast<std::uint16_t>(hash(client_id) % shard_count)};
    }
    // `filter` as subscribed, "$share/NAME/..." included.
    [[nodiscard]] GroupId group_of(std::string_view filter) const noexcept { return GroupId{hash(filter) | 1}; }
    [[nodiscard]] ShardId home_of_group(GroupId group) const noexcept {
        return ShardId{static_cast<std::uint16_t>((group.value >> 1) % shard_count)};
    }
};

}  // namespace chappe::broker
