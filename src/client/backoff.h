#pragma once

#include <algorithm>
#include <cstdint>

#include "base/random.h"
#include "base/time.h"

namespace chappe::client {

struct Reconnect {
    bool enabled = true;
    Duration delay_min = std::chrono::seconds(1);
    Duration delay_max = std::chrono::seconds(60);
    Duration stable_after = std::chrono::seconds(10);  // A connection that lasted so long begins anew at delay_min.
    // Go on after a refusal that the same CONNECT would only meet again, such as a wrong password, or after the server
    // has given the session to somebody else. For services; a person at a terminal wants to know.
    bool when_refused = false;
};

// How long to wait before the next attempt: twice as long each time, of which the second half is random, so that a
// thousand clients of a server that was restarted do not all come back in the same moment.
class Backoff {
public:
    Backoff(const Reconnect& reconnect, std::uint64_t seed) noexcept
        : reconnect_(reconnect), random_(seed), delay_(reconnect.delay_min) {}

    [[nodiscard]] Duration next() noexcept {
        const auto half = delay_ / 2;
        const auto jitter = random_.below(static_cast<std::uint64_t>(half.count()) + 1);
        delay_ = std::min(delay_ * 2, std::max(reconnect_.delay_max, reconnect_.delay_min));
        return half + Duration(static_cast<Duration::rep>(jitter));
    }

    void connection_lasted(Duration time) noexcept {
        if (time >= reconnect_.stable_after) delay_ = reconnect_.delay_min;
    }

private:
    Reconnect reconnect_;
    Random random_;
    Duration delay_;  // The upper end of the next one.
};

}  // namespace chappe::client
