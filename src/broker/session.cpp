#include "broker/session.h"

#include <algorithm>
#include <utility>

namespace chappe::broker {

using mqtt::QoS;
using mqtt::ReasonCode;

namespace {

constexpr std::size_t retained_portion_max = 64;  // Messages that are read together.

}  // namespace

Session::Session(SessionId session_id, std::string name, SessionEnvironment& environment)
    : id(session_id),
      client_id(std::move(name)),
      key(client_key(environment.hash, client_id)),
      subscriptions(0, TextHashRef(environment.hash)),
      environment_(environment),
      queue_(environment.accounts) {}

Session::~Session() {
    inflight_ = {};
    account_inflight();
}

void Session::attach(Connection& connection, std::uint16_t send_quota) noexcept {
    ASSERT(connection_ == nullptr);
    connection_ = &connection;
    send_quota_ = send_quota;
    inflight_.resume(send_quota);
    for (auto& packet : received_) packet.counted = false;
}

void Session::resume(Instant now) {
    if (kept && inflight_.size() != 0) environment_.journal.hold(*connection_);
    for (const auto packet_id : inflight_.released()) connection_->send(mqtt::PubRel{.packet_id = packet_id});
    pump(now);
}

void Session::detach() {
    connection_ = nullptr;
    if (groups) groups->end_promise();
}

bool Session::may_receive(const Message& message) const {
    const auto generation = environment_.permissions_generation;
    if (std::exchange(permissions_generation_, generation) != generation) {
        restricted_ = environment_.permissions.restricts_receiving_of(identity);
    }
    return !restricted_ || broker::may_receive(environment_.permissions, identity, message);
}

Session::Taken Session::deliver(const MessagePtr& message, QoS qos, bool retain,
                                std::span<const std::uint32_t> identifiers, Instant now) {
    if (message->expired(now)) {
        lose(message, DropReason::Expired);
        return Taken::Yes;
    }
    if (qos == QoS::AtMostOnce) {
        deliver_at_most_once(message, retain, identifiers, {}, now);
        return Taken::Yes;
    }
    Delivery delivery{.message = message, .qos = qos, .retain = retain};
    for (const auto identifier : identifiers) delivery.subscription_identifiers.add(identifier);
    count_full_window();
    const bool at_once = can_send_now() && queue_.empty() && fits_in_flight(*message);
    if (!at_once) return enqueue(std::move(delivery), now);
    send(std::move(delivery), now);
    return Taken::Yes;
}

bool Session::deliver_from_group(const Delivery& delivery, Instant now) {
    const auto& message = delivery.message;
    if (message->expired(now)) {
        lose(message, DropReason::Expired, delivery.group);
        return true;
    }
    if (connection_ == nullptr && message->qos() != QoS::AtMostOnce) return false;
    if (delivery.qos == QoS::AtMostOnce) {
        deliver_at_most_once(message, delivery.retain, delivery.subscription_identifiers.all(), delivery.group, now);
        return true;
    }
    count_full_window();
    const bool promised = groups->promised_to(delivery.group.group);
    const bool refused = promised ? room() == 0 : !can_send_now() || !queue_.empty() || !fits_in_flight(*message);
    if (refused) return false;
    send(delivery, now);
    if (promised) {
        groups->end_promise();
        groups->own_queue_next = !queue_.empty();
    }
    offer_room();
    return true;
}

void Session::offer_room() {
    if (!groups || !groups->any_waits() || groups->promised() || room() == 0 || !has_bytes_for_promise()) return;
    if (groups->own_queue_next && !queue_.empty()) return;
    groups->promise();
    environment_.events.room_promised = true;
}

// The client would take more at a time, and our bound does not let it.
void Session::count_full_window() {
    if (connection_ != nullptr && !inflight_.has_room() && send_quota_ == environment_.accounts.limits.inflight_max) {
        environment_.accounts.counters.reached(Bound::InflightMax);
    }
}

void Session::deliver_at_most_once(const MessagePtr& message, bool retain, std::span<const std::uint32_t> identifiers,
                                   GroupRef group, Instant now) {
    if (connection_ == nullptr) return lose(message, DropReason::Offline, group);
    if (connection_->output.size() > environment_.accounts.limits.unsent_bytes_max) {
        environment_.accounts.counters.reached(Bound::UnsentBytesMax);
        return lose(message, DropReason::UnsentFull, group);
    }
    if (connection_->is_in_full_total(environment_.accounts.limits.unsent_bytes_total_max)) {
        environment_.accounts.counters.reached(Bound::UnsentBytesTotalMax);
        return lose(message, DropReason::UnsentFull, group);
    }
    const Variant variant{.v5 = connection_->v5(), .retain = retain, .subscription_identifiers = identifiers};
    if (!connection_->send_publish(environment_.encoder, message, variant, {}, false, now)) {
        return lose(message, DropReason::PacketTooLarge, group);
    }
    if (group) environment_.events.completed.push_back(group);
}

bool Session::has_unsent_room() const noexcept {
    return connection_ != nullptr && connection_->output.size() < pump_until_unsent_bytes &&
           !connection_->is_in_full_total(environment_.accounts.limits.unsent_bytes_total_max);
}

std::size_t Session::room() const noexcept { return has_unsent_room() ? inflight_.room() : 0; }

// A message that does not come from the queue, where it had its place already. Who has acknowledged everything is sent
// one more whatever its size; and what is sent at once may take a quarter of queued_bytes_total_max beyond it: those
// who take their messages do not wait for those who let them pile up.
bool Session::fits_in_flight(const Message& message) const noexcept {
    const auto& [limits, counters, total] = environment_.accounts;
    const auto added = InflightWindow::cost(message);
    const auto all = total.load(std::memory_order_relaxed) + added;
    const auto all_max = limits.queued_bytes_total_max;
    if (all > all_max && all - all_max > all_max / 4) return false;
    return inflight_.size_bytes() == 0 ||
           inflight_.size_bytes() + queue_.size_bytes() + added <= limits.queue_bytes_max;
}

// The message that a promise will bring is not known yet, so what is in flight may exceed the bound by this one. It has
// been waiting at its home, where it counted in the total.
bool Session::has_bytes_for_promise() const noexcept {
    return inflight_.size_bytes() == 0 ||
           inflight_.size_bytes() + queue_.size_bytes() < environment_.accounts.limits.queue_bytes_max;
}

// After each change of what is in flight.
void Session::account_inflight() noexcept {
    auto& [limits, counters, total] = environment_.accounts;
    const auto messages = inflight_.size();
    counters.inflight_messages.add(messages - std::exchange(inflight_counted_, messages));  // Less wraps round.
    const auto bytes = inflight_.size_bytes();
    const auto more = bytes - std::exchange(inflight_bytes_counted_, bytes);
    counters.inflight_bytes.add(more);
    total.fetch_add(more, std::memory_order_relaxed);
}

Session::Taken Session::enqueue(Delivery delivery, Instant now) {
    if (make_room(delivery, now)) {
        keep(delivery);
        queue_.push_back(std::move(delivery));
        return Taken::Yes;
    }
    const auto in_the_way =
        queue_.in_the_way(*delivery.message, inflight_.size_bytes()).value_or(DropReason::QueueFull);
    switch (environment_.policy.when_full) {
        case WhenFull::Reject:
            lose(delivery, DropReason::Rejected);
            return Taken::Rejected;
        case WhenFull::EndSession:
            environment_.events.queue_overflowed = true;
            [[fallthrough]];
        case WhenFull::DropOldest:  // Nothing is left to drop, and it still does not fit.
        case WhenFull::DropNewest:
            lose(delivery, in_the_way);
            return Taken::Yes;
    }
    std::unreachable();
}

bool Session::make_room(const Delivery& delivery, Instant now) {
    if (queue_.fits(*delivery.message, inflight_.size_bytes())) return true;
    drop_expired(now);
    while (const auto in_the_way = queue_.in_the_way(*delivery.message, inflight_.size_bytes())) {
        if (environment_.policy.when_full != WhenFull::DropOldest || queue_.empty()) return false;
        lose(queue_.pop_front(), *in_the_way);
    }
    return true;
}

void Session::drop_expired(Instant now) {
    std::vector<Delivery> expired;
    queue_.take_expired(now, expired);
    for (const auto& delivery : expired) lose(delivery, DropReason::Expired);
}

void Session::send(Delivery delivery, Instant now) {
    keep(delivery);
    const auto message = delivery.message;
    const auto packet_id = inflight_.add(std::move(delivery));
    const auto& sent = inflight_.find(packet_id)->delivery;
    if (recorded(sent)) {
        environment_.journal.write(record::MessageSent{id, sent.number, packet_id});
        // After a crash the client must know it by the same identifier, or would take it twice.
        if (sent.qos == QoS::ExactlyOnce) environment_.journal.hold(*connection_);
    }
    const Variant variant{.v5 = connection_->v5(),
                          .qos = sent.qos,
                          .retain = sent.retain,
                          .subscription_identifiers = sent.subscription_identifiers.all()};
    if (!connection_->send_publish(environment_.encoder, message, variant, packet_id, false, now)) {
        lose(inflight_.remove(packet_id), DropReason::PacketTooLarge);  // The quota is given back with it.
    }
    account_inflight();
}

void Session::send_again(Instant now) {
    while (const auto packet_id = inflight_.next_to_send_again()) {
        if (!has_unsent_room()) return;
        const auto& sent = inflight_.find(*packet_id)->delivery;
        if (!may_receive(*sent.message)) {
            withhold(*packet_id);
            continue;
        }
        const Variant variant{.v5 = connection_->v5(),
                              .qos = sent.qos,
                              .retain = sent.retain,
                              .subscription_identifiers = sent.subscription_identifiers.all()};
        if (connection_->send_publish(environment_.encoder, sent.message, variant, *packet_id, true, now)) {
            inflight_.sent_again(*packet_id);
            continue;
        }
        lose(inflight_.remove(*packet_id), DropReason::PacketTooLarge);
        account_inflight();
    }
}

// The client may no longer have this message, which it may or may not have got before. With QoS 2 it may keep the
// packet identifier, and would take the next message that comes under it for this one: so the exchange is brought to
// its end.
void Session::withhold(mqtt::PacketId packet_id) {
    const auto& sent = inflight_.find(packet_id)->delivery;
    if (sent.qos == QoS::ExactlyOnce) {
        lose(sent.message, DropReason::NotAuthorized);
        return release(packet_id);
    }
    lose(inflight_.remove(packet_id), DropReason::NotAuthorized);
    account_inflight();
}

// Lets the message go and sends PUBREL.
void Session::release(mqtt::PacketId packet_id) {
    const auto* entry = inflight_.find(packet_id);
    if (entry->state == InflightWindow::State::Published) {
        if (recorded(entry->delivery)) {
            environment_.journal.write(record::MessageReleased{id, entry->delivery.number});
        }
        inflight_.release(packet_id);
        account_inflight();
    }
    // The client forgets the identifier with PUBREL: were the PUBREC lost here, it would take the message again.
    if (kept) environment_.journal.hold(*connection_);
    connection_->send(mqtt::PubRel{.packet_id = packet_id});
}

void Session::owe_retained(SessionSubscription& subscription, RetainedStamp until) {
    forget_retained(subscription);
    if (!retained_) retained_ = std::make_unique<RetainedBacklog>();
    subscription.retained_until = until;
    retained_->subscriptions.emplace(until, &subscription);
}

void Session::forget_retained(const SessionSubscription& subscription) {
    if (!retained_ || subscription.retained_until == 0) return;
    const auto found = retained_->subscriptions.find(subscription.retained_until);
    ASSERT(found != retained_->subscriptions.end());
    if (found == retained_->subscriptions.begin()) {
        retained_->place = {};
        retained_->wants_quota = false;
    }
    retained_->subscriptions.erase(found);
}

void Session::pump(Instant now) {
    if (connection_ == nullptr) return;
    send_again(now);
    if (retained_) return become_retained_reader();
    pump_queues(now);
}

// Its own, and those of its shared subscriptions at their homes.
void Session::pump_queues(Instant now) {
    offer_room();
    pump_queue(now);
    offer_room();
}

// Unless nothing of it could be sent now. What waits in the queue has to wait for its end.
void Session::become_retained_reader() {
    if (retained_->is_reader || !has_unsent_room() || (retained_->wants_quota && !inflight_.has_room())) return;
    retained_->is_reader = true;
    environment_.retained_readers.push_back(id);
}

bool Session::send_retained(std::size_t& looks, Instant now) {
    if (!retained_) return false;
    while (!retained_->subscriptions.empty()) {
        if (looks == 0) return true;
        if (send_retained_portion(looks, now)) continue;
        retained_->is_reader = false;
        return false;
    }
    retained_.reset();
    if (connection_ != nullptr) pump_queues(now);
    return false;
}

// Returns whether the client takes more. A message that was retained after the client had subscribed is passed over:
// the client has got it as an ordinary publication. One that has expired is no longer retained, nor owed to anybody.
bool Session::send_retained_portion(std::size_t& looks, Instant now) {
    if (!has_unsent_room()) return false;
    auto& subscription = *retained_->subscriptions.begin()->second;
    const bool needs_quota = subscription.options.qos != QoS::AtMostOnce;
    const RetainedQuery query{
        .filter = subscription.filter.filter(),
        .until = subscription.retained_until,
        .now = now,
        .messages_max =
            needs_quota ? std::clamp<std::size_t>(inflight_.room(), 1, retained_portion_max) : retained_portion_max,
    };
    std::vector<MessagePtr> portion;
    const bool more = environment_.retained.read(query, retained_->place, looks, portion);
    for (const auto& message : portion) {
        if (send_retained_message(message, subscription, now)) continue;
        retained_->place = environment_.retained.place_of(*message);
        return false;
    }
    if (more) return true;
    forget_retained(subscription);
    subscription.retained_until = 0;
    return true;
}

// False where the client does not take it now.
bool Session::send_retained_message(const MessagePtr& message, const SessionSubscription& subscription, Instant now) {
    const auto qos = std::min(message->qos(), subscription.options.qos);
    if (subscription.options.no_local && message->publisher() == key) return true;  // [MQTT-3.8.3-3]
    retained_->wants_quota = qos != QoS::AtMostOnce;
    if (!has_unsent_room()) return false;
    if (qos != QoS::AtMostOnce && (!inflight_.has_room() || !(inflight_.size() == 0 || fits_in_flight(*message)))) {
        return false;
    }
    if (const auto why_not = why_not_to_send(*message, now)) {
        lose(message, *why_not);
        return true;
    }
    Delivery delivery{.message = message, .qos = qos, .retain = true};
    delivery.subscription_identifiers.add(subscription.identifier);
    if (qos == QoS::AtMostOnce) {
        deliver_at_most_once(message, true, delivery.subscription_identifiers.all(), {}, now);
    } else {
        send(std::move(delivery), now);
    }
    return true;
}

void Session::pump_queue(Instant now) {
    while (!queue_.empty() && can_send_now()) {
        auto delivery = queue_.pop_front();
        if (const auto why_not = why_not_to_send(*delivery.message, now)) {
            lose(delivery, *why_not);
        } else {
            send(std::move(delivery), now);
            if (groups) groups->own_queue_next = false;
        }
    }
}

std::optional<DropReason> Session::why_not_to_send(const Message& message, Instant now) const {
    if (message.expired(now)) return DropReason::Expired;
    if (!may_receive(message)) return DropReason::NotAuthorized;
    return std::nullopt;
}

mqtt::Result<> Session::handle(const mqtt::PubAck& ack) {
    auto* entry = inflight_.find(ack.packet_id);
    if (entry == nullptr) return {};  // Acknowledged before, or taken back for another member: nothing is left to do.
    if (entry->delivery.qos != QoS::AtLeastOnce) {
        return mqtt::failure(ReasonCode::ProtocolError, "PUBACK for a message of QoS 2");
    }
    const auto delivery = inflight_.remove(ack.packet_id);
    account_inflight();
    if (is_error(ack.reason_code)) {
        lose(delivery, DropReason::RefusedBySubscriber);  // [MQTT-4.8.2-6]
    } else {
        complete(delivery);
    }
    return {};
}

mqtt::Result<> Session::handle(const mqtt::PubRec& ack) {
    auto* entry = inflight_.find(ack.packet_id);
    if (entry == nullptr) {
        if (!is_error(ack.reason_code)) {
            connection_->send_with_reason(
                mqtt::PubRel{.packet_id = ack.packet_id, .reason_code = ReasonCode::PacketIdentifierNotFound},
                "no PUBLISH with this packet identifier waits for PUBREC");
        }
        return {};
    }
    if (entry->delivery.qos != QoS::ExactlyOnce) {
        return mqtt::failure(ReasonCode::ProtocolError, "PUBREC for a message of QoS 1");
    }
    if (is_error(ack.reason_code)) {
        const auto delivery = inflight_.remove(ack.packet_id);
        account_inflight();
        if (delivery.message) {
            lose(delivery, DropReason::RefusedBySubscriber);
        } else {
            complete(delivery);
        }
        return {};
    }
    release(ack.packet_id);
    return {};
}

mqtt::Result<> Session::handle(const mqtt::PubComp& ack) {
    auto* entry = inflight_.find(ack.packet_id);
    if (entry == nullptr) return {};
    if (entry->state != InflightWindow::State::Released) {
        return mqtt::failure(ReasonCode::ProtocolError, "PUBCOMP before PUBREC");
    }
    complete(inflight_.remove(ack.packet_id));
    account_inflight();
    return {};
}

bool Session::is_received(mqtt::PacketId packet_id) const noexcept {
    return std::ranges::find(received_, packet_id, &Received::id) != received_.end();
}

void Session::received(mqtt::PacketId packet_id) {
    received_.push_back({.id = packet_id, .counted = true});
    if (kept) environment_.journal.write(record::PacketReceived{id, packet_id});
}

bool Session::is_counted(mqtt::PacketId packet_id) const noexcept {
    const auto found = std::ranges::find(received_, packet_id, &Received::id);
    return found != received_.end() && found->counted;
}

void Session::count_again(mqtt::PacketId packet_id) noexcept {
    const auto found = std::ranges::find(received_, packet_id, &Received::id);
    if (found != received_.end()) found->counted = true;
}

bool Session::is_settled(mqtt::PacketId packet_id) const noexcept {
    const auto found = std::ranges::find(received_, packet_id, &Received::id);
    return found != received_.end() && found->settled;
}

void Session::settled(mqtt::PacketId packet_id) noexcept {
    const auto found = std::ranges::find(received_, packet_id, &Received::id);
    if (found != received_.end()) found->settled = true;
}

bool Session::released(mqtt::PacketId packet_id) {
    const auto found = std::ranges::find(received_, packet_id, &Received::id);
    if (found == received_.end()) return false;
    *found = received_.back();
    received_.pop_back();
    if (kept) environment_.journal.write(record::PacketReleased{id, packet_id});
    return true;
}

namespace {

bool may_go_to_another(const Delivery& delivery) noexcept { return delivery.group && delivery.qos == QoS::AtLeastOnce; }

}  // namespace

std::vector<Delivery> Session::left_for_others() const {
    std::vector<Delivery> left;
    inflight_.for_each([&](const InflightWindow::Entry& entry) {
        if (may_go_to_another(entry.delivery)) left.push_back(entry.delivery);
    });
    return left;
}

std::vector<Delivery> Session::take_back(GroupId group, std::vector<std::uint32_t> sequences) {
    std::ranges::sort(sequences);
    return take_from_window([&](const Delivery& delivery) {
        return may_go_to_another(delivery) && delivery.group.group == group &&
               std::ranges::binary_search(sequences, delivery.group.sequence);
    });
}

std::vector<Delivery> Session::take_back_all() { return take_from_window(may_go_to_another); }

template <class Picked>
std::vector<Delivery> Session::take_from_window(Picked picked) {
    std::vector<Delivery> taken;
    inflight_.extract([&](const InflightWindow::Entry& entry) { return picked(entry.delivery); }, taken);
    account_inflight();
    return taken;
}

std::uint32_t Session::unacknowledged_of(GroupId group) const {
    std::uint32_t count = 0;
    inflight_.for_each([&](const InflightWindow::Entry& entry) { count += entry.delivery.group.group == group; });
    return count;
}

void Session::abandon_deliveries() {
    auto owed = take_from_window([](const Delivery&) { return true; });
    while (!queue_.empty()) owed.push_back(queue_.pop_front());
    for (const auto& delivery : owed) {
        if (delivery.message) {
            lose(delivery, DropReason::SessionEnded);
        } else {
            complete(delivery);
        }
    }
}

// It is in the Journal until complete() or lose(). What came through a shared subscription is its home's to keep.
void Session::keep(Delivery& delivery) {
    if (!kept || delivery.number != 0 || delivery.group) return;
    delivery.number = environment_.journal.next_number();
    environment_.journal.write(record::MessageOwed{id, delivery.number, &delivery});
}

void Session::forget(const Delivery& delivery) {
    if (recorded(delivery)) environment_.journal.write(record::MessageDone{id, delivery.number});
}

void Session::complete(const Delivery& delivery) {
    forget(delivery);
    if (delivery.group) environment_.events.completed.push_back(delivery.group);
}

void Session::lose(const Delivery& delivery, DropReason reason) {
    forget(delivery);
    lose(delivery.message, reason, delivery.group);
}

void Session::lose(const MessagePtr& message, DropReason reason, GroupRef group) {
    environment_.events.losses.push_back({.message = message, .reason = reason});
    if (group) environment_.events.completed.push_back(group);
}

}  // namespace chappe::broker
