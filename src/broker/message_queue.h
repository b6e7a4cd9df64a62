#pragma once

// Messages of QoS 1 and 2 that wait for a session, or for the members of a shared subscription, in order.
// Bounded by the owner, which asks fits() before push_back().

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "base/time.h"
#include "broker/counters.h"
#include "broker/delivery.h"
#include "broker/limits.h"

namespace chappe::broker {

// Bytes that wait in all queues of all shards or are in flight: one number, shared, for queued_bytes_total_max.
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
    [[nodiscard]] std::size_t size() const noexcept { return waiting_.size() - (expiring_ ? expiring_->gaps : 0); }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return bytes_; }

    // Whether there is room for `message`. Where there is not, the bound that is in the way is counted as reached.
    // What the owner keeps besides the queue, messages in flight, takes room as well.
    [[nodiscard]] bool fits(const Message& message, std::size_t bytes_besides = 0) const noexcept;
    // The same without counting: nothing when there is room, else QueueFull or QueuesFull.
    [[nodiscard]] std::optional<DropReason> in_the_way(const Message& message,
                                                       std::size_t bytes_besides = 0) const noexcept;

    void push_back(Delivery delivery);
    void push_front(Delivery delivery);  // For a message that comes back undelivered.
    [[nodiscard]] Delivery pop_front();
    [[nodiscard]] const Delivery& front() const noexcept { return waiting_.front(); }
    // nullptr: there is none, or it has expired and left a gap.
    [[nodiscard]] const Delivery* last() const noexcept {
        if (waiting_.empty() || is_gap(waiting_[waiting_.size() - 1])) return nullptr;
        return &waiting_[waiting_.size() - 1];
    }

    // Moves every delivery whose message has expired to the end of `out`, the first to expire first. What it costs
    // depends on how many those are, not on how many wait: it may be asked for every message that finds a full queue.
    void take_expired(Instant now, std::vector<Delivery>& out);

    // Moves every delivery for which `picked` is true to the end of `out`; the others keep their order. Looks at all.
    template <class Picked>
    void extract(Picked picked, std::vector<Delivery>& out) {
        for (auto left = waiting_.size(); left != 0; --left) {
            auto delivery = waiting_.pop_front();
            if (is_gap(delivery)) continue;
            if (picked(delivery)) {
                account_removed(delivery);
                out.push_back(std::move(delivery));
            } else {
                waiting_.push_back(std::move(delivery));
            }
        }
        note_all_expiries();
    }

    void clear();

private:
    // Counted from a place where the queue once began.
    using Number = std::int64_t;

    struct Expiry {
        Instant at;
        Number number = 0;

        friend bool operator>(const Expiry& a, const Expiry& b) noexcept { return a.at > b.at; }
    };

    // Only a queue in which something expires has this. (A bound on the next expiry, and a look at all that wait when
    // it has passed, was considered: where every second message expires soon after it came, that is one look at all
    // for every message.)
    struct Expiring {
        std::vector<Expiry> heap;  // The first to expire at its front. Some may have left the queue.
        Number first = 0;          // Of the delivery at the queue's front.
        std::size_t gaps = 0;      // Expired and taken from the queue's middle; never at its front.
    };

    [[nodiscard]] static bool is_gap(const Delivery& delivery) noexcept { return !delivery.message; }
    [[nodiscard]] static std::size_t cost(const Message& message) noexcept {
        return sizeof(Delivery) + message.size_bytes() + (message.expires() ? sizeof(Expiry) : 0);
    }
    [[nodiscard]] std::optional<Bound> exceeded_by(const Message& message, std::size_t bytes_besides) const noexcept;
    void account_added(const Delivery& delivery) noexcept;
    void account_removed(const Delivery& delivery) noexcept;
    void note_expiry(Instant at, Number number);
    void note_all_expiries();
    void remove_gaps_at_front();
    void tidy();

    QueueAccounts accounts_;
    Ring<Delivery> waiting_;
    std::size_t bytes_ = 0;
    std::unique_ptr<Expiring> expiring_;
};

}  // namespace chappe::broker
