#pragma once

// Two kinds of time, never mixed: Instant for intervals (a monotonic clock that no administrator or NTP daemon moves),
// WallTime for what people and other machines read. The core is told the time; it never asks a clock.

#include <chrono>

namespace chappe {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;

using namespace std::chrono_literals;

}  // namespace chappe
