#pragma once

// Topic filters as a tree of their levels: one stripe of the TopicTree.

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <vector>

#include "base/compact_text.h"
#include "base/hash_index.h"
#include "base/pool.h"
#include "broker/subscriber_set.h"
#include "broker/topic_level.h"

namespace chappe::broker {

// Not thread-safe. All nodes are in one pool; a child is found by one hash table for the whole tree with the key
// (parent, name), so that a node of one child costs no table of its own, and one of a million children is as fast. The
// children
// '+' and '#' are links. A node that nothing needs any more is removed and its place used again.
class FilterTree {
public:
    using Change = SubscriberSet::Change;
    using Removal = SubscriberSet::Removal;

    Change add(std::span<const TopicLevel> filter, const Subscription& subscription);
    Removal remove(std::span<const TopicLevel> filter, SubscriberId subscriber);

    // Appends the subscriptions of all filters that match. Visits no node twice, see TopicTree.
    void match(std::span<const TopicLevel> topic, std::pmr::vector<Subscription>& out) const;

    // Without the root.
    [[nodiscard]] std::size_t node_count() const noexcept { return empty() ? 0 : nodes_.size() - 1; }
    [[nodiscard]] bool empty() const noexcept { return nodes_.size() == 0; }
    // What the nodes take, the subscriptions of each beyond the first not counted.
    [[nodiscard]] std::size_t size_bytes() const noexcept { return node_count() * node_bytes + name_bytes_; }

private:
    using NodeId = std::uint32_t;
    static constexpr NodeId root = 0;
    static constexpr NodeId none = HashIndex::none;

    // One cache line: a visit of a node with one subscription touches nothing else.
    struct alignas(64) Node {
        NodeId parent = none;
        NodeId plus = none;
        NodeId multi = none;               // The child '#'.
        std::uint32_t named_children = 0;  // Those that the hash table finds.
        CompactText name;
        SubscriberSet subscribers;
    };

    // A node reached, and how many levels of the topic led there.
    struct Visit {
        NodeId node;
        std::size_t depth;
    };
    using Visits = std::pmr::vector<Visit>;

    [[nodiscard]] NodeId named_child(NodeId parent, const TopicLevel& level) const;
    [[nodiscard]] NodeId child(NodeId parent, const TopicLevel& level) const;
    NodeId add_child(NodeId parent, const TopicLevel& level);
    void unlink(NodeId id, const TopicLevel& level);
    void remove_unneeded(NodeId id, std::span<const TopicLevel> filter);
    void walk(Visit visit, std::span<const TopicLevel> topic, Visits& pending,
              std::pmr::vector<Subscription>& out) const;

    static_assert(sizeof(Node) == 64);
    static constexpr std::size_t node_bytes = 80;  // With its place in the hash table.

    Pool<Node> nodes_;  // None, not even the root, when there is no filter.
    HashIndex named_;
    std::size_t name_bytes_ = 0;
};

}  // namespace chappe::broker
