#pragma once

// A shared subscription (4.8.2): its members, who gets the next message, and the messages that wait for one who can
// take them. Owned by its home shard, hash("$share/NAME/FILTER") mod shards, wherever its members are.
//
// A member takes as many messages of QoS 1 and 2 as its Receive Maximum; the rest waits here, in one queue for all. So
// a slow member does not hoard messages that a quick one could take, and what waits while all are away goes to whoever
// comes back first. Only where a hash says which member a message is for, each has a queue of its own here, so that a
// slow one does not stop the others; and where the members who have room may not receive a message, it waits in the
// queue of one who may.
//
// What a member leaves unacknowledged when its connection ends stays in its window, to be sent again when it is back
// ([MQTT-4.4.0-1]). The home knows of it, and asks for it as soon as another member takes it. Until the answer has come
// it gives out nothing else of QoS 1 and 2, since that is younger.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/random.h"
#include "broker/group_queue.h"
#include "broker/limits.h"
#include "broker/mail.h"

namespace chappe::broker {

class SharedGroup {
public:
    SharedGroup(GroupId group, QueueAccounts accounts) : id(group), queue(accounts) {}

    struct Member : GroupMember {
        std::uint32_t outstanding = 0;        // Given to it and not yet reported as done.
        bool refused = false;                 // It has given something back and not yet said that it has room again.
        std::vector<Delivery> left;           // Unacknowledged when it went; others may have it. The oldest last.
        std::vector<Delivery> withheld;       // Of that, what nobody who is there may receive. The oldest first.
        std::unique_ptr<GroupQueue> backlog;  // What waits for this member alone.

        // QoS 0 does not wait, so it is given to whoever is there.
        [[nodiscard]] bool takes(const Message& message) const noexcept;
        void done(std::uint32_t count) noexcept { outstanding -= std::min(count, outstanding); }
    };

    // How it is chosen who gets a message.
    struct Choice {
        SharedStrategy strategy;
        Random& random;
        const TextHash& hash;
        const Permissions* restricting = nullptr;  // Null: everybody may receive everything.
    };

    const GroupId id;
    std::string text;  // "$share/NAME/FILTER"; empty until the first member has joined.
    GroupQueue queue;
    bool pumping = false;               // What waits is being given out.
    std::uint32_t recalls_awaited = 0;  // Answers; until they are there, nothing is given out.
    std::size_t recalled = 0;           // Messages that have come with them.

    Member& update(const GroupMember& member);
    void leave(ShardId shard, SessionId session);
    // It is about to leave: nothing is for this member any more.
    void give_up(Member& member);

    [[nodiscard]] Member* find(ShardId shard, SessionId session) noexcept;
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }
    [[nodiscard]] std::span<Member> members() noexcept { return members_; }
    [[nodiscard]] bool anybody_online() const noexcept;

    [[nodiscard]] std::uint32_t next_sequence() noexcept { return sequence_++; }

    // The member who gets this message: one who takes it, where the strategy leaves a choice; else the one it is for,
    // who may have no room. nullptr: nobody, for now.
    [[nodiscard]] Member* choose(const Message& message, const Choice& choice);
    // Whether what its member has no room for waits apart from the rest.
    [[nodiscard]] static bool waits_apart(SharedStrategy strategy) noexcept {
        return strategy == SharedStrategy::HashTopic || strategy == SharedStrategy::HashClient;
    }
    [[nodiscard]] static bool waits_apart(const Choice& choice) noexcept {
        return waits_apart(choice.strategy) || choice.restricting != nullptr;
    }
    // Whether there is somebody with room for it, permitted or not.
    [[nodiscard]] bool anybody_takes(const Message& message) const noexcept;
    // One who may receive it, for whom it can wait: who is there rather than not, and has the least waiting. nullptr:
    // no member may receive it.
    [[nodiscard]] Member* permitted(const Message& message, const Choice& choice);
    [[nodiscard]] static bool is_permitted(const Member& member, const Message& message, const Choice& choice) {
        return choice.restricting == nullptr || may_receive(*choice.restricting, *member.identity, message);
    }
    // It has been chosen, and the message is on its way.
    void given_to(Member& member) noexcept;

    // What this member, who is away, has not acknowledged, the oldest first. It keeps it for when it is back.
    void leave_for_others(Member& member, std::vector<Delivery> left);
    [[nodiscard]] bool anything_left() const noexcept { return left_ != 0; }
    // That of it which somebody takes now, or waits for by the rule of a hash: it is to be asked back.
    [[nodiscard]] std::vector<std::pair<ShardId, mail::MemberRecall>> recall(const Choice& choice);

    // What waits for this member alone is for everybody again.
    void dissolve_backlog(Member& member);
    // This one has come, or may be permitted something else than before: so is what it may receive of that which waited
    // since nobody else might have it. Where no hash decides, also what waits for others alone.
    void reconsider_for(Member& comer, const Choice& choice);

private:
    using Key = std::pair<SessionId, ShardId>;
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<std::uint64_t>{}(TextHash::combine(key.first.value, key.second.value));
        }
    };

    [[nodiscard]] Member* next_in_turn(const Message& message, const Choice& choice);
    [[nodiscard]] Member* at_random(const Message& message, const Choice& choice);
    [[nodiscard]] Member* stuck_to(const Message& message, const Choice& choice);
    [[nodiscard]] Member* by_hash(std::uint64_t key, const Message& message, const Choice& choice);
    [[nodiscard]] Member* taker_of_left(const Message& message, const Choice& choice);

    std::vector<Member> members_;
    std::unordered_map<Key, std::size_t, KeyHash> places_;  // Of the members in members_.
    std::size_t last_ = 0;                                  // Index of the one who got the last message.
    std::uint32_t sequence_ = 0;
    std::size_t left_ = 0;  // By all members.
};

}  // namespace chappe::broker
