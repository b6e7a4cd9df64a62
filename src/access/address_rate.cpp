#include "access/address_rate.h"

#include <algorithm>

namespace chappe::access {

// A token comes back every `each`, so the time until a bucket is full says how many it has.
std::optional<Duration> AddressRate::take(const net::IpAddress& address, std::uint32_t per_minute, Instant now) {
    const auto each = window / per_minute;
    const std::scoped_lock lock(mutex_);
    if (full_at_.size() >= entries_max) make_room(now);
    auto& full_at = full_at_[net::owner_of(address)];
    const auto next = std::max(full_at, now) + each;
    if (next - now > window) return next - now - window;
    full_at = next;
    return std::nullopt;
}

std::size_t AddressRate::size() {
    const std::scoped_lock lock(mutex_);
    return full_at_.size();
}

// Buckets that are full go first; where that does not help, somebody has very many addresses, and all go.
void AddressRate::make_room(Instant now) {
    std::erase_if(full_at_, [&](const auto& entry) { return entry.second <= now; });
    if (full_at_.size() > entries_max / 2) full_at_.clear();
}

}  // namespace chappe::access
