#pragma once

// All subscriptions of the broker, by topic filter: one of the few structures that the shards share.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/hash.h"
#include "broker/match_list.h"
#include "broker/subscriber.h"

namespace chappe::broker {

// Two equal generations of a topic: its matches have not changed in between.
struct Generation {
    std::uint64_t changes = 0;

    friend bool operator==(const Generation&, const Generation&) = default;
};

// Thread-safe. Every function may be called from every shard.
//
// Filters live in stripes, each with its own lock, so that shards seldom wait for one another:
//   - without a wildcard ("devices/7/cmd"), by the hash of the whole filter: one node each, one lookup to match;
//   - with a wildcard after the first level ("devices/+/cmd", "devices/#"), by the hash of the first level;
//   - with a wildcard as the first level ("+/cmd", "#"), in one stripe for all. A topic that begins with '$' never
//   looks
//     there, which is [MQTT-4.7.2-1].
// In a stripe, the levels of the filters form a tree.
//
// What match() costs: a topic of L levels has one exact lookup and a walk that at each level goes to the child of that
// name and to the child '+'. Each node has one path to it, so it is visited at most once: the walk visits at most
// min(2^d, nodes at depth d) nodes at depth d, never more than the filters with wildcards have levels in total. It is
// exponential in nothing but filters that someone has subscribed to (2^L filters of the shape "(x|+)/(x|+)/..."), and
// those are bounded by subscriptions_max. It does not recurse: what remains to be visited is a list of at most L nodes.
//
// Subscriptions of one filter are kept in sorted blocks of some hundred, so that the 100,000th subscriber of a filter
// is added or removed at the cost of moving one block (some kilobytes), not all of them.
class TopicTree {
public:
    // The seed makes hashes unpredictable, so that nobody can choose topics that collide. The server draws it at start.
    explicit TopicTree(std::uint64_t hash_seed = 0);
    ~TopicTree();
    TopicTree(const TopicTree&) = delete;
    TopicTree& operator=(const TopicTree&) = delete;

    // Adds or replaces the subscription of `subscription.subscriber` to `filter`: a valid topic filter, of a shared
    // subscription the part after "$share/NAME/". Returns whether it is new. A Group is counted, see SubscriberSet.
    bool add(std::string_view filter, const Subscription& subscription);

    // Returns whether it was there and is no longer.
    bool remove(std::string_view filter, SubscriberId subscriber);

    // Takes up to three locks, shared. Where the same topics come again and again, ask a MatchCache instead.
    [[nodiscard]] Matches match(std::string_view topic) const;

    // Changes whenever the result of match(topic) may have changed; ask for it before match(). A few atomic loads.
    // A subscription to a filter without wildcards changes the generation of its topic; one to "a/b/+/c" or "a/b/#"
    // that of all topics that begin with "a/b"; one to "a/+/c" that of all topics that begin with "a"; one to "#" or
    // "+/..." that of every topic. (And of the few that happen to share a counter.)
    [[nodiscard]] Generation generation(std::string_view topic) const noexcept;

    // Where the generation of a topic is counted, for who asks for the same topic often.
    struct Watch {
        std::array<std::uint16_t, 4> counters{};
    };
    [[nodiscard]] Watch watch(std::string_view topic) const noexcept;
    [[nodiscard]] Generation generation(const Watch& watch) const noexcept;

    [[nodiscard]] const TextHash& hash() const noexcept { return hash_; }
    // Each member of a Group counts.
    [[nodiscard]] std::size_t subscription_count() const noexcept;
    // The memory of all nodes: what filters cost.
    [[nodiscard]] std::size_t size_bytes() const noexcept;
    // The nodes of all stripes.
    [[nodiscard]] std::size_t node_count() const;

private:
    struct Stripe;

    // Where a filter is kept, and where its changes are counted.
    struct Place {
        Stripe& stripe;
        std::atomic<std::uint64_t>& changes;
        bool split;  // Whether by levels, or whole.
    };
    [[nodiscard]] Place place_of(std::string_view filter) const noexcept;
    [[nodiscard]] Stripe& whole_stripe(std::uint64_t hash) const noexcept;
    [[nodiscard]] Stripe& prefix_stripe(std::uint64_t first_level_hash) const noexcept;

    TextHash hash_;
    std::unique_ptr<Stripe[]> stripes_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> changes_;
    std::atomic<std::size_t> subscriptions_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    Matches nobody_;
};

}  // namespace chappe::broker
