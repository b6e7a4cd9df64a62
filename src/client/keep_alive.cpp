#include "client/keep_alive.h"

#include <algorithm>

namespace chappe::client {

void KeepAlive::start(std::uint16_t seconds, Duration response_timeout, Instant now) noexcept {
    interval_ = std::chrono::seconds(seconds);
    response_timeout_ = response_timeout;
    sent_at_ = received_at_ = now;
    waiting_ = false;
}

void KeepAlive::ping_sent(Instant now) noexcept {
    sent_at_ = ping_sent_at_ = now;
    waiting_ = true;
}

KeepAlive::Due KeepAlive::due(Instant now) const noexcept {
    if (now < deadline()) return Due::Nothing;
    return waiting_ ? Due::ServerIsSilent : Due::Ping;
}

Instant KeepAlive::deadline() const noexcept {
    if (interval_ == Duration::zero()) return Instant::max();
    if (waiting_) return std::max(ping_sent_at_, received_at_) + response_timeout_;
    return std::min(sent_at_, received_at_) + interval_;
}

}  // namespace chappe::client
