// SUBSCRIBE and UNSUBSCRIBE (3.8 to 3.11).

#include <utility>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::ReasonCode;

namespace {

// SUBACK and UNSUBACK have a code for each filter, so nothing of them can be left out ([MQTT-3.1.2-24]).
std::unexpected<mqtt::Error> failure_too_large() {
    return mqtt::failure(ReasonCode::PacketTooLarge, "the answer is larger than your Maximum Packet Size");
}

// [MQTT-3.3.1-9] to [MQTT-3.3.1-11]. What an existing subscription has not got yet of what it was owed, it still gets.
bool is_owed_retained(const SessionSubscription& subscription, bool is_new) noexcept {
    if (subscription.filter.shared()) return false;
    const auto handling = subscription.options.retain_handling;
    return handling == mqtt::RetainHandling::Send || (handling == mqtt::RetainHandling::SendIfNew && is_new);
}

}  // namespace

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::Subscribe& subscribe, Instant now) {
    auto& session = *session_of(connection);
    mqtt::SubAck answer{.packet_id = subscribe.packet_id};
    std::string_view why;
    for (const auto& entry : subscribe.entries) {
        auto granted = subscribe_one(connection, session, entry, subscribe.subscription_identifier.value_or(0), now);
        if (!granted) {
            why = granted.error().reason;
            commons_.events.record({.kind = EventKind::SubscribeRefused,
                                    .client_id = session.client_id,
                                    .user_name = session.identity.user_name,
                                    .address = connection.peer.address,
                                    .topic = entry.filter,
                                    .code = granted.error().code,
                                    .reason = why});
        }
        const auto code = granted ? *granted : granted.error().code;
        answer.reason_codes.push_back(is_error(code) && !connection.v5() ? ReasonCode::UnspecifiedError : code);
    }
    if (!connection.takes(answer)) return failure_too_large();
    if (session.kept) journal_.hold(connection);
    connection.send_with_reason(answer, why);
    session.pump(now);  // The retained messages.
    settle(session, now);
    return {};
}

mqtt::Result<ReasonCode> Shard::subscribe_one(Connection& connection, Session& session,
                                              const mqtt::Subscribe::Entry& entry, std::uint32_t identifier,
                                              Instant now) {
    auto filter = TRY(mqtt::TopicFilter::parse(entry.filter));
    if (!check_length(filter.text()) || !check_levels(filter.filter())) {
        return mqtt::failure(ReasonCode::TopicFilterInvalid, "topic filter longer or deeper than allowed");
    }
    const auto known = session.subscriptions.find(filter.text());
    const bool is_new = known == session.subscriptions.end();
    if (const auto bound = is_new ? in_the_way_of_subscription(session) : std::nullopt) {
        counters_.reached(*bound);
        return mqtt::failure(ReasonCode::QuotaExceeded, "the bound for subscriptions is reached");
    }
    const auto decision = commons_.permissions.decide({.who = connection.identity,
                                                       .access = Access::Subscribe,
                                                       .topic = filter.filter(),
                                                       .qos = entry.options.qos,
                                                       .shared = filter.shared()});
    if (!decision.allowed) return mqtt::failure(ReasonCode::NotAuthorized, decision.reason);

    SessionSubscription subscription{.filter = std::move(filter), .options = entry.options, .identifier = identifier};
    subscription.options.qos = std::min(subscription.options.qos, decision.qos_max);
    if (connection.bridge && !subscription.filter.shared()) {  // As Mosquitto does: no loops, and RETAIN kept.
        subscription.options.no_local = true;
        subscription.options.retain_as_published = true;
    }
    if (!is_new) subscription.retained_until = known->second.retained_until;
    enter(session, subscription, is_new, now);
    const auto granted = static_cast<ReasonCode>(subscription.options.qos);
    if (is_new) commons_.session_subscription_bytes.fetch_add(subscription.size_bytes(), std::memory_order_relaxed);
    const auto text = subscription.filter.text();
    auto& kept = session.subscriptions.insert_or_assign(text, std::move(subscription)).first->second;
    // The tree has the subscription already, so whatever is published from now on is delivered as an ordinary
    // publication.
    if (is_owed_retained(kept, is_new)) session.owe_retained(kept, commons_.retained.stamp());
    return granted;
}

// Where messages find it, and in the Journal.
void Shard::enter(Session& session, const SessionSubscription& subscription, bool is_new, Instant now) {
    if (subscription.filter.shared()) {
        if (is_new) counters_.shared_subscriptions.add();
        join_group(session, subscription, is_new, now);
    } else {
        commons_.tree.add(subscription.filter.filter(),
                          {.subscriber = {.shard = id_, .id = session.id.value},
                           .qos = subscription.options.qos,
                           .no_local = subscription.options.no_local,
                           .retain_as_published = subscription.options.retain_as_published,
                           .subscription_identifier = subscription.identifier});
    }
    if (session.kept) journal_.write(record::SubscriptionKept{session.id, &subscription});
}

// The bound that one more subscription would exceed, if there is one.
std::optional<Bound> Shard::in_the_way_of_subscription(const Session& session) const {
    const auto& limits = config_.limits;
    if (session.subscriptions.size() >= limits.subscriptions_per_session_max) return Bound::SubscriptionsPerSessionMax;
    if (commons_.tree.subscription_count() >= limits.subscriptions_max) return Bound::SubscriptionsMax;
    if (commons_.subscription_bytes() >= limits.subscription_bytes_max) return Bound::SubscriptionBytesMax;
    return std::nullopt;
}

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::Unsubscribe& unsubscribe, Instant now) {
    auto& session = *session_of(connection);
    mqtt::UnsubAck answer{.packet_id = unsubscribe.packet_id};
    std::string_view why;
    for (const auto filter : unsubscribe.filters) {
        if (!mqtt::is_valid_topic_filter(filter)) {
            answer.reason_codes.push_back(ReasonCode::TopicFilterInvalid);
            why = "not a topic filter";
            continue;
        }
        const auto found = session.subscriptions.find(filter);
        if (found == session.subscriptions.end()) {
            answer.reason_codes.push_back(ReasonCode::NoSubscriptionExisted);
            continue;
        }
        remove_subscription(session, found->second, now);
        if (session.kept) journal_.write(record::SubscriptionRemoved{session.id, filter});
        session.subscriptions.erase(found);
        answer.reason_codes.push_back(ReasonCode::Success);
    }
    if (!connection.takes(answer)) return failure_too_large();
    if (session.kept) journal_.hold(connection);
    connection.send_with_reason(answer, why);
    return {};
}

void Shard::remove_subscription(Session& session, const SessionSubscription& subscription, Instant now) {
    session.forget_retained(subscription);
    commons_.session_subscription_bytes.fetch_sub(subscription.size_bytes(), std::memory_order_relaxed);
    if (subscription.filter.shared()) {
        counters_.shared_subscriptions.subtract();
        return leave_group(session, subscription, now);
    }
    commons_.tree.remove(subscription.filter.filter(), {.shard = id_, .id = session.id.value});
}

}  // namespace chappe::broker
