#include "broker/match_cache.h"

namespace chappe::broker {

MatchCache::MatchCache(const TopicTree& tree, std::size_t entries_max, std::size_t bytes_max)
    : tree_(tree), entries_max_(entries_max), bytes_max_(bytes_max) {
    ASSERT(entries_max > 0);
}

// The empty list is one for all topics without subscriptions, but small enough to be counted each time.
std::size_t MatchCache::Entry::bytes() const noexcept {
    return sizeof(Entry) + topic.view().size() + matches->size_bytes();
}

const Matches& MatchCache::match(std::string_view topic) {
    const auto hash = tree_.hash()(topic);
    const auto id = index_.find(hash, [&](std::uint32_t at) { return entries_[at].topic.view() == topic; });
    const bool known = id != HashIndex::none;
    if (known && entries_[id].generation == tree_.generation(entries_[id].watch)) {
        ++hits_;
        entries_[id].asked_again = true;
        return entries_[id].matches;
    }
    ++misses_;
    if (known) drop(id);
    const auto watch = tree_.watch(topic);
    const auto generation = tree_.generation(watch);  // Before match(): what changes in between is then seen next time.
    return insert({CompactText(topic), hash, watch, generation, tree_.match(topic), known});
}

const Matches& MatchCache::insert(Entry entry) {
    const auto bytes = entry.bytes();
    if (bytes > bytes_max_ / 4) return not_kept_ = std::move(entry.matches);
    not_kept_.reset();
    make_room(bytes);
    const auto id = entries_.take();
    index_.insert(entry.hash, id);
    bytes_ += bytes;
    entries_[id] = std::move(entry);
    return entries_[id].matches;
}

void MatchCache::make_room(std::size_t bytes) {
    while (index_.size() >= entries_max_ || bytes_ + bytes > bytes_max_) drop_one();
}

// Goes round (the clock algorithm): an entry that was asked for again since the last round stays for this one.
void MatchCache::drop_one() {
    ASSERT(index_.size() > 0);
    for (;;) {
        const auto id = hand_;
        hand_ = (hand_ + 1) % entries_.end();
        auto& entry = entries_[id];
        if (!entry.matches) continue;
        if (!entry.asked_again) return drop(id);
        entry.asked_again = false;
    }
}

void MatchCache::drop(std::uint32_t id) {
    bytes_ -= entries_[id].bytes();
    index_.erase(entries_[id].hash, id);
    entries_.give_back(id);
}

}  // namespace chappe::broker
