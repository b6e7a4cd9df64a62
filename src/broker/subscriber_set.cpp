#include "broker/subscriber_set.h"

namespace chappe::broker {
namespace {

auto before(SubscriberId subscriber) {
    return [subscriber](const Subscription& other) { return other.subscriber < subscriber; };
}

SubscriberSet::Change replace(Subscription& old, const Subscription& subscription) {
    if (old.subscriber.kind == SubscriberKind::Group) {
        old.subscription_identifier += subscription.subscription_identifier;
        return SubscriberSet::Change::MemberJoined;
    }
    if (old == subscription) return SubscriberSet::Change::None;
    old = subscription;
    return SubscriberSet::Change::Replaced;
}

// Whether the subscription stays, with one member less.
bool has_more_members(Subscription& subscription) {
    return subscription.subscriber.kind == SubscriberKind::Group && --subscription.subscription_identifier != 0;
}

}  // namespace

SubscriberSet::Change SubscriberSet::set(const Subscription& subscription) {
    if (empty()) {
        content_ = subscription;
        return Change::Added;
    }
    if (auto* one = std::get_if<Subscription>(&content_)) {
        if (one->subscriber == subscription.subscriber) return replace(*one, subscription);
        Blocks blocks;
        blocks.insert(blocks.end(), *one);
        content_ = std::move(blocks);
    }
    auto& blocks = std::get<Blocks>(content_);
    const auto at = blocks.lower_bound(before(subscription.subscriber));
    if (at != blocks.end() && blocks.at(at).subscriber == subscription.subscriber) {
        return replace(blocks.at(at), subscription);
    }
    blocks.insert(at, subscription);
    return Change::Added;
}

SubscriberSet::Removal SubscriberSet::erase(SubscriberId subscriber) {
    if (empty()) return Removal::None;
    if (auto* one = std::get_if<Subscription>(&content_)) {
        if (one->subscriber != subscriber) return Removal::None;
        if (has_more_members(*one)) return Removal::MemberLeft;
        content_ = std::monostate{};
        return Removal::Removed;
    }
    auto& blocks = std::get<Blocks>(content_);
    const auto at = blocks.lower_bound(before(subscriber));
    if (at == blocks.end() || blocks.at(at).subscriber != subscriber) return Removal::None;
    if (has_more_members(blocks.at(at))) return Removal::MemberLeft;
    blocks.erase(at);
    if (blocks.empty()) content_ = std::monostate{};
    return Removal::Removed;
}

void SubscriberSet::append_to(std::pmr::vector<Subscription>& out) const {
    if (const auto* one = std::get_if<Subscription>(&content_)) out.push_back(*one);
    if (const auto* many = std::get_if<Blocks>(&content_)) {
        for (const auto& block : many->blocks()) out.insert(out.end(), block.begin(), block.end());
    }
}

}  // namespace chappe::broker
