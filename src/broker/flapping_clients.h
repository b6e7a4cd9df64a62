#pragma once

// Clients that connect again and again, without ever saying goodbye: two devices with the same client identifier that
// take the session from each other, or one that crashes as soon as it is connected. Each time costs a login, a session
// that is resumed and a will, so they are kept out for a while.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/time.h"

namespace chappe::broker {

// Of one shard, for the clients that have their home there. Only those count that have been let in: nobody can keep out
// another client by using its identifier. A client is known by the keyed hash of its identifier.
class FlappingClients {
public:
    static constexpr Duration window = 1min;
    static constexpr std::size_t entries_max = 100'000;

    // How long the client still has to stay away; nothing: it may come.
    [[nodiscard]] std::optional<Duration> wait(std::uint64_t client, Instant now) const;
    // It has been let in. Returns whether that was once too often: the next time it has to wait.
    [[nodiscard]] bool connected(std::uint64_t client, std::uint32_t most, Duration wait, Instant now);
    // It has said goodbye, so the last time does not count: a program that connects for each message is no fault.
    void left(std::uint64_t client);
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

private:
    struct Entry {
        Instant since;
        Instant until;
        std::uint32_t count = 0;
    };

    void make_room(Instant now);

    std::unordered_map<std::uint64_t, Entry> entries_;
};

}  // namespace chappe::broker
