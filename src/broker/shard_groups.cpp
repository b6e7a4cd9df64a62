// Shared subscriptions (4.8.2). A group has one home shard, which chooses the member for each message; a member's shard
// tells the home when the member comes, goes, is done with a message, or does not take one.
//
// Whatever waits, waits at the home. A member that gives a message back is given no more until it has said that it has
// room, so giving out what waits comes to an end, whatever else the home believes of its members.

#include <algorithm>
#include <iterator>
#include <limits>
#include <span>
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

GroupId group_of(const Delivery& delivery) noexcept { return delivery.group.group; }

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
            .capacity = session.send_quota(),
            .identity = std::make_shared<const Identity>(session.identity)};
}

void Shard::join_group(Session& session, const SessionSubscription& subscription, bool is_new, Instant now) {
    const auto group = commons_.group_of(subscription.filter.text());
    if (!session.groups) session.groups = std::make_unique<Memberships>();
    session.groups->join(group);
    if (is_new) commons_.tree.add(subscription.filter.filter(), in_tree(group, commons_.home_of_group(group)));
    mail::MemberUpdate update{
        .group = group, .member = member_of(session, subscription), .comes = is_new, .left = {}, .text = {}};
    if (is_new) {
        update.member.unacknowledged = session.unacknowledged_of(group);
        update.text = std::make_unique<const std::string>(subscription.filter.text());
    }
    send_home(group, std::move(update), now);
}

void Shard::leave_group(Session& session, const SessionSubscription& subscription, Instant now) {
    const auto group = commons_.group_of(subscription.filter.text());
    session.groups->leave(group);
    commons_.tree.remove(subscription.filter.filter(), in_tree(group, commons_.home_of_group(group)).subscriber);
    send_home(group, mail::MemberLeft{.group = group, .shard = id_, .session = session.id}, now);
}

void Shard::update_groups(Session& session, Instant now, std::vector<Delivery> left) {
    std::ranges::stable_sort(left, {}, group_of);
    for (const auto& [text, subscription] : session.subscriptions) {
        if (!subscription.filter.shared()) continue;
        const auto group = commons_.group_of(text);
        mail::MemberUpdate update{.group = group,
                                  .member = member_of(session, subscription),
                                  .comes = session.connected(),
                                  .left = {},
                                  .text = {}};
        const auto of_group = std::ranges::equal_range(left, group, {}, group_of);
        std::size_t bytes = 0;
        for (auto& delivery : of_group) {
            bytes += delivery.message->size_bytes();
            update.left.push_back(std::move(delivery));
        }
        send_home(group, std::move(update), now, bytes);
    }
}

void Shard::return_group_deliveries(Session& session, Instant now) {
    auto deliveries = session.take_back_all();
    std::ranges::stable_sort(deliveries, {}, group_of);
    for (auto rest = std::span(deliveries); !rest.empty();) {
        const auto group = group_of(rest.front());
        const auto of_group = std::ranges::equal_range(rest, group, {}, group_of);
        return_to_home({.group = group,
                        .shard = id_,
                        .session = session.id,
                        .why = mail::MemberReturned::Why::SessionEnds,
                        .deliveries = {std::move_iterator(of_group.begin()), std::move_iterator(of_group.end())}},
                       now);
        rest = rest.subspan(of_group.size());
    }
}

