#pragma once

#include <cstdint>

#include "base/time.h"

namespace chappe::client {

// Keep Alive from the client's side (3.1.2.10): a PINGREQ when nothing has gone out for the interval, and also when
// nothing has come in for it, so that a dead server is noticed while we only send. Any byte of the server is a sign of
// life, so that a large message on a slow line does not count as silence.
class KeepAlive {
public:
    enum class Due : std::uint8_t { Nothing, Ping, ServerIsSilent };

    // 0 seconds: neither pings nor silence.
    void start(std::uint16_t seconds, Duration response_timeout, Instant now) noexcept;
    void stop() noexcept { interval_ = Duration::zero(); }

    void sent(Instant now) noexcept { sent_at_ = now; }
    void received(Instant now) noexcept { received_at_ = now; }
    void ping_sent(Instant now) noexcept;
    void ping_answered() noexcept { waiting_ = false; }

    [[nodiscard]] Due due(Instant now) const noexcept;
    [[nodiscard]] Instant deadline() const noexcept;  // When due() changes next; Instant::max() if never.

private:
    Duration interval_ = Duration::zero();
    Duration response_timeout_ = Duration::zero();
    Instant sent_at_{};
    Instant received_at_{};
    Instant ping_sent_at_{};
    bool waiting_ = false;  // A PINGREQ is out and not yet answered.
};

}  // namespace chappe::client
