#include "access/login_failures.h"

#include <algorithm>
#include <utility>

#include "net/network.h"

namespace chappe::access {
namespace {

// An address has no NUL.
std::string key_of(std::string_view address, std::string_view name) {
    auto key = net::owner_of(address);
    key += '\0';
    key += name;
    return key;
}

}  // namespace

void LoginFailures::configure(const Rules& rules) {
    const std::scoped_lock lock(mutex_);
    rules_ = rules;
}

std::optional<Duration> LoginFailures::wait(std::string_view address, std::string_view name, Instant now) {
    const std::scoped_lock lock(mutex_);
    return std::max(wait_of(net::owner_of(address), now), wait_of(key_of(address, name), now));
}

void LoginFailures::failed(std::string_view address, std::string_view name, Instant now) {
    const std::scoped_lock lock(mutex_);
    count(net::owner_of(address), rules_.free_of_address(), now);
    count(key_of(address, name), rules_.free_of_name, now);
}

void LoginFailures::succeeded(std::string_view address, std::string_view name) {
    const std::scoped_lock lock(mutex_);
    entries_.erase(key_of(address, name));
}

std::size_t LoginFailures::size() {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

std::optional<Duration> LoginFailures::wait_of(const std::string& key, Instant now) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.until <= now) return std::nullopt;
    return found->second.until - now;
}

void LoginFailures::count(std::string key, std::uint32_t free, Instant now) {
    if (entries_.size() >= entries_max) make_room(now);
    auto& entry = entries_[std::move(key)];
    if (entry.count != 0 && now - entry.last > forgotten_after) entry = {};
    ++entry.count;
    entry.last = now;
    if (entry.count < free) return;
    const auto doublings = std::min<std::uint32_t>(entry.count - free, 16);
    entry.until = now + std::min<Duration>(first_wait * (1U << doublings), rules_.longest_wait);
}

// Those that count no more go first; where that does not help, somebody has very many addresses, and all go.
void LoginFailures::make_room(Instant now) {
    std::erase_if(entries_, [&](const auto& entry) {
        return now - entry.second.last > forgotten_after && entry.second.until <= now;
    });
    if (entries_.size() > entries_max / 2) entries_.clear();
}

}  // namespace chappe::access
