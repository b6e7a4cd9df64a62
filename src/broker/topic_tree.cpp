#include "broker/topic_tree.h"

#include <cstddef>
#include <memory_resource>
#include <mutex>
#include <shared_mutex>

#include "broker/filter_tree.h"
#include "broker/topic_level.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

// Enough that some tens of threads seldom meet; an empty stripe costs some hundred bytes.
constexpr std::size_t stripes_per_kind = 64;
constexpr std::size_t stripe_count = 1 + 2 * stripes_per_kind;

// Counter 0 is that of the filters that begin with a wildcard. The more there are, the fewer topics share one; they
// are 32 KiB, which every shard's cache can hold.
constexpr std::uint16_t counter_count = 4096;

constexpr std::uint16_t counter_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint16_t>(1 + hash % (counter_count - 1));
}

// Memory for one call, on the stack as long as the topic is not unusually deep and its subscribers not unusually many.
class Scratch {  // NOLINT(cppcoreguidelines-pro-type-member-init): zeroing the memory would cost more than many a
                 // match.
public:
    [[nodiscard]] std::pmr::memory_resource* resource() noexcept { return &resource_; }

private:
    alignas(std::max_align_t) std::array<std::byte, 4096> memory_;
    std::pmr::monotonic_buffer_resource resource_{memory_.data(), memory_.size()};
};

// The levels before the first that is a wildcard, at most two: "a/b" of "a/b/c/#".
std::string_view literal_prefix(std::string_view filter) noexcept {
    const auto one = first_level(filter);
    const auto rest = filter.substr(one.size() + 1);  // There is one: the first level is not the wildcard.
    if (starts_with_wildcard(rest)) return one;
    return filter.substr(0, one.size() + 1 + first_level(rest).size());
}

using Levels = std::pmr::vector<TopicLevel>;

// Either by levels, or the whole text as if it were one.
Levels levels_of(std::string_view text, bool split, const TextHash& hash, Scratch& scratch) {
    Levels levels(scratch.resource());
    if (split) {
        levels.reserve(mqtt::level_count(text));
        split_levels(text, hash, levels);
    } else {
        levels.push_back({text, hash(text)});
    }
    return levels;
}

std::string_view first_two_levels(std::string_view topic) noexcept {
    const auto one = first_level(topic).size();
    if (one == topic.size()) return topic;
    return topic.substr(0, one + 1 + first_level(topic.substr(one + 1)).size());
}

}  // namespace

struct alignas(64) TopicTree::Stripe {
    void append_matches(std::span<const TopicLevel> topic, std::pmr::vector<Subscription>& out) const {
        if (empty.load(std::memory_order_relaxed)) return;
        const std::shared_lock lock(mutex);
        filters.match(topic, out);
    }

    mutable std::shared_mutex mutex;
    FilterTree filters;
    std::atomic<bool> empty = true;  // Spares the lock. Written under it.
};

TopicTree::TopicTree(std::uint64_t hash_seed)
    : hash_(hash_seed),
      stripes_(std::make_unique<Stripe[]>(stripe_count)),
      changes_(std::make_unique<std::atomic<std::uint64_t>[]>(counter_count)),
      nobody_(std::make_shared<const MatchList>()) {}

TopicTree::~TopicTree() = default;

TopicTree::Stripe& TopicTree::whole_stripe(std::uint64_t hash) const noexcept {
    return stripes_[1 + hash % stripes_per_kind];
}

TopicTree::Stripe& TopicTree::prefix_stripe(std::uint64_t first_level_hash) const noexcept {
    return stripes_[1 + stripes_per_kind + first_level_hash % stripes_per_kind];
}

TopicTree::Place TopicTree::place_of(std::string_view filter) const noexcept {
    if (starts_with_wildcard(filter)) return {stripes_[0], changes_[0], true};
    if (!mqtt::has_wildcards(filter)) {
        const auto hash = hash_(filter);
        return {whole_stripe(hash), changes_[counter_of(hash)], false};
    }
    return {prefix_stripe(hash_(first_level(filter))), changes_[counter_of(hash_(literal_prefix(filter)))], true};
}

