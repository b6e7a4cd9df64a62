#pragma once

// The answer to "who gets this topic?": computed once by the TopicTree, then shared by all who ask again.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "broker/subscriber.h"

namespace chappe::broker {

// All subscriptions that match one topic, sorted by (shard, kind, id): the overlapping subscriptions of one subscriber
// are neighbours, and those of one shard are one range. Immutable, so any thread may read it.
class MatchList {
public:
    // The subscriptions of one shard: [begin, end) of all().
    struct Range {
        ShardId shard;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
    };

    MatchList() = default;
    // Takes them in any order.
    explicit MatchList(std::span<const Subscription> subscriptions);

    [[nodiscard]] bool empty() const noexcept { return subscriptions_.empty(); }
    [[nodiscard]] std::span<const Subscription> all() const noexcept { return subscriptions_; }
    [[nodiscard]] std::span<const Range> shards() const noexcept { return ranges_; }
    [[nodiscard]] std::span<const Subscription> of(const Range& range) const noexcept {
        return all().subspan(range.begin, range.end - range.begin);
    }

    // The memory it takes, which the bound of a MatchCache counts.
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return sizeof(MatchList) + subscriptions_.size() * sizeof(Subscription) + ranges_.size() * sizeof(Range);
    }

private:
    std::vector<Subscription> subscriptions_;
    std::vector<Range> ranges_;
};

using Matches = std::shared_ptr<const MatchList>;  // Never null.

}  // namespace chappe::broker
