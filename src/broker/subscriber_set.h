#pragma once

// The subscriptions to one topic filter.

#include <cstdint>
#include <memory_resource>
#include <variant>
#include <vector>

#include "base/sorted_blocks.h"
#include "broker/subscriber.h"

namespace chappe::broker {

// At most one per subscriber, sorted by subscriber. Nearly all filters have one subscription, which is kept inside;
// some have 100,000, which are kept in sorted blocks. Not thread-safe.
class SubscriberSet {
public:
    enum class Change : std::uint8_t { Added, Replaced, MemberJoined, None };
    enum class Removal : std::uint8_t { Removed, MemberLeft, None };

    // Adds or replaces that of the same subscriber. None: it was there already, the same in every field. A Group is
    // added by each of its members, from any shard, and counted: it goes when each has erased it once.
    Change set(const Subscription& subscription);
    // None: it was not there.
    Removal erase(SubscriberId subscriber);

    [[nodiscard]] bool empty() const noexcept { return std::holds_alternative<std::monostate>(content_); }
    void append_to(std::pmr::vector<Subscription>& out) const;

private:
    using Blocks = SortedBlocks<Subscription>;

    std::variant<std::monostate, Subscription, Blocks> content_;  // Blocks are not empty.
};

}  // namespace chappe::broker
