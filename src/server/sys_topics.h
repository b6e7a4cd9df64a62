#pragma once

// $SYS/broker/...: what the broker says of itself, under the names that Mosquitto uses, so that dashboards made for it
// work; and below $SYS/broker/chappe what only Chappe counts. docs/operating.md lists them.

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "broker/commons.h"
#include "broker/counters.h"

namespace chappe::server {

// The counters of all shards added up, as one moment saw them.
struct Totals {
    std::uint64_t bytes_received = 0, bytes_sent = 0;
    std::uint64_t packets_received = 0, packets_sent = 0;
    std::uint64_t publish_received = 0, publish_sent = 0;
    std::uint64_t publish_bytes_received = 0, publish_bytes_sent = 0;
    std::uint64_t sockets_accepted = 0, connects_received = 0, connects_refused = 0;
    std::uint64_t connections = 0, clients_connected = 0, sessions = 0, sessions_expired = 0;
    std::uint64_t inflight_messages = 0, inflight_bytes = 0;
    std::uint64_t queued_messages = 0, queued_bytes = 0, queued_payload_bytes = 0;
    std::uint64_t shared_subscriptions = 0;
    // Not of shards, so not added up from their counters.
    std::uint64_t refused_by_listeners = 0, banned = 0, log_lines_lost = 0;
    std::array<std::uint64_t, broker::bound_count> bounds_reached{};
    std::array<std::uint64_t, broker::drop_reason_count> drops{};

    void add(const broker::Counters& counters);
    // What has been counted of this bound elsewhere.
    void add(broker::Bound bound, std::uint64_t reached) noexcept {
        bounds_reached[static_cast<std::size_t>(bound)] += reached;
    }
    [[nodiscard]] std::uint64_t publish_dropped() const noexcept;
};

// Averages per minute over 1, 5 and 15 minutes, as Mosquitto computes them: exponentially damped, like the load of
// Unix.
class LoadAverages {
public:
    static constexpr std::array<unsigned, 3> minutes = {1, 5, 15};

    // `total` has grown to this value over `elapsed`.
    void update(std::uint64_t total, Duration elapsed);
    [[nodiscard]] double average(std::size_t index) const noexcept { return averages_[index]; }

private:
    std::uint64_t last_total_ = 0;
    std::array<double, 3> averages_{};
};

class SysTopics {
public:
    using Publish = std::function<void(std::string_view topic, std::string_view payload)>;

    SysTopics(const broker::Commons& commons, Publish publish, Instant started_at);

    // Publishes each topic whose value has changed since it was last published.
    void update(const Totals& totals, Instant now);

private:
    void set(std::string_view topic, std::string_view value);
    void set(std::string_view topic, std::uint64_t value);
    void set_load(std::string_view name, LoadAverages& averages, std::uint64_t total, Duration elapsed);
    void update_clients(const Totals& totals);
    void update_messages(const Totals& totals);
    void update_loads(const Totals& totals, Duration elapsed);
    void update_own(const Totals& totals);

    const broker::Commons& commons_;
    Publish publish_;
    Instant started_at_;
    Instant updated_at_;
    std::unordered_map<std::string, std::string> published_;
    std::uint64_t clients_maximum_ = 0;
    std::uint64_t heap_maximum_ = 0;
    LoadAverages messages_received_, messages_sent_, publish_received_, publish_sent_, publish_dropped_;
    LoadAverages bytes_received_, bytes_sent_, sockets_, connections_;
};

}  // namespace chappe::server
