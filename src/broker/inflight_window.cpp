#include "broker/inflight_window.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace chappe::broker {

void InflightWindow::resume(std::uint16_t send_quota) noexcept {
    send_quota_ = send_quota;
    quota_taken_ = 0;
    send_again_at_ = 0;
    for (std::size_t index = 0; index != count(); ++index) at(index).takes_quota = false;
}

std::size_t InflightWindow::room() const noexcept {
    if (send_again_at_ != count() || live_ >= live_max) return 0;
    return std::min<std::size_t>(send_quota_ - quota_taken_, live_max - live_);
}

mqtt::PacketId InflightWindow::add(Delivery delivery) {
    ASSERT(has_room());  // The caller queues instead: [MQTT-3.3.4-9].
    const bool mostly_gaps = entries_.size() >= set_aside_from && entries_.size() >= std::size_t{4} * live_;
    if (mostly_gaps || entries_.size() >= ids / 2) set_aside_oldest();
    while (is_straggler(id_in_turn(entries_.size()))) entries_.push_back({.state = State::Gone});  // [MQTT-2.2.1-4]
    bytes_ += cost(delivery);
    entries_.push_back({.delivery = std::move(delivery), .state = State::Published, .takes_quota = true});
    ASSERT(entries_.size() <= ids);
    send_again_at_ = count();
    ++quota_taken_;
    ++live_;
    return id_in_turn(entries_.size() - 1);
}

std::optional<mqtt::PacketId> InflightWindow::next_to_send_again() noexcept {
    while (send_again_at_ != count() && at(send_again_at_).state != State::Published) ++send_again_at_;
    if (send_again_at_ == count() || quota_taken_ >= send_quota_) return std::nullopt;
    return id_at(send_again_at_);
}

void InflightWindow::sent_again(mqtt::PacketId id) {
    ASSERT(index_of(id) == send_again_at_ && quota_taken_ < send_quota_);
    at(send_again_at_).takes_quota = true;
    ++quota_taken_;
    ++send_again_at_;
}

InflightWindow::Entry* InflightWindow::find(mqtt::PacketId id) noexcept {
    if (id.value == 0) return nullptr;
    const auto index = index_of(id);
    if (index >= count() || at(index).state == State::Gone) return nullptr;
    return &at(index);
}

void InflightWindow::release(mqtt::PacketId id) {
    auto* entry = find(id);
    ASSERT(entry != nullptr && entry->state == State::Published);
    entry->state = State::Released;
    entry->released_at = ++releases_;
    bytes_ -= cost(entry->delivery);
    entry->delivery.message = {};
    bytes_ += cost(entry->delivery);
}

std::vector<mqtt::PacketId> InflightWindow::released() const {
    std::vector<std::size_t> places;
    for (std::size_t index = 0; index != count(); ++index) {
        if (at(index).state == State::Released) places.push_back(index);
    }
    // Compared by distance, since the count may have started again.
    std::ranges::sort(places, std::greater{}, [&](std::size_t index) { return releases_ - at(index).released_at; });
    std::vector<mqtt::PacketId> in_order;
    for (const auto index : places) in_order.push_back(id_at(index));
    return in_order;
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
    bytes_ -= cost(entry.delivery);
    --live_;
    return std::exchange(entry.delivery, {});
}

std::size_t InflightWindow::index_of(mqtt::PacketId id) const noexcept {
    const auto straggler = std::ranges::find(stragglers_, id, &Straggler::id);
    if (straggler != stragglers_.end()) return static_cast<std::size_t>(straggler - stragglers_.begin());
    return stragglers_.size() + (id.value + ids - first_id_) % ids;
}

bool InflightWindow::is_straggler(mqtt::PacketId id) const noexcept { return index_of(id) < stragglers_.size(); }

// Removes what is gone at either beginning.
void InflightWindow::trim() {
    for (std::size_t index = stragglers_.size(); index-- != 0;) {
        if (stragglers_[index].entry.state != State::Gone) continue;
        stragglers_.erase(stragglers_.begin() + static_cast<std::ptrdiff_t>(index));
        if (send_again_at_ > index) --send_again_at_;
    }
    while (!entries_.empty() && entries_.front().state == State::Gone) {
        pop_first_in_turn();
        if (send_again_at_ > stragglers_.size()) --send_again_at_;
    }
    if (entries_.empty()) entries_.clear_and_free();
}

void InflightWindow::pop_first_in_turn() {
    entries_.pop_front();
    first_id_ = static_cast<std::uint16_t>(first_id_ % ids + 1);
}

// The oldest in turn becomes the youngest straggler: the order stays, and so does every index.
void InflightWindow::set_aside_oldest() {
    stragglers_.push_back({.id = id_in_turn(0), .entry = std::move(entries_.front())});
    pop_first_in_turn();
    trim();
}

}  // namespace chappe::broker
