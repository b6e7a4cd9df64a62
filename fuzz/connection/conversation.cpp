#include "fuzz/connection/conversation.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/assert.h"
#include "mqtt/decoder.h"
#include "mqtt/topic.h"
#include "tests/conformance/transcript.h"

namespace chappe::fuzz {

using mqtt::PacketId;
using mqtt::ProtocolVersion;
using mqtt::QoS;
using mqtt::Sender;

// --- What the client says. It may break every rule: what it says then leads to no answer but the end.

void Conversation::sent(Bytes bytes) {
    from_client_.append(bytes);
    while (client_is_legible_) {
        const auto frame = mqtt::frame(from_client_.bytes(), mqtt::packet_size_limit);
        client_is_legible_ = frame.has_value();
        if (!frame || !*frame) return;
        const auto packet = mqtt::decode(**frame, version_, Sender::Client);
        if (packet) {
            trace_([&] { return fmt::format("{} > {}", name_, conformance::describe(*packet)); });
            std::visit([this](const auto& read) { client_sends(read); }, *packet);
        } else {
            client_is_legible_ = false;
            const bool connect = (*frame)->type == mqtt::PacketType::Connect;
            if (connect && state_ == State::AwaitsConnect) version_ = mqtt::refusal_version(**frame);
        }
        from_client_.consume((*frame)->size);
    }
}

void Conversation::client_sends(const mqtt::Connect& connect) {
    if (state_ != State::AwaitsConnect) {
        client_is_legible_ = false;
        return;
    }
    state_ = State::Connecting;
    legal_connect_ = true;
    version_ = connect.version;
    client_id_ = connect.client_id;
    clean_start_ = connect.clean_start;
    problem_information_ = connect.request_problem_information;
    receive_maximum_ = connect.receive_maximum.value_or(receive_maximum_);
    packet_size_max_ = connect.maximum_packet_size.value_or(packet_size_max_);
    topic_alias_maximum_ = connect.topic_alias_maximum;
    if (connect.authentication_method) authentication_method_ = *connect.authentication_method;
    if (client_id_.empty()) return;
    auto& asked = clients_[client_id_];
    if (!asked) asked = asked_;
    asked_ = asked;
}

void Conversation::client_sends(const mqtt::Publish& publish) {
    if (publish.qos != QoS::AtMostOnce) owed_acks_.push_back({publish.packet_id, publish.qos});
}

void Conversation::client_sends(const mqtt::PubAck& ack) {
    const auto found = unacknowledged_.find(ack.packet_id);
    if (found == unacknowledged_.end()) return note_early(ack.packet_id);
    if (found->second.qos == QoS::AtLeastOnce) unacknowledged_.erase(found);
}

void Conversation::client_sends(const mqtt::PubRec& ack) {
    const auto found = unacknowledged_.find(ack.packet_id);
    if (!is_error(ack.reason_code)) ++pubrecs_[ack.packet_id];
    if (found == unacknowledged_.end()) return note_early(ack.packet_id);
    if (found->second.qos != QoS::ExactlyOnce) return;
    if (is_error(ack.reason_code)) {
        unacknowledged_.erase(found);
    } else {
        found->second.released = true;
    }
}

void Conversation::client_sends(const mqtt::PubRel& release) { pubcomps_.push_back(release.packet_id); }

void Conversation::client_sends(const mqtt::PubComp& complete) {
    const auto found = unacknowledged_.find(complete.packet_id);
    if (found == unacknowledged_.end()) return note_early(complete.packet_id);
    if (found->second.released) unacknowledged_.erase(found);
}

// An acknowledgement of what has not come yet. The broker may read it before it sends that, or after.
void Conversation::note_early(PacketId packet_id) {
    early_.insert(packet_id);
    exact_ = false;
}

void Conversation::client_sends(const mqtt::Subscribe& subscribe) {
    subacks_.push_back({.packet_id = subscribe.packet_id, .reason_codes = subscribe.entries.size()});
    if (subscribe.subscription_identifier) asked_->identifiers.push_back(*subscribe.subscription_identifier);
    for (const auto& entry : subscribe.entries) {
        if (const auto filter = mqtt::TopicFilter::parse(entry.filter)) asked_->filters.emplace_back(filter->filter());
    }
}

void Conversation::client_sends(const mqtt::Unsubscribe& unsubscribe) {
    const bool told_each = version_ == ProtocolVersion::V5;
    unsubacks_.push_back(
        {.packet_id = unsubscribe.packet_id, .reason_codes = told_each ? unsubscribe.filters.size() : 0});
}

void Conversation::client_sends(const mqtt::PingReq&) { ++pongs_; }

// --- What the broker says.

void Conversation::received(Bytes bytes) {
    from_broker_.append(bytes);
    while (!from_broker_.empty()) {
        const auto frame = mqtt::frame(from_broker_.bytes(), mqtt::packet_size_limit);
        ASSERT(frame.has_value());
        if (!*frame) return;
        const auto packet = mqtt::decode(**frame, version_, Sender::Server);
        trace_([&] { return fmt::format("{} < {}", name_, packet ? conformance::describe(*packet) : "?"); });
        trace_([&] { return fmt::format("    {:02x}", fmt::join(from_broker_.bytes().first((*frame)->size), " ")); });
        ASSERT(packet.has_value());
        ASSERT(state_ != State::Ended);
        ASSERT((*frame)->size <= packet_size_max_);  // [MQTT-3.1.2-24]
        std::visit([this](const auto& read) { broker_sends(read); }, *packet);
        from_broker_.consume((*frame)->size);
    }
}

template <class ClientsOnly>
void Conversation::broker_sends(const ClientsOnly&) {
    ASSERT(false);  // A packet that only a client sends.
}

// [MQTT-3.1.2-29]
template <class Packet>
void Conversation::check_problem_information(const Packet& packet) const {
    ASSERT(accepted());
    if (!problem_information_) ASSERT(!packet.reason_string && packet.user_properties.empty());
}

void Conversation::broker_sends(const mqtt::ConnAck& connack) {
    ASSERT(state_ == State::AwaitsConnect || state_ == State::Connecting);
    if (is_error(connack.reason_code)) {
        ASSERT(!connack.session_present);  // [MQTT-3.2.2-6]
        state_ = State::Ended;
        return;
    }
    ASSERT(state_ == State::Connecting && legal_connect_);
    if (clean_start_) ASSERT(!connack.session_present);  // [MQTT-3.2.2-2]
    if (version_ == ProtocolVersion::V5) {
        ASSERT(connack.assigned_client_id.has_value() == client_id_.empty());  // [MQTT-3.2.2-16]
        ASSERT(connack.authentication_method.has_value() == authentication_method_.has_value());
    }
    if (connack.assigned_client_id) client_id_ = *connack.assigned_client_id;
    state_ = State::Accepted;
}

std::size_t Conversation::quota_taken() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(unacknowledged_, [](const auto& entry) { return entry.second.takes_quota; }));
}

