// From a publisher to the sessions that are owed the message (3.3 to 3.7, 4.3).

#include <algorithm>
#include <utility>

#include "broker/shard.h"
#include "mqtt/encoder.h"

namespace chappe::broker {

using mqtt::QoS;
using mqtt::ReasonCode;

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::Publish& publish, Instant now) {
    counters_.publish_received.add();
    counters_.publish_bytes_received.add(publish.payload.size());
    auto& session = *session_of(connection);
    const auto topic = TRY(connection.resolve_topic(publish));  // Also of a duplicate: it may set an alias.
    if (publish.qos != QoS::AtMostOnce) {
        const bool exactly_once = publish.qos == QoS::ExactlyOnce;
        const bool counted = exactly_once && session.is_counted(publish.packet_id);
        if (!counted) TRY(count_unacknowledged(connection, session, publish));
        if (exactly_once && session.is_received(publish.packet_id)) {
            return acknowledge_again(connection, session, publish, counted);
        }
    }
    TRY(check_topic(topic));
    const auto decision = commons_.permissions.decide({.who = connection.identity,
                                                       .access = Access::Publish,
                                                       .topic = topic,
                                                       .qos = publish.qos,
                                                       .retain = publish.retain});
    if (!decision.allowed) {
        return refuse_publish(connection, publish, topic, ReasonCode::NotAuthorized, decision.reason, now);
    }
    const auto message = make_message(publish, topic, session.key, now);
    const auto written_before = journal_.written();
    if (publish.retain && !retain(message)) {
        count_drop(session.client_id, *message, DropReason::RetainedFull, now);
        if (connection.v5() && publish.qos != QoS::AtMostOnce) {
            connection.owe_ack({publish.packet_id, publish.qos, true, ReasonCode::QuotaExceeded,
                                "the bound for retained messages is reached"});
            return {};
        }
    }
    if (publish.qos == QoS::AtMostOnce) {
        route(message, {}, now);
        return {};
    }
    return route_acknowledged(connection, session, publish, message, written_before, now);
}

// Counts as the client does by 4.9: what it sends again on a new connection takes its quota there.
mqtt::Result<> Shard::count_unacknowledged(Connection& connection, Session& session, const mqtt::Publish& publish) {
    TRY(count_one(connection));
    if (publish.qos == QoS::ExactlyOnce) session.count_again(publish.packet_id);
    return {};
}

mqtt::Result<> Shard::count_one(Connection& connection) {
    if (connection.unacknowledged() >= connection.receive_maximum) {
        return mqtt::failure(ReasonCode::ReceiveMaximumExceeded, "more unacknowledged messages than allowed");
    }
    connection.publish_begun();
    return {};
}

// The same packet again ([MQTT-4.3.3-10]): it is acknowledged as before and goes no further. Where it has been
// `counted`, it came twice on one connection, which only clients before 5.0 may do: it is the same unacknowledged
// message, but an acknowledgement that has to wait takes a place of its own, so that these do not pile up.
mqtt::Result<> Shard::acknowledge_again(Connection& connection, const Session& session, const mqtt::Publish& publish,
                                        bool counted) {
    const bool pending = !session.is_settled(publish.packet_id);
    const bool waits = pending || connection.owes_acks();
    if (counted && waits) TRY(count_one(connection));
    connection.owe_ack(
        {publish.packet_id, QoS::ExactlyOnce, !pending, ReasonCode::Success, {}, false, counted && waits});
    return {};
}

mqtt::Result<> Shard::check_topic(std::string_view topic) {
    TRY(check_length(topic));
    return check_levels(topic);
}

mqtt::Result<> Shard::check_length(std::string_view topic) {
    if (topic.size() > config_.limits.topic_length_max) {
        counters_.reached(Bound::TopicLengthMax);
        return mqtt::failure(ReasonCode::TopicNameInvalid, "topic longer than topic_length_max");
    }
    return {};
}

