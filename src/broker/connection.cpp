#include "broker/connection.h"

#include <utility>

namespace chappe::broker {
namespace {

// The property Topic Alias has three bytes; the lengths of the properties and of the packet may each take one more.
constexpr std::size_t topic_alias_size_max = 3 + 1 + 1;

}  // namespace

Connection::Connection(ConnectionId connection_id, Peer from, Counters& counters, UnsentBytes& unsent,
                       std::vector<Action>& actions, Instant now)
    : id(connection_id),
      peer(std::move(from)),
      opened_at(now),
      last_packet_at(now),
      output(unsent),
      counters_(counters),
      actions_(actions) {}

std::optional<Duration> Connection::keep_alive_limit() const noexcept {
    if (keep_alive_seconds == 0) return std::nullopt;
    return std::chrono::milliseconds{1500} * keep_alive_seconds;
}

void Connection::allow_aliases(std::uint16_t incoming_max, std::uint16_t outgoing_max, const TextHash& hash) {
    incoming_aliases_ = IncomingAliases(incoming_max);
    if (outgoing_max != 0) outgoing_aliases_ = std::make_unique<OutgoingAliases>(outgoing_max, hash);
}

mqtt::Result<std::string_view> Connection::resolve_topic(const mqtt::Publish& publish) {
    if (!publish.topic_alias) return publish.topic;
    return incoming_aliases_.resolve(*publish.topic_alias, publish.topic);
}

bool Connection::send_publish(PublishEncoder& encoder, const MessagePtr& message, const Variant& variant,
                              mqtt::PacketId packet_id, bool dup, Instant now) {
    const auto& plain = encoder.head(message, variant, now);
    const auto size = plain.bytes.size() + message->payload().size();
    if (plain.bytes.empty() || size > packet_size_max) return false;
    const auto* head = &plain;
    if (outgoing_aliases_ && size + topic_alias_size_max <= packet_size_max) {
        const auto use = outgoing_aliases_->use(message->topic());
        if (use.alias != 0) head = &encoder.head_with_alias(message, variant, use, now);
    }
    auto* const out = output.grow(head->bytes.size());
    std::memcpy(out, head->bytes.data(), head->bytes.size());
    if (variant.qos != mqtt::QoS::AtMostOnce) {
        out[head->packet_id_at] = static_cast<std::uint8_t>(packet_id.value >> 8);
        out[head->packet_id_at + 1] = static_cast<std::uint8_t>(packet_id.value);
        if (dup) out[0] |= 0x08;
    }
    output.append_payload(message);
    counters_.packets_sent.add();
    counters_.publish_sent.add();
    counters_.publish_bytes_sent.add(message->payload().size());
    want_write();
    return true;
}

void Connection::sent(std::size_t bytes) {
    output.consume(bytes);
    lags_ = !output.empty();
    if (lags_) return;
    output.clear();
    reply_bytes_ = 0;
}

void Connection::owe_ack(OwedAck ack) {
    if (ack.ready && owed_acks_.empty()) return send_ack(ack);
    owed_acks_.push_back(ack);
}

void Connection::settle_ack(mqtt::PacketId packet_id, mqtt::QoS qos, mqtt::ReasonCode code, std::string_view reason) {
    settle_owed(packet_id, qos, [&](OwedAck& ack) {
        ack.code = code;
        ack.reason = reason;
    });
}

void Connection::withdraw_ack(mqtt::PacketId packet_id, mqtt::QoS qos) {
    settle_owed(packet_id, qos, [](OwedAck& ack) { ack.withdrawn = true; });
}

// The first, and of QoS 2 also those for the same packet that came again meanwhile. With QoS 1 those are other
// messages, and each is settled for itself.
template <class Settle>
void Connection::settle_owed(mqtt::PacketId packet_id, mqtt::QoS qos, Settle settle) {
    for (std::size_t index = 0; index != owed_acks_.size(); ++index) {
        auto& ack = owed_acks_[index];
        if (ack.ready || ack.packet_id != packet_id || ack.qos != qos) continue;
        ack.ready = true;
        settle(ack);
        if (qos == mqtt::QoS::AtLeastOnce) break;
    }
    send_ready_acks();
}

void Connection::send_ready_acks() {
    while (!owed_acks_.empty() && owed_acks_.front().ready) send_ack(owed_acks_.pop_front());
    if (owed_acks_.empty()) owed_acks_.clear_and_free();
}

void Connection::send_ack(const OwedAck& ack) {
    if (ack.withdrawn) return publish_completed();
    if (ack.qos == mqtt::QoS::AtLeastOnce) {
        publish_completed();
        send_with_reason(mqtt::PubAck{.packet_id = ack.packet_id, .reason_code = ack.code}, ack.reason);
    } else {
        if (is_error(ack.code) || ack.again) publish_completed();
        send_with_reason(mqtt::PubRec{.packet_id = ack.packet_id, .reason_code = ack.code}, ack.reason);
    }
}

}  // namespace chappe::broker
