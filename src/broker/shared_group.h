#pragma once

// A shared subscription (4.8.2): its members, who gets the next message, and the messages that wait for one who can
// take them. Owned by its home shard, hash("$share/NAME/FILTER") mod shards, wherever its members are.
//
// A member takes as many messages of QoS 1 and 2 as its Receive Maximum; the rest waits here, in one queue for all. So
// a slow member does not hoard messages that a quick one could take, and what waits while all are away goes to whoever
// comes back first.

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "broker/limits.h"
#include "broker/mail.h"
#include "broker/message_queue.h"

namespace chappe::broker {

class SharedGroup {
public:
    SharedGroup(GroupId group, QueueAccounts accounts) : id(group), queue(accounts) {}

    struct Member : GroupMember {
        std::uint32_t outstanding = 0;  // Given to it and not yet reported as done.
    };

    const GroupId id;
    MessageQueue queue;
    bool pumping = false;  // The queue is being given out.

    void update(const GroupMember& member);
    void leave(ShardId shard, SessionId session);
    void done(ShardId shard, SessionId session, std::uint32_t count);

    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    [[nodiscard]] bool anybody_online() const noexcept;

    // The member who gets this message, its outstanding messages counted up; nullptr while nobody can take it.
    [[nodiscard]] const Member* choose(const Message& message, SharedStrategy strategy, Random& random,
                                       const TextHash& hash);

private:
    using Key = std::pair<SessionId, ShardId>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<std::uint64_t>{}(TextHash::combine(key.first.value, key.second.value));
        }
    };

    [[nodiscard]] Member* find(ShardId shard, SessionId session) noexcept;
    [[nodiscard]] static bool can_take(const Member& member, const Message& message) noexcept;
    [[nodiscard]] Member* next_in_turn(const Message& message) noexcept;
    [[nodiscard]] Member* at_random(const Message& message, Random& random) noexcept;
    [[nodiscard]] Member* stuck_to() noexcept;
    [[nodiscard]] Member* by_hash(std::uint64_t key, const TextHash& hash) noexcept;

    std::vector<Member> members_;
    std::unordered_map<Key, std::size_t, KeyHash> places_;  // Of the members in members_.
    std::size_t last_ = 0;                                  // Index of the one who got the last message.
};

}  // namespace chappe::broker
