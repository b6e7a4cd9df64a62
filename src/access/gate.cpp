#include "access/gate.h"

#include <chrono>
#include <utility>
#include <variant>

namespace chappe::access {

using broker::Verdict;
using mqtt::ReasonCode;

Gate::Gate(const Current& current, broker::Authenticator& inner, std::uint64_t seed)
    : current_(current), inner_(inner), connections_(seed), connects_(seed), lines_(seed) {}

void Gate::configure(std::uint32_t connects_per_minute, std::vector<net::Network> trusted_proxies) {
    connects_per_minute_ = connects_per_minute;
    const std::scoped_lock lock(mutex_);
    trusted_proxies_ = std::move(trusted_proxies);
}

bool Gate::is_counted(const net::IpAddress& address) const {
    if (address.is_loopback()) return false;
    const std::scoped_lock lock(mutex_);
    return !net::any_contains(trusted_proxies_, address);
}

std::optional<Gate::Closed> Gate::enter(const net::Endpoint& from, Instant now, WallTime today) {
    const auto* ip = std::get_if<net::IpEndpoint>(&from);
    if (ip == nullptr) return std::nullopt;
    if (auto ban = current_.get().banned(ip->address, today)) {
        banned_.fetch_add(1, std::memory_order_relaxed);
        return closed(ReasonCode::Banned, *std::move(ban), ip->address, now);
    }
    const auto per_minute = connects_per_minute_.load(std::memory_order_relaxed);
    if (per_minute == 0 || !is_counted(ip->address)) return std::nullopt;
    if (!connections_.take(ip->address, per_minute * connections_for_each_connect, now)) return std::nullopt;
    too_many_.fetch_add(1, std::memory_order_relaxed);
    return closed(ReasonCode::ConnectionRateExceeded,
                  "the address opens far more connections than address_connects_per_minute_max", ip->address, now);
}

Gate::Closed Gate::closed(ReasonCode code, std::string why, const net::IpAddress& address, Instant now) {
    return {.code = code, .why = std::move(why), .is_worth_a_line = !lines_.take(address, 1, now)};
}

std::optional<Verdict> Gate::authenticate(const broker::Login& login, broker::Ticket ticket) {
    const auto per_minute = connects_per_minute_.load(std::memory_order_relaxed);
    const auto address = net::IpAddress::parse(net::without_port(login.peer.address));
    if (per_minute == 0 || !address || !is_counted(*address)) return inner_.authenticate(login, ticket);
    const auto wait = connects_.take(*address, per_minute, std::chrono::steady_clock::now());
    if (!wait) return inner_.authenticate(login, ticket);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    return Verdict{.code = ReasonCode::ConnectionRateExceeded,
                   .reason = "too many clients connect from this address; try again in " + std::to_string(seconds) +
                             " s, or later",
                   .detail = "the address has reached address_connects_per_minute_max",
                   .user_name = std::string(login.user_name.value_or(""))};
}

std::optional<Verdict> Gate::proceed(const broker::Continuation& said, broker::Ticket ticket) {
    return inner_.proceed(said, ticket);
}

}  // namespace chappe::access
