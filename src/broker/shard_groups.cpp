// Shared subscriptions (4.8.2). A group has one home shard, which chooses the member for each message; a member's shard
// tells the home when the member comes, goes, is done with a message, or cannot deliver it.

#include <algorithm>
#include <utility>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::QoS;

namespace {

// Where a group stands in the topic tree. The tree counts its members there, so it goes with the last one.
Subscription in_tree(GroupId group, ShardId home) {
    return {.subscriber = {.shard = home, .kind = SubscriberKind::Group, .id = group.value},
            .qos = QoS::ExactlyOnce,
            .subscription_identifier = 1};
}

}  // namespace

void Shard::send_home(GroupId group, Mail mail, Instant now, std::size_t bytes) {
    const auto home = commons_.home_of_group(group);
    if (home != id_) return post(home, std::move(mail), bytes);
    std::visit(
        [&]<class Kind>(Kind& sent) {
            if constexpr (requires { handle_group_mail(sent, now); }) handle_group_mail(sent, now);
        },
        mail);
}

GroupMember Shard::member_of(const Session& session, const SessionSubscription& subscription) const {
    return {.shard = id_,
            .session = session.id,
            .options = subscription.options,
            .subscription_identifier = subscription.identifier,
            .online = session.connected(),
            .capacity = session.send_quota()};
}

void Shard::join_group(Session& session, const SessionSubscription& subscription, bool is_new, Instant now) {
    const auto group = commons_.group_of(subscription.filter.text());
    if (is_new) commons_.tree.add(subscription.filter.filter(), in_tree(group, commons_.home_of_group(group)));
    session.subscribed_to_groups = true;
    send_home(group, mail::MemberUpdate{.group = group, .member = member_of(session, subscription)}, now);
}

void Shard::leave_group(Session& session, const SessionSubscription& subscription, Instant now) {
    const auto group = commons_.group_of(subscription.filter.text());
    commons_.tree.remove(subscription.filter.filter(), in_tree(group, commons_.home_of_group(group)).subscriber);
    send_home(group, mail::MemberLeft{.group = group, .shard = id_, .session = session.id}, now);
}

void Shard::update_groups(Session& session, Instant now) {
    for (const auto& [text, subscription] : session.subscriptions) {
        if (!subscription.filter.shared()) continue;
        const auto group = commons_.group_of(text);
        send_home(group, mail::MemberUpdate{.group = group, .member = member_of(session, subscription)}, now);
    }
}

void Shard::return_group_deliveries(Session& session, Instant now) {
    auto deliveries = session.take_back_group_deliveries();
    std::ranges::stable_sort(deliveries, {}, &Delivery::group);
    for (auto first = deliveries.begin(); first != deliveries.end();) {
        const auto group = first->group;
        const auto last = std::find_if(first, deliveries.end(), [&](const Delivery& d) { return d.group != group; });
        std::size_t bytes = 0;
        for (auto delivery = first; delivery != last; ++delivery) bytes += delivery->message->size_bytes();
        mail::MemberReturned returned{.group = group.group, .shard = id_, .session = session.id, .deliveries = {}};
        returned.deliveries.assign(std::move_iterator(first), std::move_iterator(last));
        first = last;
        send_home(group.group, std::move(returned), now, bytes);
    }
}

// Whether the group's full queue rejected it.
bool Shard::deliver_to_group(GroupId id, const MessagePtr& message, Instant now) {
    const auto found = groups_.find(id);
    if (found == groups_.end()) {
        // The tree knows the group, so the first member's MemberUpdate is on its way: it was posted before the SUBACK.
        early_for_groups_.emplace_back(id, message);
        return false;
    }
    auto& group = found->second;
    if (message->qos() == QoS::AtMostOnce || group.queue.empty()) {
        if (const auto* member = group.choose(*message, config_.policy.shared_strategy, random_, commons_.hash)) {
            give(group, *member, message, now);
            return false;
        }
    }
    if (message->qos() == QoS::AtMostOnce) {
        drop_from_group(*message, DropReason::Offline, now);
        return false;
    }
    return !queue_for_group(group, message, now);
}

bool Shard::queue_for_group(SharedGroup& group, const MessagePtr& message, Instant now) {
    if (group.queue.fits(*message)) {
        group.queue.push_back({.message = message});
        return true;
    }
    while (const auto in_the_way = group.queue.in_the_way(*message)) {
        if (config_.policy.when_full == WhenFull::Reject) {
            drop_from_group(*message, DropReason::Rejected, now);
            return false;
        }
        const bool drop_new = config_.policy.when_full == WhenFull::DropNewest || group.queue.empty();
        if (drop_new) {
            drop_from_group(*message, *in_the_way, now);
            return true;
        }
        drop_from_group(*group.queue.pop_front().message, *in_the_way, now);
    }
    group.queue.push_back({.message = message});
    return true;
}

