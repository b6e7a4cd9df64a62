#include "broker/filter_tree.h"

namespace chappe::broker {
namespace {

std::uint64_t key(std::uint32_t parent, const TopicLevel& level) noexcept {
    return TextHash::combine(level.hash, parent);
}

}  // namespace

FilterTree::Change FilterTree::add(std::span<const TopicLevel> filter, const Subscription& subscription) {
    NodeId id = empty() ? nodes_.take() : root;
    for (const auto& level : filter) {
        const auto found = child(id, level);
        id = found != none ? found : add_child(id, level);
    }
    return nodes_[id].subscribers.set(subscription);
}

FilterTree::Removal FilterTree::remove(std::span<const TopicLevel> filter, SubscriberId subscriber) {
    if (empty()) return Removal::None;
    NodeId id = root;
    for (const auto& level : filter) {
        id = child(id, level);
        if (id == none) return Removal::None;
    }
    const auto removal = nodes_[id].subscribers.erase(subscriber);
    if (removal == Removal::Removed) remove_unneeded(id, filter);
    return removal;
}

void FilterTree::match(std::span<const TopicLevel> topic, std::pmr::vector<Subscription>& out) const {
    if (empty()) return;
    Visits pending(out.get_allocator().resource());
    pending.push_back({root, 0});
    while (!pending.empty()) {
        const auto visit = pending.back();
        pending.pop_back();
        walk(visit, topic, pending, out);
    }
}

// Goes down as far as it can, and leaves the children '+' beside its way for later: at most one per level.
void FilterTree::walk(Visit visit, std::span<const TopicLevel> topic, Visits& pending,
                      std::pmr::vector<Subscription>& out) const {
    for (auto [id, depth] = visit; id != none; ++depth) {
        const auto& node = nodes_[id];
        if (node.multi != none) nodes_[node.multi].subscribers.append_to(out);  // "a/#" matches "a" as well.
        if (depth == topic.size()) {
            node.subscribers.append_to(out);
            return;
        }
        id = named_child(id, topic[depth]);
        if (id == none) {
            id = node.plus;
        } else if (node.plus != none) {
            pending.push_back({node.plus, depth + 1});
        }
    }
}

FilterTree::NodeId FilterTree::named_child(NodeId parent, const TopicLevel& level) const {
    if (nodes_[parent].named_children == 0) return none;
    return named_.find(key(parent, level),
                       [&](NodeId id) { return nodes_[id].parent == parent && nodes_[id].name.view() == level.text; });
}

FilterTree::NodeId FilterTree::child(NodeId parent, const TopicLevel& level) const {
    if (level.text == "+") return nodes_[parent].plus;
    if (level.text == "#") return nodes_[parent].multi;
    return named_child(parent, level);
}

FilterTree::NodeId FilterTree::add_child(NodeId parent, const TopicLevel& level) {
    const auto id = nodes_.take();
    nodes_[id].parent = parent;
    nodes_[id].name = CompactText(level.text);
    name_bytes_ += level.text.size();
    auto& node = nodes_[parent];
    if (level.text == "+") {
        node.plus = id;
    } else if (level.text == "#") {
        node.multi = id;
    } else {
        named_.insert(key(parent, level), id);
        ++node.named_children;
    }
    return id;
}

void FilterTree::unlink(NodeId id, const TopicLevel& level) {
    const auto parent_id = nodes_[id].parent;
    auto& parent = nodes_[parent_id];
    if (parent.plus == id) {
        parent.plus = none;
    } else if (parent.multi == id) {
        parent.multi = none;
    } else {
        named_.erase(key(parent_id, level), id);
        --parent.named_children;
    }
}

// From the node of `filter` upwards.
void FilterTree::remove_unneeded(NodeId id, std::span<const TopicLevel> filter) {
    for (auto depth = filter.size(); id != root; --depth) {
        const auto& node = nodes_[id];
        if (!node.subscribers.empty() || node.named_children != 0 || node.plus != none || node.multi != none) return;
        unlink(id, filter[depth - 1]);
        name_bytes_ -= filter[depth - 1].text.size();
        const auto parent = node.parent;
        nodes_.give_back(id);
        id = parent;
    }
    if (node_count() != 0) return;
    ASSERT(named_.size() == 0 && name_bytes_ == 0);
    nodes_.clear();
}

}  // namespace chappe::broker
