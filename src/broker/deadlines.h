#pragma once

// The timers of one shard: a heap of (when, what, whose). A timer is not cancelled or moved; when it fires, its owner
// looks whether there is something to do and otherwise sets it again. A keep alive so costs nothing per packet.

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "base/time.h"

namespace chappe::broker {

enum class DeadlineKind : std::uint8_t {
    ConnectTimeout,  // `id` is a ConnectionId, as for the next two.
    KeepAlive,
    CloseTimeout,
    SessionExpiry,  // `id` is a SessionId, as for the next.
    WillDelay,
    RetainedExpiry,  // `id` is 0.
};

struct Deadline {
    Instant at;
    DeadlineKind kind;
    std::uint64_t id;
};

class Deadlines {
public:
    void set(Deadline deadline) { heap_.push(deadline); }

    [[nodiscard]] std::optional<Instant> next() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.top().at;
    }

    // Removes and returns one deadline that is due, the earliest first.
    [[nodiscard]] std::optional<Deadline> take_due(Instant now) {
        if (heap_.empty() || heap_.top().at > now) return std::nullopt;
        auto deadline = heap_.top();
        heap_.pop();
        return deadline;
    }

    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }

private:
    struct Later {
        bool operator()(const Deadline& a, const Deadline& b) const noexcept { return a.at > b.at; }
    };

    std::priority_queue<Deadline, std::vector<Deadline>, Later> heap_;
};

}  // namespace chappe::broker
