#pragma once

// A small, fast random generator that is seeded from outside, so that a simulation repeats from its seed.
// Not for secrets. The algorithm is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).

#include <cstdint>

namespace chappe {

class Random {
public:
    explicit Random(std::uint64_t seed) noexcept : state_(seed) {}

    std::uint64_t next() noexcept {
        auto value = (state_ += 0x9e3779b97f4a7c15);
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    // Uniform in [0, bound); bound must not be 0. The bias of the multiplication is below bound / 2^64.
    std::uint64_t below(std::uint64_t bound) noexcept {
        return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
    }

private:
    std::uint64_t state_;
};

}  // namespace chappe
