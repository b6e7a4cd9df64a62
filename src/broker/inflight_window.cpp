#include "broker/inflight_window.h"

#include <utility>

namespace chappe::broker {

void InflightWindow::resume(std::uint16_t send_quota) noexcept {
    send_quota_ = send_quota;
    quota_taken_ = 0;
    send_again_at_ = 0;
    for (std::size_t index = 0; index != entries_.size(); ++index) entries_[index].takes_quota = false;
}

bool InflightWindow::has_room() const noexcept {
    return send_again_at_ == entries_.size() && quota_taken_ < send_quota_ && entries_.size() < ids;
}

mqtt::PacketId InflightWindow::add(Delivery delivery) {
    ASSERT(has_room());  // The caller queues instead: [MQTT-3.3.4-9].
    entries_.push_back({.delivery = std::move(delivery), .state = State::Published, .takes_quota = true});
    send_again_at_ = entries_.size();
    ++quota_taken_;
    ++live_;
    return id_at(entries_.size() - 1);
}

std::optional<mqtt::PacketId> InflightWindow::next_to_send_again() noexcept {
    while (send_again_at_ != entries_.size() && entries_[send_again_at_].state != State::Published) ++send_again_at_;
    if (send_again_at_ == entries_.size() || quota_taken_ >= send_quota_) return std::nullopt;
    return id_at(send_again_at_);
}

void InflightWindow::sent_again(mqtt::PacketId id) {
    ASSERT(index_of(id) == send_again_at_ && quota_taken_ < send_quota_);
    entries_[send_again_at_].takes_quota = true;
    ++quota_taken_;
    ++send_again_at_;
}

InflightWindow::Entry* InflightWindow::find(mqtt::PacketId id) noexcept {
    if (id.value == 0) return nullptr;
    const auto index = index_of(id);
    if (index >= entries_.size() || entries_[index].state == State::Gone) return nullptr;
    return &entries_[index];
}

void InflightWindow::release(mqtt::PacketId id) {
    auto* entry = find(id);
    ASSERT(entry != nullptr && entry->state == State::Published);
    entry->state = State::Released;
    entry->delivery.message = {};
}

Delivery InflightWindow::remove(mqtt::PacketId id) {
    auto* entry = find(id);
    ASSERT(entry != nullptr);
    auto delivery = end(*entry);
    trim();
    return delivery;
}

Delivery InflightWindow::end(Entry& entry) {
    if (entry.takes_quota) {
        ASSERT(quota_taken_ != 0);
        --quota_taken_;
    }
    entry.state = State::Gone;
    entry.takes_quota = false;
    --live_;
    return std::exchange(entry.delivery, {});
}

void InflightWindow::trim() {
    while (!entries_.empty() && entries_.front().state == State::Gone) {
        entries_.pop_front();
        first_id_ = static_cast<std::uint16_t>(first_id_ % ids + 1);
        if (send_again_at_ != 0) --send_again_at_;
    }
    if (entries_.empty()) entries_.clear_and_free();
}

}  // namespace chappe::broker
