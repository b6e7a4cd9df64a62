#pragma once

// How often something may come from one address in a minute: a bucket of tokens for each, which is full at first and
// fills again within a minute.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/time.h"
#include "net/network.h"

namespace chappe::access {

// Thread-safe. Addresses count by their owner (net::owner_of).
class AddressRate {
public:
    static constexpr Duration window = 1min;
    static constexpr std::size_t entries_max = 100'000;

    explicit AddressRate(std::uint64_t seed) : full_at_(64, Hash{TextHash(seed)}) {}

    // Once more from there. Nothing: that is not too often; or how long it should have waited.
    [[nodiscard]] std::optional<Duration> take(const net::IpAddress& address, std::uint32_t per_minute, Instant now);
    [[nodiscard]] std::size_t size();  // Of what is remembered.

private:
    struct Hash {
        TextHash hash;

        [[nodiscard]] std::size_t operator()(const net::IpAddress& address) const noexcept {
            return hash(as_text(address.bytes));
        }
    };

    void make_room(Instant now);

    std::mutex mutex_;
    std::unordered_map<net::IpAddress, Instant, Hash> full_at_;  // When its bucket will be full; most are.
};

}  // namespace chappe::access
