#pragma once

// Slows down whoever guesses passwords: after some wrong ones an address has to wait, longer each time, before it may
// try again. One address may not lock out a name for others, so a name counts together with the address. Of IPv6 the
// first 64 bits are one address (net::owner_of).

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/hash.h"
#include "base/time.h"

namespace chappe::access {

// Thread-safe.
class LoginFailures {
public:
    struct Rules {
        std::uint32_t free_of_name = 5;  // Wrong passwords for one name from one address.
        Duration longest_wait = 5min;

        // From one address, for any names.
        [[nodiscard]] std::uint32_t free_of_address() const noexcept { return 4 * free_of_name; }
    };

    static constexpr Duration first_wait = 1s;
    static constexpr Duration forgotten_after = 15min;  // Since the last one.
    static constexpr std::size_t entries_max = 100'000;

    explicit LoginFailures(std::uint64_t seed) : entries_(64, TextHash(seed)) {}

    void configure(const Rules& rules);
    // How long it still has to wait; nothing: not at all.
    [[nodiscard]] std::optional<Duration> wait(std::string_view address, std::string_view name, Instant now);
    void failed(std::string_view address, std::string_view name, Instant now);
    // The name's count begins anew; the address's does not, or one right password would allow to guess many others.
    void succeeded(std::string_view address, std::string_view name);
    [[nodiscard]] std::size_t size();  // Of what is remembered.

private:
    struct Entry {
        std::uint32_t count = 0;
        Instant last;
        Instant until;
    };

    [[nodiscard]] std::optional<Duration> wait_of(const std::string& key, Instant now);
    void count(std::string key, std::uint32_t free, Instant now);
    void make_room(Instant now);

    std::mutex mutex_;
    Rules rules_;
    std::unordered_map<std::string, Entry, TextHash> entries_;
};

}  // namespace chappe::access
