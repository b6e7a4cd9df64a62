#pragma once

// The shared subscriptions that a session is a member of, how it stands with the home of each, and whose turn it is
// where several of them wait for room. Owned by the Session.
//
// What a member has no room for waits at the home, so the member gives it back, and all that comes after it, until the
// home knows. Then it is given nothing until it has said that it has room: it promises the next free place in its
// window to one of those who wait, and says so to that one's home, which sends a message or answers that nothing waits
// any more. So messages keep their order, nothing goes to and fro, and nobody waits for ever because others are nearer.

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

#include "broker/ids.h"

namespace chappe::broker {

class Memberships {
public:
    void join(GroupId group) { memberships_.try_emplace(group); }
    void leave(GroupId group);

    [[nodiscard]] bool contains(GroupId group) const noexcept { return memberships_.contains(group); }
    // Whether messages of this one may be taken, if there is room.
    [[nodiscard]] bool takes(GroupId group) const noexcept;

    // A message is given back for want of room.
    void refuse(GroupId group);
    // The home knows.
    void refusal_seen(GroupId group);

    [[nodiscard]] bool any_waits() const noexcept { return !waiting_.empty(); }
    // Promises a place to the one that has waited longest. There is one promise at a time.
    void promise();
    [[nodiscard]] bool promised() const noexcept { return promised_.value != 0; }
    [[nodiscard]] bool promised_to(GroupId group) const noexcept { return promised() && promised_ == group; }
    // Whose home is to be told; once for each promise.
    [[nodiscard]] std::optional<GroupId> next_to_tell();
    // The place is taken, or not needed.
    void end_promise(GroupId group) noexcept;
    // The connection is gone, and every place with it.
    void end_promise() noexcept { promised_ = {}; }

    // The session's own queue has the next free place, before another is promised.
    bool own_queue_next = false;
    // Homes are being told.
    bool telling = false;

private:
    enum class State : std::uint8_t { Takes, Refuses, Waits };

    struct Membership {
        State state = State::Takes;
        std::uint64_t place = 0;  // In waiting_, while it waits.
    };

    std::unordered_map<GroupId, Membership> memberships_;
    std::map<std::uint64_t, GroupId> waiting_;
    std::uint64_t places_ = 0;
    GroupId promised_;  // Zero: nobody.
    bool told_ = false;
};

}  // namespace chappe::broker
