#include "server/handshake_pace.h"

#include <algorithm>
#include <utility>

namespace chappe::server {
namespace {

// After a rest, as many may begin together as in this time: a few clients need not wait for one another, and the shard
// is not away from its others for longer.
constexpr Duration burst = 50ms;

}  // namespace

HandshakePace::HandshakePace(net::EventLoop& loop) : loop_(loop), timer_(loop, [this] { resume_all(); }) {}

void HandshakePace::begin(net::Listener& listener) {
    const auto per_second = per_second_.load(std::memory_order_relaxed);
    if (per_second == 0) return;
    next_at_ = std::max(next_at_, loop_.now() - burst) + Duration(1s) / per_second;
    if (next_at_ <= loop_.now()) return;
    listener.pause();
    waits_.add();
    waiting_.push_back(&listener);
    timer_.set(next_at_);
}

void HandshakePace::resume_all() {
    for (auto* listener : std::exchange(waiting_, {})) listener->resume();
}

void HandshakePace::forget(const net::Listener& listener) noexcept { std::erase(waiting_, &listener); }

}  // namespace chappe::server
