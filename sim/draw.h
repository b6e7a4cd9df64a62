#pragma once

// Draws from a seed how a world, its clients and their wills are. It has its own chance, so that what is drawn does not
// depend on what the World draws for itself.

#include <cstdint>
#include <string>

#include "base/random.h"
#include "client/options.h"
#include "sim/device.h"
#include "sim/world.h"

namespace chappe::sim {

class Draw {
public:
    explicit Draw(std::uint64_t seed) : chance_(seed) {}

    std::uint64_t below(std::uint64_t bound) { return chance_.below(bound); }
    bool one_in(std::uint64_t n) { return below(n) == 0; }
    mqtt::QoS qos() { return static_cast<mqtt::QoS>(below(3)); }
    Duration milliseconds_below(std::uint64_t bound) { return std::chrono::milliseconds{below(bound)}; }
    std::uint32_t seconds_below(std::uint64_t bound) { return static_cast<std::uint32_t>(below(bound)); }

    // To be drawn first, since the clients depend on it.
    WorldOptions world(std::uint64_t seed);
    client::Options client(const std::string& name);
    Habits habits();
    // Of one connection; it has a will, with this payload.
    client::Options testator(const std::string& name, const std::string& topic, const std::string& payload,
                             mqtt::QoS qos);

    // Queues may overflow, so messages may be missing where a drop was counted.
    [[nodiscard]] bool small_queues() const noexcept { return small_queues_; }
    // And publishers are told.
    [[nodiscard]] bool rejects() const noexcept { return rejects_; }

private:
    mqtt::ProtocolVersion version();

    Random chance_;
    bool small_queues_ = false;
    bool rejects_ = false;
};

}  // namespace chappe::sim
