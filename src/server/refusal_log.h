#pragma once

// The last refusals, for whoever asks why something does not work.

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "broker/ports.h"

namespace chappe::server {

struct Refusal {
    WallTime at;
    std::string_view what;  // "connect", "publish", "subscribe", or "subscription" for one that was revoked.
    std::string client_id;
    std::string user_name;
    std::string address;
    std::string topic;
    std::string_view code;
    std::string reason;
};

// Which are wanted; what is not said does not matter.
struct RefusalQuery {
    std::optional<std::string> what;
    std::optional<std::string> client;
    std::optional<std::string> user;
    std::optional<std::string> topic;  // A topic filter.

    [[nodiscard]] bool wants(const Refusal& refusal) const;
};

// Thread-safe.
class RefusalLog {
public:
    static constexpr std::size_t text_size_max = 1024;  // Of each text that came from a client; longer ones are cut.

    explicit RefusalLog(std::size_t kept_max) : kept_max_(kept_max) {}

    // What is no refusal is not kept.
    void add(const broker::Event& event, WallTime now);
    void keep(std::size_t kept_max);
    // The last `count`, the newest last.
    [[nodiscard]] std::vector<Refusal> find(const RefusalQuery& query, std::size_t count) const;

    // The words for Refusal::what.
    [[nodiscard]] static std::vector<std::string_view> kinds();

private:
    mutable std::mutex mutex_;
    std::size_t kept_max_;
    std::deque<Refusal> refusals_;  // The newest last.
};

// Whether this is one: for the logs that have refusals only.
[[nodiscard]] bool is_refusal(broker::EventKind kind) noexcept;

}  // namespace chappe::server
