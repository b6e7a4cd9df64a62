#pragma once

// Messages of QoS 1 and 2 that wait for a session, or for the members of a shared subscription, in order.
// Bounded by the owner, which asks fits() before push_back().

#include <atomic>
#include <cstddef>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "broker/counters.h"
#include "broker/delivery.h"
#include "broker/limits.h"

namespace chappe::broker {

// Bytes that wait in all queues of all shards: one number, shared, for queued_bytes_total_max.
using QueuedBytesTotal = std::atomic<std::size_t>;

// What queues need to know of the shard they are on.
struct QueueAccounts {
    const Limits& limits;
    Counters& counters;
    QueuedBytesTotal& total;
};

class MessageQueue {
public:
    explicit MessageQueue(QueueAccounts accounts) : accounts_(accounts) {}
    MessageQueue(const MessageQueue&) = delete;
    MessageQueue& operator=(const MessageQueue&) = delete;
    ~MessageQueue() { clear(); }

    [[nodiscard]] bool empty() const noexcept { return waiting_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size(); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_; }

    // Whether there is room for `message`. Where there is not, the bound that is in the way is counted as reached.
    [[nodiscard]] bool fits(const Message& message) const noexcept;
    // The same without counting: nothing when there is room, else QueueFull or QueuesFull.
    [[nodiscard]] std::optional<DropReason> in_the_way(const Message& message) const noexcept;

    void push_back(Delivery delivery);
    void push_front(Delivery delivery);  // For a message that comes back undelivered.
    [[nodiscard]] Delivery pop_front();
    [[nodiscard]] const Delivery& front() const noexcept { return waiting_.front(); }

    // Moves every delivery for which `picked` is true to the end of `out`; the others keep their order.
    template <class Picked>
    void extract(Picked picked, std::vector<Delivery>& out) {
        for (auto left = waiting_.size(); left != 0; --left) {
            auto delivery = pop_front();
            if (picked(delivery)) {
                out.push_back(std::move(delivery));
            } else {
                push_back(std::move(delivery));
            }
        }
    }

    void clear();

private:
    [[nodiscard]] static std::size_t cost(const Delivery& delivery) noexcept {
        return sizeof(Delivery) + delivery.message->size_bytes();
    }
    [[nodiscard]] std::optional<Bound> exceeded_by(const Message& message) const noexcept;
    void account_added(const Delivery& delivery) noexcept;
    void account_removed(const Delivery& delivery) noexcept;

    QueueAccounts accounts_;
    Ring<Delivery> waiting_;
    std::size_t bytes_ = 0;
};

}  // namespace chappe::broker