void Shard::return_to_home(mail::MemberReturned returned, Instant now) {
    std::size_t bytes = 0;
    for (const auto& delivery : returned.deliveries) bytes += delivery.message->size_bytes();
    const auto group = returned.group;
    send_home(group, std::move(returned), now, bytes);
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

// Tells the homes to which the session has promised a place. One after the other, not from within one another: there is
// no knowing how many there are.
void Shard::report_room(Session& session, Instant now) {
    if (std::exchange(session.groups->telling, true)) return;
    while (const auto group = session.groups->next_to_tell()) {
        send_home(*group, mail::MemberReady{.group = *group, .shard = id_, .session = session.id}, now);
    }
    session.groups->telling = false;
}

// Whether the session took it, or it was lost there. What it has no room for it refuses.
bool Shard::deliver_to_member(SessionId member, const Delivery& delivery, Instant now) {
    auto* session = sessions_.find(member);
    const auto group = delivery.group.group;
    const auto& message = *delivery.message;
    const bool now_or_never = message.qos() == QoS::AtMostOnce;
    if (session == nullptr || !session->groups || !session->groups->contains(group)) {
        if (!now_or_never) return false;
        count_drop("", message, DropReason::Offline, now);
        return true;
    }
    if (!now_or_never && !session->groups->takes(group)) return false;
    if (!session->deliver_from_group(delivery, now)) {
        session->groups->refuse(group);
        return false;
    }
    settle(*session, now);
    return true;
}

// From another shard, whose home has asked for permission; but that may have been taken back since. Several in a row
// that go back make one mail, in order.
void Shard::receive_member_delivery(mail::MemberDelivery& arrived, Instant now) {
    using Why = mail::MemberReturned::Why;
    const auto [home, sequence, group] = arrived.delivery.group;
    const auto* session = sessions_.find(arrived.member);
    const bool is_member = session != nullptr && session->groups && session->groups->contains(group);
    const bool is_permitted = !is_member || session->may_receive(*arrived.delivery.message);
    if (is_permitted && deliver_to_member(arrived.member, arrived.delivery, now)) return;
    const auto why = is_member && is_permitted ? Why::Refused : Why::Left;
    auto& outbox = outboxes_[home.value];
    auto* last = outbox.mail.empty() ? nullptr : std::get_if<mail::MemberReturned>(&outbox.mail.back());
    if (last != nullptr && last->group == group && last->session == arrived.member && last->why == why) {
        outbox.bytes += arrived.delivery.message->size_bytes();
        last->deliveries.push_back(std::move(arrived.delivery));
        return;
    }
    mail::MemberReturned returned{
        .group = group, .shard = id_, .session = arrived.member, .why = why, .deliveries = {}};
    returned.deliveries.push_back(std::move(arrived.delivery));
    return_to_home(std::move(returned), now);
}

void Shard::handle_group_mail(mail::RefusalSeen& seen, Instant now) {
    auto* session = sessions_.find(seen.session);
    if (session == nullptr || !session->groups) return;
    session->groups->refusal_seen(seen.group);
    session->offer_room();
    settle(*session, now);
}

void Shard::handle_group_mail(mail::NothingWaits& nothing, Instant now) {
    auto* session = sessions_.find(nothing.session);
    if (session == nullptr || !session->groups) return;
    session->groups->end_promise(nothing.group);
    session->pump(now);
    settle(*session, now);
}

void Shard::handle_group_mail(mail::MemberRecall& recall, Instant now) {
    mail::MemberReturned returned{.group = recall.group,
                                  .shard = id_,
                                  .session = recall.session,
                                  .why = mail::MemberReturned::Why::Recalled,
                                  .deliveries = {}};
    auto* session = sessions_.find(recall.session);
    const bool is_member = session != nullptr && session->groups && session->groups->contains(recall.group);
    if (is_member && !session->connected()) {  // Else it keeps what it was sent: [MQTT-3.10.4-3].
        returned.deliveries = session->take_back(recall.group, std::move(recall.sequences));
    }
    return_to_home(std::move(returned), now);
}

// --- At the home.

SharedGroup& Shard::group_at_home(GroupId id) {
    const auto [found, is_new] = groups_.try_emplace(id, id, environment_.accounts);
    if (is_new) counters_.shared_groups.add();
    return found->second;
}

void Shard::end_group(SharedGroup& group, Instant now) {
    for (const auto& waiting : group.queue.take_all()) {
        count_drop(group.text, *waiting.message, DropReason::NoMember, now);
    }
    counters_.shared_groups.subtract();
    const auto id = group.id;
    groups_.erase(id);
}

void Shard::end_early_groups(Instant now) {
    for (const auto id : std::exchange(early_groups_, {})) {
        const auto found = groups_.find(id);
        if (found != groups_.end() && found->second.empty()) end_group(found->second, now);
    }
}

// Whether the group's full queue rejected it.
bool Shard::deliver_to_group(GroupId id, const MessagePtr& message, Instant now) {
    const bool early = !groups_.contains(id);
    auto& group = group_at_home(id);
    // The tree knows the group, so the first member's MemberUpdate is on its way: it was posted before the SUBACK.
    if (early) early_groups_.push_back(id);
    const bool now_or_never = message->qos() == QoS::AtMostOnce && !group.empty();
    const Delivery delivery{.message = message,
                            .group = {.shard = id_, .sequence = group.next_sequence(), .group = id}};
    auto* queue = &group.queue;
    if (group.recalls_awaited != 0 && queue->in_the_way(*message)) stop_awaiting_recalls(group, now);
    const bool others_first = !queue->empty() || group.recalls_awaited != 0;
    if (now_or_never || !others_first) queue = place(group, delivery, now);
    if (queue == nullptr) return false;
    if (now_or_never) {
        count_drop(group.text, *message, DropReason::Offline, now);
        return false;
    }
    return !queue_for_group(group, *queue, delivery, now);
}

bool Shard::queue_for_group(const SharedGroup& group, GroupQueue& queue, Delivery delivery, Instant now) {
    const auto& message = *delivery.message;
    if (!queue.fits(message)) {
        drop_expired_from_group(group, queue, now);
        while (const auto in_the_way = queue.in_the_way(message)) {
            if (config_.policy.when_full == WhenFull::Reject) {
                count_drop(group.text, message, DropReason::Rejected, now);
                return false;
            }
            const bool drop_new = config_.policy.when_full == WhenFull::DropNewest || queue.empty();
            if (drop_new) {
                count_drop(group.text, message, *in_the_way, now);
                return true;
            }
            count_drop(group.text, *queue.pop_front().message, *in_the_way, now);
        }
    }
    queue.push_back(std::move(delivery));
    return true;
}

void Shard::drop_expired_from_group(const SharedGroup& group, GroupQueue& queue, Instant now) {
    std::vector<Delivery> expired;
    queue.take_expired(now, expired);
    for (const auto& delivery : expired) count_drop(group.text, *delivery.message, DropReason::Expired, now);
}

SharedGroup::Choice Shard::choice() noexcept {
    return {.strategy = config_.policy.shared_strategy,
            .random = random_,
            .hash = commons_.hash,
            .restricting = commons_.permissions.restricts_receiving() ? &commons_.permissions : nullptr};
}

// Gives the message to a member, or drops it since no member may receive it; nullptr. Or says in which queue it has to
// wait for one.
GroupQueue* Shard::place(SharedGroup& group, const Delivery& waiting, Instant now) {
    const auto choice = this->choice();
    const auto& message = *waiting.message;
    const bool now_or_never = message.qos() == QoS::AtMostOnce;
    const auto backlog_of = [&](SharedGroup::Member& member) {
        if (!member.backlog) member.backlog = std::make_unique<GroupQueue>(environment_.accounts);
        return member.backlog.get();
    };
    while (auto* member = group.choose(message, choice)) {
        const bool after_others = member->backlog && !now_or_never;
        if (after_others || !member->takes(message)) {
            return SharedGroup::waits_apart(choice) ? backlog_of(*member) : &group.queue;
        }
        if (give(group, *member, waiting, now)) return nullptr;
    }
    if (choice.restricting == nullptr || !group.anybody_takes(message)) return &group.queue;
    // Who has room may not receive it, and is not to wait for those who may.
    auto* member = group.permitted(message, choice);
    if (member != nullptr && !now_or_never) return backlog_of(*member);
    count_drop(group.text, message, member == nullptr ? DropReason::NotAuthorized : DropReason::Offline, now);
    return nullptr;
}

// False: the member is of this shard and refused it, so it is not chosen again.
bool Shard::give(SharedGroup& group, SharedGroup::Member& member, const Delivery& waiting, Instant now) {
    const auto& message = *waiting.message;
    Delivery delivery{.message = waiting.message,
                      .qos = std::min(message.qos(), member.options.qos),
                      .retain = message.retain() && member.options.retain_as_published,
                      .group = waiting.group};
    delivery.subscription_identifiers.add(member.subscription_identifier);
    group.given_to(member);
    if (member.shard != id_) {
        post(member.shard, mail::MemberDelivery{.member = member.session, .delivery = std::move(delivery)},
             message.size_bytes());
        return true;
    }
    if (deliver_to_member(member.session, delivery, now)) return true;
    member.done(1);
    member.refused = true;
    if (auto* session = sessions_.find(member.session)) session->groups->refusal_seen(group.id);
    return false;
}

// Gives out what waits, as far as members take it: what is for all, and `backlogs` of those who may have room. Each
// turn takes a message from its queue, or ends.
void Shard::pump_group(SharedGroup& group, std::span<SharedGroup::Member> backlogs, Instant now) {
    if (std::exchange(group.pumping, true)) return;  // The loops below go on anyway.
    if (group.recalls_awaited == 0) {
        pump_queue(group, std::exchange(group.recalled, 0), now);  // Places were kept for these.
        recall(group, now);
    }
    if (group.recalls_awaited == 0) {
        pump_queue(group, std::exchange(group.recalled, 0), now);  // Answered at once, on this shard.
        give_out(group, backlogs, now);
    }
    group.pumping = false;
}

// Order yields before loss: where nothing more can wait for what is asked back, members get what they have room for.
void Shard::stop_awaiting_recalls(SharedGroup& group, Instant now) {
    if (std::exchange(group.pumping, true)) return;
    group.recalls_awaited = 0;
    group.recalled = 0;
    give_out(group, group.members(), now);
    group.pumping = false;
}

void Shard::give_out(SharedGroup& group, std::span<SharedGroup::Member> backlogs, Instant now) {
    for (auto& member : backlogs) pump_backlog(group, member, now);
    pump_queue(group, std::numeric_limits<std::size_t>::max(), now);
}

// What members left unacknowledged is asked back when others would take it at once. It is older than what waits here.
void Shard::recall(SharedGroup& group, Instant now) {
    if (!group.anything_left()) return;
    auto recalls = group.recall(choice());
    group.recalls_awaited += static_cast<std::uint32_t>(recalls.size());
    for (auto& [shard, recalled] : recalls) {
        if (shard == id_) {
            handle_group_mail(recalled, now);
        } else {
            const auto bytes = recalled.sequences.size() * sizeof(std::uint32_t);
            post(shard, std::move(recalled), bytes);
        }
    }
}

void Shard::pump_backlog(SharedGroup& group, SharedGroup::Member& member, Instant now) {
    if (!member.backlog) return;
    while (!member.backlog->empty()) {
        const auto& next = member.backlog->front();
        if (next.message->expired(now)) {
            count_drop(group.text, *next.message, DropReason::Expired, now);
        } else if (!SharedGroup::is_permitted(member, *next.message, choice())) {
            return group.dissolve_backlog(member);  // Not any more: all of it is looked at again, with the rest.
        } else if (!member.takes(*next.message) || !give(group, member, next, now)) {
            return;
        }
        static_cast<void>(member.backlog->pop_front());
    }
    member.backlog.reset();
}

void Shard::pump_queue(SharedGroup& group, std::size_t messages_max, Instant now) {
    std::vector<std::pair<GroupQueue*, Delivery>> apart;
    for (; messages_max != 0 && !group.queue.empty(); --messages_max) {
        const auto& next = group.queue.front();
        auto* queue = &group.queue;
        if (next.message->expired(now)) {
            count_drop(group.text, *next.message, DropReason::Expired, now);
            queue = nullptr;
        } else {
            queue = place(group, next, now);
        }
        if (queue == &group.queue) break;
        auto delivery = group.queue.pop_front();
        if (queue == nullptr) continue;
        ++queue->expected;
        apart.emplace_back(queue, std::move(delivery));
    }
    // They were within bounds before, so they are not measured again.
    std::ranges::stable_sort(apart, {}, [](const auto& waiting) { return waiting.first; });
    for (auto first = apart.begin(); first != apart.end();) {
        auto* queue = first->first;
        std::vector<Delivery> deliveries;
        for (; first != apart.end() && first->first == queue; ++first) deliveries.push_back(std::move(first->second));
        queue->expected = 0;
        queue->take_back(std::move(deliveries));
    }
}

void Shard::handle_group_mail(mail::MemberUpdate& update, Instant now) {
    auto& group = group_at_home(update.group);
    if (update.text) group.text = *update.text;
    auto& member = group.update(update.member);
    group.leave_for_others(member, std::move(update.left));
    if (!member.online) group.dissolve_backlog(member);
    if (update.comes) group.reconsider_for(member, choice());
    pump_group(group, {&member, 1}, now);
}

void Shard::handle_group_mail(mail::MemberLeft& left, Instant now) {
    const auto found = groups_.find(left.group);
    if (found == groups_.end()) return;
    auto& group = found->second;
    group.leave(left.shard, left.session);
    if (group.empty()) return end_group(group, now);
    pump_group(group, {}, now);
}

void Shard::handle_group_mail(mail::MemberDone& done, Instant now) {
    const auto found = groups_.find(done.group);
    if (found == groups_.end()) return;
    auto& group = found->second;
    auto* member = group.find(done.shard, done.session);
    if (member == nullptr) return;
    member->done(done.count);
    pump_group(group, {member, 1}, now);
}

void Shard::handle_group_mail(mail::MemberReady& ready, Instant now) {
    const auto found = groups_.find(ready.group);
    if (found == groups_.end()) return;
    auto& group = found->second;
    auto* member = group.find(ready.shard, ready.session);
    if (member == nullptr) return;
    member->refused = false;
    const auto outstanding = member->outstanding;
    pump_group(group, {member, 1}, now);
    if (member->outstanding != outstanding) return;
    mail::NothingWaits nothing{.group = group.id, .session = member->session};
    if (member->shard == id_) return handle_group_mail(nothing, now);
    post(member->shard, nothing);
}

void Shard::handle_group_mail(mail::MemberReturned& returned, Instant now) {
    const auto found = groups_.find(returned.group);
    if (found == groups_.end()) {
        for (const auto& delivery : returned.deliveries) {
            count_drop("", *delivery.message, DropReason::NoMember, now);
        }
        return;
    }
    auto& group = found->second;
    std::vector<Delivery> waiting;
    for (const auto& delivery : returned.deliveries) {
        waiting.push_back({.message = delivery.message, .group = delivery.group});
    }
    auto* queue = &group.queue;
    auto* const member = group.find(returned.shard, returned.session);
    if (member != nullptr) {
        member->done(static_cast<std::uint32_t>(returned.deliveries.size()));
        if (returned.why == mail::MemberReturned::Why::SessionEnds) group.give_up(*member);
        const bool refused = returned.why == mail::MemberReturned::Why::Refused;
        if (refused && !std::exchange(member->refused, true)) {
            post(member->shard, mail::RefusalSeen{.group = group.id, .session = member->session});
        }
        const bool apart = SharedGroup::waits_apart(config_.policy.shared_strategy);
        if (apart && member->online && member->backlog) queue = member->backlog.get();
    }
    // They were within bounds before, so they are not measured again.
    queue->take_back(std::move(waiting));
    // Nothing is awaited where it was asked by a group that has ended since, or that could not wait.
    if (returned.why != mail::MemberReturned::Why::Recalled || group.recalls_awaited == 0) {
        return pump_group(group, {member, member == nullptr ? 0U : 1U}, now);
    }
    --group.recalls_awaited;
    group.recalled += returned.deliveries.size();
    pump_group(group, group.members(), now);  // Nobody has got anything while the answer was awaited.
}

}  // namespace chappe::broker
