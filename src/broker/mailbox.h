#pragma once

// Where other shards leave their mail for one shard: the third of the structures that shards share.

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

#include "broker/mail.h"

namespace chappe::broker {

// Thread-safe. Whole batches go in, everything comes out at once; the receiver is woken once for many batches.
// It never refuses mail, for what has been accepted from a client must arrive. Instead a sender that finds it full
// stops reading from its publishers until the receiver has emptied it, so that it grows no further than what was under
// way.
class Mailbox {
public:
    // Moves the batch in, which is then empty. Returns whether the receiver must be woken.
    [[nodiscard]] bool put(std::vector<Mail>& batch, std::size_t bytes);

    // Whether more than `bytes_max` wait. The sender is then remembered, and take() names it.
    [[nodiscard]] bool full_for(ShardId sender, std::size_t bytes_max);

    // Swaps everything out into `out`, which the caller has emptied, and adds to `waiting` the senders that found it
    // full.
    void take(std::vector<Mail>& out, std::vector<ShardId>& waiting);

    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

private:
    std::mutex mutex_;
    std::vector<Mail> mail_;
    std::vector<ShardId> waiting_;
    std::atomic<std::size_t> bytes_ = 0;
};

}  // namespace chappe::broker