mqtt::Result<> Shard::check_levels(std::string_view topic) {
    if (mqtt::level_count(topic) > config_.limits.topic_levels_max) {
        counters_.reached(Bound::TopicLevelsMax);
        return mqtt::failure(ReasonCode::TopicNameInvalid, "topic with more levels than topic_levels_max");
    }
    return {};
}

// A message that this client may not publish. 5.0 has a reason code for it; older versions have only the choice between
// a success that is none and closing the connection, and the broker does not say that it has what it has not.
mqtt::Result<> Shard::refuse_publish(Connection& connection, const mqtt::Publish& publish, std::string_view topic,
                                     ReasonCode code, std::string_view reason, Instant now) {
    commons_.events.record({.kind = EventKind::PublishRefused,
                            .client_id = connection.identity.client_id,
                            .user_name = connection.identity.user_name,
                            .address = connection.peer.address,
                            .topic = topic,
                            .code = code,
                            .reason = reason});
    count_drop(connection.identity.client_id, topic, DropReason::NotAuthorized, now);
    if (publish.qos == QoS::AtMostOnce) return {};
    if (!connection.v5()) return mqtt::failure(code, reason);
    connection.owe_ack({publish.packet_id, publish.qos, true, code, reason});
    return {};
}

MessagePtr Shard::make_message(const mqtt::Publish& publish, std::string_view topic, ClientKey publisher, Instant now) {
    properties_.clear();
    mqtt::encode_forwarded_properties(publish.properties, properties_);
    Message::Fields fields{.topic = topic,
                           .payload = publish.payload,
                           .properties = properties_.bytes(),
                           .qos = publish.qos,
                           .retain = publish.retain,
                           .publisher = publisher};
    if (const auto expiry = publish.properties.message_expiry_interval_seconds) {
        fields.expires_at = now + std::chrono::seconds{*expiry};
    }
    return Message::create(fields);
}

// False where a bound does not let it be retained.
bool Shard::retain(const MessagePtr& message) {
    const auto outcome = commons_.retained.set(message);
    switch (outcome) {
        case RetainedStore::Outcome::FullMessages:
            counters_.reached(Bound::RetainedMessagesMax);
            return false;
        case RetainedStore::Outcome::FullBytes:
            counters_.reached(Bound::RetainedBytesMax);
            return false;
        default:
            journal_.write(record::Retained{message});
            return true;
    }
}

// Routes a message of QoS 1 or 2 and acknowledges it: at once, or when the Journal has written it and, where they have
// a say in it, all other shards have answered.
mqtt::Result<> Shard::route_acknowledged(Connection& connection, Session& session, const mqtt::Publish& publish,
                                         const MessagePtr& message, std::uint64_t written_before, Instant now) {
    if (publish.qos == QoS::ExactlyOnce) session.received(publish.packet_id);
    PendingPublish* pending = nullptr;
    if (journal_.on() || (config_.policy.when_full == WhenFull::Reject && commons_.shard_count > 1)) {
        pending = &pending_.emplace(session.id, publish.packet_id, publish.qos).second;
    }
    const PublishToken token{id_, pending == nullptr ? PendingId{} : pending->id};
    auto routed = route(message, token, now);
    if (journal_.written() != written_before) {
        awaited_commits_.push_back({.batch = journal_.last_batch(), .token = token, .rejected = false});
        ++routed.receipts_awaited;
    }
    if (pending != nullptr && routed.receipts_awaited != 0) {
        pending->receipts_awaited = routed.receipts_awaited;
        pending->verdict = routed.verdict;
        connection.owe_ack({publish.packet_id, publish.qos, false, ReasonCode::Success, {}});
        return {};
    }
    if (pending != nullptr) pending_.erase(pending->id);
    return acknowledge(connection, session, publish.packet_id, publish.qos, routed.verdict, Ack::New);
}

