#pragma once

// Which decisions have been made, so that they can be made again by other rules: one of each kind and day, as a line of
// JSON.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/hash.h"
#include "base/time.h"
#include "broker/ports.h"

namespace chappe::access {

struct RecordedDecision {
    broker::Identity who;
    broker::Access access = broker::Access::Publish;
    std::string topic;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    bool shared = false;
    bool allowed = false;
};

// Without an end.
[[nodiscard]] std::string line_of(const broker::Question& question, bool allowed, WallTime at);
// An error is for people.
[[nodiscard]] std::expected<RecordedDecision, std::string> parse_decision(std::string_view line);

// Thread-safe. Costs nothing but a look as long as it is not enabled.
class DecisionRecord {
public:
    static constexpr std::size_t per_day_max = 100'000;  // More would fill the disk with what a stranger makes up.

    // Takes lines, on any thread and not two at once, and must not block.
    using Sink = std::function<void(std::string line)>;

    explicit DecisionRecord(std::uint64_t seed) : hash_(seed) {}

    // Begins anew. `full` is called, if it is set, when no more will be recorded on this day; like the sink. Without a
    // sink (null) nothing is recorded any more.
    void enable(Sink sink, std::function<void()> full = {});

    void note(const broker::Question& question, bool allowed) {
        if (is_enabled_.load(std::memory_order_relaxed)) record(question, allowed, std::chrono::system_clock::now());
    }
    void record(const broker::Question& question, bool allowed, WallTime now);

private:
    [[nodiscard]] std::uint64_t kind_of(const broker::Question& question, bool allowed) const;

    const TextHash hash_;
    std::atomic<bool> is_enabled_ = false;
    std::mutex mutex_;  // Guards what follows.
    Sink sink_;
    std::function<void()> full_;
    std::int64_t day_ = 0;  // Since 1970, of those that follow.
    std::unordered_set<std::uint64_t> kinds_;
};

}  // namespace chappe::access
