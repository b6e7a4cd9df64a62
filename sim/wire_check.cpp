#include "sim/wire_check.h"

#include <variant>

namespace chappe::sim {

using mqtt::QoS;

void WireCheck::sent(const mqtt::Packet& packet) {
    if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) begin(*connect);
    if (const auto* ack = std::get_if<mqtt::PubAck>(&packet)) finish(ack->packet_id);
    if (const auto* ack = std::get_if<mqtt::PubRec>(&packet)) record(*ack);
    if (const auto* ack = std::get_if<mqtt::PubComp>(&packet)) finish(ack->packet_id);
}

void WireCheck::received(const mqtt::Packet& packet) {
    if (const auto* connack = std::get_if<mqtt::ConnAck>(&packet)) begin_session(*connack);
    if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) arrived(*publish);
    if (const auto* release = std::get_if<mqtt::PubRel>(&packet)) released(*release);
}

void WireCheck::begin(const mqtt::Connect& connect) {
    receive_maximum_ = connect.receive_maximum.value_or(65'535);
    unanswered_.clear();
    last_released_ = 0;
}

void WireCheck::begin_session(const mqtt::ConnAck& connack) {
    resumed_ = connack.session_present;
    if (!resumed_) session_.clear();
}

void WireCheck::arrived(const mqtt::Publish& publish) {
    if (publish.qos == QoS::AtMostOnce) return;
    const auto id = publish.packet_id;
    if (!unanswered_.insert(id.value).second) complain(id, "is used again before it was answered");
    if (unanswered_.size() > receive_maximum_) complain(id, "is one more than Receive Maximum");
    if (publish.dup && !resumed_) complain(id, "has DUP on the first connection of its session");
    const auto payload = as_text(publish.payload);
    const auto [exchange, is_new] = session_.try_emplace(id.value, publish.qos, std::string(payload));
    if (is_new) return;
    const bool same = exchange->second.qos == publish.qos && exchange->second.payload == payload;
    const bool taken_back = shared_ && exchange->second.qos == QoS::AtLeastOnce;
    if (!same && !taken_back) complain(id, "is used for another message before the first is finished");
    if (same && !publish.dup) complain(id, "is sent again without DUP");
    if (!same) exchange->second = {.qos = publish.qos, .payload = std::string(payload)};
}

void WireCheck::record(const mqtt::PubRec& record) {
    if (is_error(record.reason_code)) return finish(record.packet_id);
    const auto exchange = session_.find(record.packet_id.value);
    if (exchange != session_.end()) exchange->second.recorded = ++recorded_;
}

void WireCheck::released(const mqtt::PubRel& release) {
    const auto exchange = session_.find(release.packet_id.value);
    if (exchange == session_.end()) return;  // Once more: its PUBCOMP had been lost.
    const auto recorded = exchange->second.recorded;
    if (recorded == 0) return complain(release.packet_id, "is released before PUBREC");
    if (recorded < last_released_) complain(release.packet_id, "is released after one whose PUBREC came later");
    last_released_ = recorded;
}

void WireCheck::finish(mqtt::PacketId id) {
    unanswered_.erase(id.value);
    session_.erase(id.value);
}

void WireCheck::complain(mqtt::PacketId id, std::string_view what) {
    complaints_.push_back("packet identifier " + std::to_string(id.value) + " " + std::string(what));
}

}  // namespace chappe::sim
