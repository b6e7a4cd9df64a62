#pragma once

// Remembers the matches of the topics that one shard publishes to.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/compact_text.h"
#include "base/hash_index.h"
#include "base/pool.h"
#include "broker/match_list.h"
#include "broker/topic_tree.h"

namespace chappe::broker {

// Owned by one shard, not shared. While a topic's generation stays the same, match() costs one hash lookup and a few
// loads, and takes no lock. Bounded by topics and by bytes, since one list may hold 100,000 subscriptions; one that
// would take more than a quarter of the bytes is not kept. What was asked for only once makes room first, so a
// publisher that never repeats a topic does not drive out those that do.
class MatchCache {
public:
    static constexpr std::size_t default_bytes_max = 32 * 1024 * 1024;

    // `tree` must outlive the cache. `entries_max` is at least 1.
    MatchCache(const TopicTree& tree, std::size_t entries_max, std::size_t bytes_max = default_bytes_max);

    // The reference holds until the next call.
    const Matches& match(std::string_view topic);

    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] std::uint64_t hits() const noexcept { return hits_; }
    [[nodiscard]] std::uint64_t misses() const noexcept { return misses_; }

private:
    struct Entry {
        CompactText topic;
        std::uint64_t hash = 0;
        TopicTree::Watch watch;
        Generation generation;
        Matches matches;  // Null: the entry is not in use.
        bool asked_again = false;

        [[nodiscard]] std::size_t bytes() const noexcept;
    };

    const Matches& insert(Entry entry);
    void make_room(std::size_t bytes);
    void drop_one();
    void drop(std::uint32_t id);

    const TopicTree& tree_;
    std::size_t entries_max_;
    std::size_t bytes_max_;
    Pool<Entry> entries_;
    HashIndex index_;
    Matches not_kept_;        // The last answer, if it was too large to be kept.
    std::uint32_t hand_ = 0;  // The next entry that drop_one() looks at.
    std::size_t bytes_ = 0;
    std::uint64_t hits_ = 0;
    std::uint64_t misses_ = 0;
};

}  // namespace chappe::broker
