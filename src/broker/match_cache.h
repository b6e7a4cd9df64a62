#pragma once

// Remembers the matches of the topics that one shard publishes to.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/match_list.h"
#include "broker/topic_tree.h"

namespace chappe::broker {

// Owned by one shard, not shared. While a topic's generation stays the same, match() costs one hash lookup and a few
// loads, and takes no lock. Bounded by topics and by bytes (a list of 100,000 subscribers counts as such); what was not
// asked for lately makes room, so a publisher that never repeats a topic does not drive out those that do.
class MatchCache {
public:
    static constexpr std::size_t default_bytes_max = 32 * 1024 * 1024;

    // `tree` must outlive the cache.
    explicit MatchCache(const TopicTree& tree, std::size_t entries_max, std::size_t bytes_max = default_bytes_max);

    // The reference holds until the next call.
    const Matches& match(std::string_view topic);

    [[nodiscard]] std::size_t size() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t misses() const noexcept { return misses_; }

private:
    const TopicTree& tree_;
    std::size_t entries_max_;
    std::size_t bytes_max_;
    std::size_t bytes_ = 0;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

}  // namespace chappe::broker