void Shard::give(SharedGroup& group, const SharedGroup::Member& member, const MessagePtr& message, Instant now) {
    Delivery delivery{.message = message,
                      .qos = std::min(message->qos(), member.options.qos),
                      .retain = message->retain() && member.options.retain_as_published,
                      .group = {id_, group.id}};
    delivery.subscription_identifiers.add(member.subscription_identifier);
    if (member.shard == id_) return deliver_to_member(member.session, std::move(delivery), now);
    post(member.shard, mail::MemberDelivery{.member = member.session, .delivery = std::move(delivery)},
         message->size_bytes());
}

void Shard::deliver_to_member(SessionId member, Delivery delivery, Instant now) {
    auto* session = sessions_.find(member);
    const auto& message = delivery.message;
    if (session == nullptr || (!session->connected() && delivery.qos != QoS::AtMostOnce)) {
        mail::MemberReturned returned{.group = delivery.group.group, .shard = id_, .session = member, .deliveries = {}};
        const auto group = delivery.group.group;
        const auto bytes = message->size_bytes();
        returned.deliveries.push_back(std::move(delivery));
        return send_home(group, std::move(returned), now, bytes);
    }
    if (!session->may_receive(*message)) {
        count_drop(session->client_id, *message, DropReason::NotAuthorized, now);
        return report_done({.group = delivery.group.group, .shard = id_, .session = member, .count = 1}, now);
    }
    static_cast<void>(session->deliver(message, delivery.qos, delivery.retain, delivery.subscription_identifiers.all(),
                                       delivery.group, now));
    settle(*session, now);
}

// Tells the home; several in a row make one mail.
void Shard::report_done(mail::MemberDone done, Instant now) {
    const auto home = commons_.home_of_group(done.group);
    if (home == id_) return handle_group_mail(done, now);
    auto& outbox = outboxes_[home.value].mail;
    if (!outbox.empty()) {
        auto* last = std::get_if<mail::MemberDone>(&outbox.back());
        if (last != nullptr && last->group == done.group && last->session == done.session) {
            last->count += done.count;
            return;
        }
    }
    post(home, done);
}

void Shard::pump_group(SharedGroup& group, Instant now) {
    if (std::exchange(group.pumping, true)) return;  // The loop below goes on anyway.
    while (!group.queue.empty()) {
        if (group.queue.front().message->expired(now)) {
            drop_from_group(*group.queue.pop_front().message, DropReason::Expired, now);
            continue;
        }
        const auto* member =
            group.choose(*group.queue.front().message, config_.policy.shared_strategy, random_, commons_.hash);
        if (member == nullptr) break;
        give(group, *member, group.queue.pop_front().message, now);
    }
    group.pumping = false;
}

void Shard::handle_group_mail(mail::MemberUpdate& update, Instant now) {
    auto [found, is_new] = groups_.try_emplace(update.group, update.group, environment_.accounts);
    if (is_new) counters_.shared_groups.add();
    found->second.update(update.member);
    if (update.member.online) pump_group(found->second, now);
}

void Shard::handle_group_mail(mail::MemberLeft& left, Instant now) {
    const auto found = groups_.find(left.group);
    if (found == groups_.end()) return;
    auto& group = found->second;
    group.leave(left.shard, left.session);
    if (!group.empty()) return;
    while (!group.queue.empty()) drop_from_group(*group.queue.pop_front().message, DropReason::NoMember, now);
    counters_.shared_groups.subtract();
    groups_.erase(found);
}

void Shard::handle_group_mail(mail::MemberDone& done, Instant now) {
    const auto found = groups_.find(done.group);
    if (found == groups_.end()) return;
    found->second.done(done.shard, done.session, done.count);
    pump_group(found->second, now);
}

void Shard::handle_group_mail(mail::MemberReturned& returned, Instant now) {
    const auto found = groups_.find(returned.group);
    if (found == groups_.end()) {
        for (const auto& delivery : returned.deliveries) drop_from_group(*delivery.message, DropReason::NoMember, now);
        return;
    }
    auto& group = found->second;
    group.done(returned.shard, returned.session, static_cast<std::uint32_t>(returned.deliveries.size()));
    // They are older than what waits here. They were within bounds before, so they are not measured again.
    for (auto delivery = returned.deliveries.rbegin(); delivery != returned.deliveries.rend(); ++delivery) {
        group.queue.push_front({.message = delivery->message});
    }
    pump_group(group, now);
}

void Shard::deliver_early_for_groups(Instant now) {
    const auto early = std::exchange(early_for_groups_, {});
    for (const auto& [group, message] : early) {
        if (groups_.contains(group)) {
            static_cast<void>(deliver_to_group(group, message, now));
        } else {
            drop_from_group(*message, DropReason::NoMember, now);
        }
    }
}

void Shard::drop_from_group(const Message& message, DropReason reason, Instant now) {
    count_drop("", message, reason, now);
}

}  // namespace chappe::broker
