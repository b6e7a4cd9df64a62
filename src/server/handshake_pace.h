#pragma once

// How fast a shard begins TLS handshakes. Each costs about as much as thousands of messages, so where very many clients
// connect at once, those that are connected would hardly be served. The others wait to be accepted meanwhile, and the
// kernel keeps them.

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "broker/counters.h"
#include "net/event_loop.h"
#include "net/listener.h"

namespace chappe::server {

// Used on the loop's thread, but for what is said otherwise. The listeners stand on the same loop.
class HandshakePace {
public:
    explicit HandshakePace(net::EventLoop& loop);

    // 0: no bound. From any thread.
    void configure(std::uint32_t per_second) noexcept { per_second_.store(per_second, std::memory_order_relaxed); }
    // How often connections had to wait. From any thread.
    [[nodiscard]] std::uint64_t waits() const noexcept { return waits_.value(); }

    // The listener has accepted a connection that begins a handshake. If it was the last for now, it is paused.
    void begin(net::Listener& listener);
    // It will not be there any more.
    void forget(const net::Listener& listener) noexcept;

private:
    void resume_all();

    net::EventLoop& loop_;
    std::atomic<std::uint32_t> per_second_ = 0;
    broker::Counter waits_;
    Instant next_at_;  // When the next handshake may begin, were there no bursts.
    std::vector<net::Listener*> waiting_;
    net::Timer timer_;
};

}  // namespace chappe::server