bool TopicTree::add(std::string_view filter, const Subscription& subscription) {
    const auto place = place_of(filter);
    Scratch scratch;
    const auto levels = levels_of(filter, place.split, hash_, scratch);
    const std::unique_lock lock(place.stripe.mutex);
    const auto bytes_before = place.stripe.filters.size_bytes();
    const auto change = place.stripe.filters.add(levels, subscription);
    if (change == FilterTree::Change::None) return false;
    if (change == FilterTree::Change::MemberJoined) {
        subscriptions_.fetch_add(1, std::memory_order_relaxed);
        return false;
    }
    place.stripe.empty.store(false, std::memory_order_relaxed);
    place.changes.fetch_add(1, std::memory_order_release);
    if (change == FilterTree::Change::Replaced) return false;
    bytes_.fetch_add(place.stripe.filters.size_bytes() - bytes_before, std::memory_order_relaxed);
    subscriptions_.fetch_add(1, std::memory_order_relaxed);
    return true;
}

bool TopicTree::remove(std::string_view filter, SubscriberId subscriber) {
    const auto place = place_of(filter);
    Scratch scratch;
    const auto levels = levels_of(filter, place.split, hash_, scratch);
    const std::unique_lock lock(place.stripe.mutex);
    const auto bytes_before = place.stripe.filters.size_bytes();
    const auto removal = place.stripe.filters.remove(levels, subscriber);
    if (removal == FilterTree::Removal::None) return false;
    subscriptions_.fetch_sub(1, std::memory_order_relaxed);
    if (removal == FilterTree::Removal::MemberLeft) return false;
    bytes_.fetch_sub(bytes_before - place.stripe.filters.size_bytes(), std::memory_order_relaxed);
    place.stripe.empty.store(place.stripe.filters.empty(), std::memory_order_relaxed);
    place.changes.fetch_add(1, std::memory_order_release);
    return true;
}

Matches TopicTree::match(std::string_view topic) const {
    Scratch scratch;
    std::pmr::vector<Subscription> found(scratch.resource());
    found.reserve(16);
    const auto whole = levels_of(topic, false, hash_, scratch);
    const auto levels = levels_of(topic, true, hash_, scratch);
    whole_stripe(whole.front().hash).append_matches(whole, found);
    prefix_stripe(levels.front().hash).append_matches(levels, found);
    if (!topic.starts_with('$')) stripes_[0].append_matches(levels, found);  // [MQTT-4.7.2-1]
    return found.empty() ? nobody_ : std::make_shared<const MatchList>(found);
}

TopicTree::Watch TopicTree::watch(std::string_view topic) const noexcept {
    const auto one = counter_of(hash_(first_level(topic)));
    const auto two = counter_of(hash_(first_two_levels(topic)));
    const auto all = counter_of(hash_(topic));
    return {{topic.starts_with('$') ? one : std::uint16_t{0}, one, two, all}};
}

Generation TopicTree::generation(std::string_view topic) const noexcept { return generation(watch(topic)); }

// Counters only grow, and whoever asks later sees none of them smaller; so the sum is the same only if all are. A
// writer counts under the lock after it has changed the filters: who sees the new count sees the filters changed.
Generation TopicTree::generation(const Watch& watch) const noexcept {
    Generation sum;
    for (const auto counter : watch.counters) sum.changes += changes_[counter].load(std::memory_order_acquire);
    return sum;
}

std::size_t TopicTree::subscription_count() const noexcept { return subscriptions_.load(std::memory_order_relaxed); }

std::size_t TopicTree::size_bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

std::size_t TopicTree::node_count() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < stripe_count; ++i) {
        const std::shared_lock lock(stripes_[i].mutex);
        count += stripes_[i].filters.node_count();
    }
    return count;
}

}  // namespace chappe::broker