mqtt::Result<> Shard::acknowledge(Connection& connection, Session& session, mqtt::PacketId packet_id, QoS qos,
                                  PublishVerdict verdict, Ack ack) {
    auto code = ReasonCode::Success;
    std::string_view reason;
    const bool refused = verdict.rejected || verdict.lost;
    if (refused) {
        if (qos == QoS::ExactlyOnce) static_cast<void>(session.released(packet_id));
        code = ReasonCode::QuotaExceeded;
        reason = verdict.rejected ? "a subscriber's queue is full" : "the message could not be written to disk";
    } else if (!verdict.matched && connection.v5()) {
        code = ReasonCode::NoMatchingSubscribers;
    }
    if (!refused && qos == QoS::ExactlyOnce) session.settled(packet_id);
    if (refused && !connection.v5()) {  // Which has no such answer.
        if (verdict.rejected) return mqtt::failure(code, reason);
        connection.withdraw_ack(packet_id, qos);  // The message may be there in spite of it: the client decides.
    } else if (ack == Ack::New) {
        connection.owe_ack({packet_id, qos, true, code, reason});
    } else {
        connection.settle_ack(packet_id, qos, code, reason);
    }
    return {};
}

void Shard::receive_receipt(const mail::Receipt& receipt, Instant now) {
    auto* pending = pending_.find(receipt.pending);
    if (pending == nullptr) return;
    ASSERT(pending->receipts_awaited != 0);
    pending->verdict.rejected |= receipt.rejected;
    pending->verdict.lost |= receipt.lost;
    if (--pending->receipts_awaited != 0) return;
    const auto settled = *pending;
    pending_.erase(pending->id);
    auto* session = sessions_.find(settled.session);
    if (session == nullptr) return;
    auto* connection = session->connection();
    if (connection == nullptr) {  // The client will send it again, and then find it received, or try anew.
        if (settled.qos != QoS::ExactlyOnce) return;
        if (settled.verdict.rejected || settled.verdict.lost) {
            static_cast<void>(session->released(settled.packet_id));
        } else {
            session->settled(settled.packet_id);
        }
        return;
    }
    const auto acknowledged =
        acknowledge(*connection, *session, settled.packet_id, settled.qos, settled.verdict, Ack::Owed);
    if (!acknowledged) close(*connection, acknowledged.error().code, acknowledged.error().reason, now);
}

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::PubRel& release) {
    mqtt::PubComp complete{.packet_id = release.packet_id};
    auto& session = *session_of(connection);
    std::string_view why;
    if (!session.released(release.packet_id)) {
        complete.reason_code = ReasonCode::PacketIdentifierNotFound;
        why = "no PUBLISH with this packet identifier waits for PUBREL";
    }
    // Every PUBCOMP gives the client a slot (4.9), also that for a PUBREL it had to send again on a new connection.
    connection.publish_completed();
    // The client may use the identifier for another message, which must not be taken for this one.
    if (session.kept) journal_.hold(connection);
    connection.send_with_reason(complete, why);
    return {};
}

template <class Packet>
mqtt::Result<> Shard::handle_ack(Connection& connection, const Packet& packet, Instant now) {
    auto& session = *session_of(connection);
    auto handled = session.handle(packet);
    session.pump(now);
    settle(session, now);
    return handled;
}

template mqtt::Result<> Shard::handle_ack(Connection&, const mqtt::PubAck&, Instant);
template mqtt::Result<> Shard::handle_ack(Connection&, const mqtt::PubRec&, Instant);
template mqtt::Result<> Shard::handle_ack(Connection&, const mqtt::PubComp&, Instant);

// Gives the message to all who subscribed: to those of this shard at once, to other shards by mail.
Shard::Routed Shard::route(const MessagePtr& message, PublishToken token, Instant now) {
    const Matches matches = matches_.match(message->topic());
    Routed routed{.verdict = {.matched = !matches->empty()}};
    for (const auto& range : matches->shards()) {
        if (range.shard == id_ || range.shard == Commons::every_shard) {
            routed.verdict.rejected |= deliver(message, matches->of(range), now);
            continue;
        }
        post(range.shard, mail::Publication{.message = message, .matches = matches, .range = range, .token = token},
             message->size_bytes());
        if (token.pending.value != 0) ++routed.receipts_awaited;
    }
    return routed;
}

