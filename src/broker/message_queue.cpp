#include "broker/message_queue.h"

namespace chappe::broker {

bool MessageQueue::fits(const Message& message) const noexcept {
    const auto bound = exceeded_by(message);
    if (bound) accounts_.counters.reached(*bound);
    return !bound;
}

std::optional<DropReason> MessageQueue::in_the_way(const Message& message) const noexcept {
    const auto bound = exceeded_by(message);
    if (!bound) return std::nullopt;
    return *bound == Bound::QueuedBytesTotalMax ? DropReason::QueuesFull : DropReason::QueueFull;
}

std::optional<Bound> MessageQueue::exceeded_by(const Message& message) const noexcept {
    const auto added = sizeof(Delivery) + message.size_bytes();
    if (waiting_.size() >= accounts_.limits.queue_messages_max) return Bound::QueueMessagesMax;
    if (bytes_ + added > accounts_.limits.queue_bytes_max) return Bound::QueueBytesMax;
    if (accounts_.total.load(std::memory_order_relaxed) + added > accounts_.limits.queued_bytes_total_max) {
        return Bound::QueuedBytesTotalMax;
    }
    return std::nullopt;
}

void MessageQueue::push_back(Delivery delivery) {
    account_added(delivery);
    waiting_.push_back(std::move(delivery));
}

void MessageQueue::push_front(Delivery delivery) {
    account_added(delivery);
    waiting_.push_front(std::move(delivery));
}

Delivery MessageQueue::pop_front() {
    auto delivery = waiting_.pop_front();
    account_removed(delivery);
    if (waiting_.empty()) waiting_.clear_and_free();
    return delivery;
}

void MessageQueue::clear() {
    while (!empty()) account_removed(waiting_.pop_front());
    waiting_.clear_and_free();
}

void MessageQueue::account_added(const Delivery& delivery) noexcept {
    const auto bytes = cost(delivery);
    bytes_ += bytes;
    accounts_.total.fetch_add(bytes, std::memory_order_relaxed);
    accounts_.counters.queued_messages.add();
    accounts_.counters.queued_bytes.add(bytes);
}

void MessageQueue::account_removed(const Delivery& delivery) noexcept {
    const auto bytes = cost(delivery);
    bytes_ -= bytes;
    accounts_.total.fetch_sub(bytes, std::memory_order_relaxed);
    accounts_.counters.queued_messages.subtract();
    accounts_.counters.queued_bytes.subtract(bytes);
}

}  // namespace chappe::broker
