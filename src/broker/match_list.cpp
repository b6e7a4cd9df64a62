#include "broker/match_list.h"

#include <algorithm>

namespace chappe::broker {

MatchList::MatchList(std::span<const Subscription> subscriptions)
    : subscriptions_(subscriptions.begin(), subscriptions.end()) {
    // What one filter matched comes sorted already, and that may be 100,000.
    if (!std::ranges::is_sorted(subscriptions_, {}, &Subscription::subscriber)) {
        std::ranges::sort(subscriptions_, {}, &Subscription::subscriber);
    }
    for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
        const auto shard = subscriptions_[i].subscriber.shard;
        if (ranges_.empty() || ranges_.back().shard != shard) ranges_.push_back({shard, i, i});
        ranges_.back().end = i + 1;
    }
}

}  // namespace chappe::broker