void Conversation::broker_sends(const mqtt::Publish& publish) {
    ASSERT(accepted());
    check_topic(topic_of(publish));
    for (const auto identifier : publish.subscription_identifiers) {
        ASSERT(std::ranges::find(asked_->identifiers, identifier) != asked_->identifiers.end());
    }
    if (publish.qos == QoS::AtMostOnce) return;
    if (early_.erase(publish.packet_id) != 0) return;
    // [MQTT-2.2.1-4]; and nothing is sent twice on one connection ([MQTT-4.4.0-1]).
    ASSERT(unacknowledged_.emplace(publish.packet_id, Unacknowledged{.qos = publish.qos, .takes_quota = true}).second);
    ASSERT(quota_taken() <= receive_maximum_);  // [MQTT-3.3.4-9]
}

std::string_view Conversation::topic_of(const mqtt::Publish& publish) {
    if (!publish.topic_alias) return publish.topic;
    ASSERT(*publish.topic_alias <= topic_alias_maximum_);  // [MQTT-3.1.2-26]
    auto& known = aliases_[*publish.topic_alias];
    if (!publish.topic.empty()) known = publish.topic;
    ASSERT(!known.empty());
    return known;
}

// Nobody gets what he has not asked for, or may not have.
void Conversation::check_topic(std::string_view topic) const {
    ASSERT(permissions_.allows(broker::Access::Receive, topic));
    ASSERT(
        std::ranges::any_of(asked_->filters, [&](const std::string& filter) { return mqtt::matches(filter, topic); }));
}