bool Shard::deliver(const MessagePtr& message, std::span<const Subscription> subscriptions, Instant now) {
    bool rejected = false;
    while (!subscriptions.empty()) {
        const auto subscriber = subscriptions.front().subscriber;
        const auto next = std::ranges::find_if(
            subscriptions, [&](const Subscription& other) { return other.subscriber != subscriber; });
        const auto count = static_cast<std::size_t>(next - subscriptions.begin());
        switch (subscriber.kind) {
            case SubscriberKind::Session:
                rejected |= deliver_to_session(message, subscriptions.first(count), now);
                break;
            case SubscriberKind::Group:
                rejected |= deliver_to_group(GroupId{subscriber.id}, message, now);
                break;
            case SubscriberKind::Local:
                commons_.local_subscribers[subscriber.id]->deliver(message);
                break;
        }
        subscriptions = subscriptions.subspan(count);
    }
    return rejected;
}

// One copy, however many of the session's subscriptions match ([MQTT-3.3.4-2]): with the highest of their QoS, and with
// all of their identifiers.
bool Shard::deliver_to_session(const MessagePtr& message, std::span<const Subscription> subscriptions, Instant now) {
    auto* session = sessions_.find(SessionId{subscriptions.front().subscriber.id});
    if (session == nullptr) return false;
    const bool own = message->publisher() == session->key;
    bool matched = false;
    bool as_published = false;
    auto qos = QoS::AtMostOnce;
    identifiers_.clear();
    for (const auto& subscription : subscriptions) {
        if (subscription.no_local && own) continue;  // [MQTT-3.8.3-3]
        matched = true;
        as_published |= subscription.retain_as_published;
        qos = std::max(qos, subscription.qos);
        if (subscription.subscription_identifier != 0) identifiers_.push_back(subscription.subscription_identifier);
    }
    if (!matched) return false;
    if (!session->may_receive(*message)) {
        count_drop(session->client_id, *message, DropReason::NotAuthorized, now);
        return false;
    }
    const auto taken =
        session->deliver(message, std::min(message->qos(), qos), message->retain() && as_published, identifiers_, now);
    settle(*session, now);
    return taken == Session::Taken::Rejected;
}

// Does what a session's last call brought about.
void Shard::settle(Session& session, Instant now) {
    if (events_.empty()) return;
    auto events = std::exchange(events_, std::exchange(spare_events_, {}));
    for (const auto& loss : events.losses) {
        count_drop(session.client_id, *loss.message, loss.reason, now);
        if (std::exchange(session.drop_reported, true)) continue;
        commons_.events.record({.kind = EventKind::MessageDropped,
                                .client_id = session.client_id,
                                .topic = loss.message->topic(),
                                .reason = to_string(loss.reason)});
    }
    for (const auto group : events.completed) {
        report_done({.group = group.group, .shard = id_, .session = session.id, .count = 1}, now);
    }
    if (events.room_promised) report_room(session, now);
    const bool overflowed = events.queue_overflowed;
    events.clear();
    spare_events_ = std::move(events);
    if (overflowed) overflowed_.push_back(session.id);  // Ended after the round: others may be at work on it now.
}

void Shard::count_drop(std::string_view client_id, const Message& message, DropReason reason, Instant now) {
    count_drop(client_id, message.topic(), reason, now);
}

void Shard::count_drop(std::string_view client_id, std::string_view topic, DropReason reason, Instant now) {
    counters_.drops[static_cast<std::size_t>(reason)].add();
    drop_log_.add({.at = now, .reason = reason, .client_id = std::string(client_id), .topic = std::string(topic)});
}

}  // namespace chappe::broker
