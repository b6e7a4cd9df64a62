#include "client/inbox.h"

#include <ranges>

#include "base/result.h"
#include "mqtt/encoder.h"

namespace chappe::client {
namespace {

// A token is a serial number with the packet id below it, so that the message is found without another index.
constexpr unsigned packet_id_bits = 16;

mqtt::PacketId packet_id(DeliveryToken token) noexcept { return {static_cast<std::uint16_t>(token.value & 0xFFFF)}; }

}  // namespace

mqtt::Result<Inbox::Arrival> Inbox::on_publish(mqtt::PacketId id, mqtt::QoS qos) {
    ASSERT(qos != mqtt::QoS::AtMostOnce);
    const auto known = exactly_once_.find(id);
    if (known != exactly_once_.end() && qos == mqtt::QoS::ExactlyOnce) {
        auto& message = known->second;
        if (!message.counted) TRY(count());
        message.counted = true;
        unacknowledged_.push_back({id, qos, message.token, message.code});
        return Arrival{message.token, false};
    }
    TRY(count());
    const auto token = next_token(id);
    if (qos == mqtt::QoS::ExactlyOnce) exactly_once_.emplace(id, ExactlyOnce{token, std::nullopt, true});
    unacknowledged_.push_back({id, qos, token, std::nullopt});
    return Arrival{token, true};
}

mqtt::Result<> Inbox::count() {
    if (counted_ >= receive_maximum_) {
        return mqtt::failure(mqtt::ReasonCode::ReceiveMaximumExceeded, "More unacknowledged than Receive Maximum");
    }
    ++counted_;
    return {};
}

DeliveryToken Inbox::next_token(mqtt::PacketId id) noexcept { return {++last_serial_ << packet_id_bits | id.value}; }

void Inbox::acknowledge(DeliveryToken token, mqtt::ReasonCode code) {
    const auto known = exactly_once_.find(packet_id(token));
    if (known != exactly_once_.end() && known->second.token == token && !known->second.code) known->second.code = code;
    for (auto& message : unacknowledged_) {
        if (message.token == token && !message.code) message.code = code;
    }
}

void Inbox::send_acknowledgements(mqtt::ProtocolVersion version, Buffer& out) {
    while (!unacknowledged_.empty() && unacknowledged_.front().code) {
        const auto message = unacknowledged_.front();
        unacknowledged_.pop_front();
        if (message.qos == mqtt::QoS::AtLeastOnce) {
            mqtt::encode(mqtt::PubAck{.packet_id = message.id, .reason_code = *message.code}, version, out);
            --counted_;
            continue;
        }
        mqtt::encode(mqtt::PubRec{.packet_id = message.id, .reason_code = *message.code}, version, out);
        if (mqtt::is_error(*message.code)) release(message.id);  // The exchange ends here (4.3.3).
    }
}

mqtt::ReasonCode Inbox::on_pubrel(mqtt::PacketId id) {
    if (!exactly_once_.contains(id)) return mqtt::ReasonCode::PacketIdentifierNotFound;
    release(id);
    return mqtt::ReasonCode::Success;
}

void Inbox::release(mqtt::PacketId id) {
    const auto message = exactly_once_.find(id);
    if (message == exactly_once_.end()) return;
    if (message->second.counted) --counted_;
    exactly_once_.erase(message);
}

void Inbox::connection_lost() {
    unacknowledged_.clear();
    for (auto& message : exactly_once_ | std::views::values) message.counted = false;
    counted_ = 0;
}

void Inbox::session_lost() {
    connection_lost();
    exactly_once_.clear();
}

}  // namespace chappe::client
