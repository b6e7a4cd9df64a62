#include "broker/flapping_clients.h"

namespace chappe::broker {

std::optional<Duration> FlappingClients::wait(std::uint64_t client, Instant now) const {
    const auto found = entries_.find(client);
    if (found == entries_.end() || found->second.until <= now) return std::nullopt;
    return found->second.until - now;
}

bool FlappingClients::connected(std::uint64_t client, std::uint32_t most, Duration wait, Instant now) {
    if (entries_.size() >= entries_max) make_room(now);
    auto& entry = entries_[client];
    const bool was_kept_out = entry.until != Instant() && entry.until <= now;
    if (entry.count == 0 || was_kept_out || now - entry.since > window) entry = {.since = now, .until = {}};
    if (++entry.count < most) return false;
    entry.until = now + wait;
    return true;
}

void FlappingClients::left(std::uint64_t client) {
    const auto found = entries_.find(client);
    if (found == entries_.end()) return;
    found->second.until = {};
    if (--found->second.count == 0) entries_.erase(found);
}

// Those that count no more go first; where that does not help, there are very many, and all go.
void FlappingClients::make_room(Instant now) {
    std::erase_if(entries_,
                  [&](const auto& entry) { return entry.second.until <= now && now - entry.second.since > window; });
    if (entries_.size() > entries_max / 2) entries_.clear();
}

}  // namespace chappe::broker
