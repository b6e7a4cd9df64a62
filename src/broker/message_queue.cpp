#include "broker/message_queue.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace chappe::broker {
namespace {

// Gaps and forgotten expiries are cleared away when there are more of them than deliveries, and than this.
constexpr std::size_t left_over_max = 64;

}  // namespace

bool MessageQueue::fits(const Message& message, std::size_t bytes_besides) const noexcept {
    const auto bound = exceeded_by(message, bytes_besides);
    if (bound) accounts_.counters.reached(*bound);
    return !bound;
}

std::optional<DropReason> MessageQueue::in_the_way(const Message& message, std::size_t bytes_besides) const noexcept {
    const auto bound = exceeded_by(message, bytes_besides);
    if (!bound) return std::nullopt;
    return *bound == Bound::QueuedBytesTotalMax ? DropReason::QueuesFull : DropReason::QueueFull;
}

std::optional<Bound> MessageQueue::exceeded_by(const Message& message, std::size_t bytes_besides) const noexcept {
    const auto added = cost(message);
    if (size() >= accounts_.limits.queue_messages_max) return Bound::QueueMessagesMax;
    if (bytes_ + bytes_besides + added > accounts_.limits.queue_bytes_max) return Bound::QueueBytesMax;
    if (accounts_.total.load(std::memory_order_relaxed) + added > accounts_.limits.queued_bytes_total_max) {
        return Bound::QueuedBytesTotalMax;
    }
    return std::nullopt;
}

void MessageQueue::push_back(Delivery delivery) {
    ASSERT(!is_gap(delivery));
    account_added(delivery);
    const auto& message = *waiting_.push_back(std::move(delivery)).message;
    if (!message.expires()) return;
    if (!expiring_) expiring_ = std::make_unique<Expiring>();
    note_expiry(message.expires_at(), expiring_->first + static_cast<Number>(waiting_.size()) - 1);
}

void MessageQueue::push_front(Delivery delivery) {
    ASSERT(!is_gap(delivery));
    account_added(delivery);
    const auto& message = *waiting_.push_front(std::move(delivery)).message;
    if (expiring_) --expiring_->first;
    if (!message.expires()) return;
    if (!expiring_) expiring_ = std::make_unique<Expiring>();
    note_expiry(message.expires_at(), expiring_->first);
}

Delivery MessageQueue::pop_front() {
    auto delivery = waiting_.pop_front();
    account_removed(delivery);
    if (expiring_) {
        ++expiring_->first;
        remove_gaps_at_front();
        tidy();
    }
    if (waiting_.empty()) waiting_.clear_and_free();
    return delivery;
}

void MessageQueue::take_expired(Instant now, std::vector<Delivery>& out) {
    if (!expiring_) return;
    auto& heap = expiring_->heap;
    while (!heap.empty() && heap.front().at <= now) {
        const auto number = heap.front().number;
        std::ranges::pop_heap(heap, std::greater{});
        heap.pop_back();
        const auto index = static_cast<std::size_t>(number - expiring_->first);  // Huge for what was before the front.
        if (index >= waiting_.size()) continue;
        // A number is given anew where a delivery has come back to the front: then another one may be there.
        auto& delivery = waiting_[index];
        if (is_gap(delivery) || !delivery.message->expired(now)) continue;
        account_removed(delivery);
        out.push_back(std::exchange(delivery, {}));
        ++expiring_->gaps;
    }
    remove_gaps_at_front();
    tidy();
}

void MessageQueue::clear() {
    while (!waiting_.empty()) {
        const auto delivery = waiting_.pop_front();
        if (!is_gap(delivery)) account_removed(delivery);
    }
    waiting_.clear_and_free();
    expiring_.reset();
}

void MessageQueue::note_expiry(Instant at, Number number) {
    expiring_->heap.push_back({.at = at, .number = number});
    std::ranges::push_heap(expiring_->heap, std::greater{});
}

// Where there are no gaps.
void MessageQueue::note_all_expiries() {
    expiring_.reset();
    for (std::size_t index = 0; index != waiting_.size(); ++index) {
        const auto& message = *waiting_[index].message;
        if (!message.expires()) continue;
        if (!expiring_) expiring_ = std::make_unique<Expiring>();
        expiring_->heap.push_back({.at = message.expires_at(), .number = static_cast<Number>(index)});
    }
    if (expiring_) std::ranges::make_heap(expiring_->heap, std::greater{});
    if (waiting_.empty()) waiting_.clear_and_free();
}

void MessageQueue::remove_gaps_at_front() {
    while (!waiting_.empty() && is_gap(waiting_.front())) {
        static_cast<void>(waiting_.pop_front());
        ++expiring_->first;
        --expiring_->gaps;
    }
}

// Looks at all that wait, after at least as many have left: so that is no more than another step for each of those.
void MessageQueue::tidy() {
    const auto allowed = std::max(size(), left_over_max);
    if (empty()) {
        expiring_.reset();
        waiting_.clear_and_free();
    } else if (expiring_->gaps > allowed || expiring_->heap.size() > size() + allowed) {
        std::vector<Delivery> none;
        extract([](const Delivery&) { return false; }, none);
    }
}

void MessageQueue::account_added(const Delivery& delivery) noexcept {
    const auto bytes = cost(*delivery.message);
    bytes_ += bytes;
    accounts_.total.fetch_add(bytes, std::memory_order_relaxed);
    accounts_.counters.queued_messages.add();
    accounts_.counters.queued_bytes.add(bytes);
    accounts_.counters.queued_payload_bytes.add(delivery.message->payload().size());
}

void MessageQueue::account_removed(const Delivery& delivery) noexcept {
    const auto bytes = cost(*delivery.message);
    bytes_ -= bytes;
    accounts_.total.fetch_sub(bytes, std::memory_order_relaxed);
    accounts_.counters.queued_messages.subtract();
    accounts_.counters.queued_bytes.subtract(bytes);
    accounts_.counters.queued_payload_bytes.subtract(delivery.message->payload().size());
}

}  // namespace chappe::broker