void Conversation::broker_sends(const mqtt::PubAck& ack) {
    check_problem_information(ack);
    take_owed(ack.packet_id, QoS::AtLeastOnce);
}

void Conversation::broker_sends(const mqtt::PubRec& ack) {
    check_problem_information(ack);
    take_owed(ack.packet_id, QoS::ExactlyOnce);
}

// In the order of the PUBLISH packets ([MQTT-4.6.0-2], [MQTT-4.6.0-3]). Before 5.0 the broker has no word for what it
// could not write down, and leaves such a packet unanswered.
void Conversation::take_owed(PacketId packet_id, QoS qos) {
    while (!owed_acks_.empty()) {
        const auto owed = owed_acks_.front();
        owed_acks_.pop_front();
        if (owed.packet_id == packet_id && owed.qos == qos) return;
        ASSERT(version_ != ProtocolVersion::V5);
    }
    ASSERT(false);  // An acknowledgement of nothing.
}

// For a PUBREC, or at the beginning for one that came on an earlier connection.
void Conversation::broker_sends(const mqtt::PubRel& release) {
    check_problem_information(release);
    if (const auto pubrec = pubrecs_.find(release.packet_id); pubrec != pubrecs_.end()) {
        if (--pubrec->second == 0) pubrecs_.erase(pubrec);
        return;
    }
    ASSERT(!clean_start_);
    if (early_.erase(release.packet_id) != 0) return;
    const Unacknowledged resumed{.qos = QoS::ExactlyOnce, .released = true};
    ASSERT(unacknowledged_.emplace(release.packet_id, resumed).second);
}

void Conversation::broker_sends(const mqtt::PubComp& complete) {
    check_problem_information(complete);
    ASSERT(!pubcomps_.empty() && pubcomps_.front() == complete.packet_id);
    pubcomps_.pop_front();
}

void Conversation::take_answer(std::deque<Answer>& owed, PacketId packet_id, std::size_t reason_codes) {
    ASSERT(!owed.empty());
    ASSERT(owed.front().packet_id == packet_id && owed.front().reason_codes == reason_codes);
    owed.pop_front();
}

void Conversation::broker_sends(const mqtt::SubAck& suback) {
    check_problem_information(suback);
    take_answer(subacks_, suback.packet_id, suback.reason_codes.size());
}

void Conversation::broker_sends(const mqtt::UnsubAck& unsuback) {
    check_problem_information(unsuback);
    take_answer(unsubacks_, unsuback.packet_id, unsuback.reason_codes.size());
}

void Conversation::broker_sends(const mqtt::PingResp&) {
    ASSERT(accepted());
    ASSERT(pongs_-- != 0);
}

void Conversation::broker_sends(const mqtt::Disconnect&) {
    ASSERT(accepted() && version_ == ProtocolVersion::V5);
    state_ = State::Ended;
}

void Conversation::broker_sends(const mqtt::Auth& auth) {
    ASSERT(state_ == State::Connecting || state_ == State::Accepted);
    ASSERT(authentication_method_ && auth.authentication_method == *authentication_method_);
}

bool Conversation::all_answered(bool withdrawn) const noexcept {
    return subacks_.empty() && unsubacks_.empty() && pubcomps_.empty() && pubrecs_.empty() && pongs_ == 0 &&
           (withdrawn || owed_acks_.empty());
}

}  // namespace chappe::fuzz
