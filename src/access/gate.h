#pragma once

// Who may come as far as to say who it is. Before a connection is read from, its address is looked at: one that is
// banned costs no TLS handshake then. With CONNECT it is counted, and who comes too often is told so.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "access/address_rate.h"
#include "access/current.h"
#include "base/time.h"
#include "broker/ports.h"
#include "net/endpoint.h"
#include "net/network.h"

namespace chappe::access {

// Thread-safe. Addresses of this machine, Unix sockets and trusted proxies are not counted, but can be banned.
class Gate final : public broker::Authenticator {
public:
    // Asks `inner` for those who come through. `current` and `inner` outlive it.
    Gate(const Current& current, broker::Authenticator& inner, std::uint64_t seed);

    // `connects_per_minute` is of one address; 0: no bound.
    void configure(std::uint32_t connects_per_minute, std::vector<net::Network> trusted_proxies);

    // Why a connection is to be closed at once.
    struct Closed {
        mqtt::ReasonCode code;
        std::string why;
        bool is_worth_a_line;  // For the log: not more than once a minute for each address.
    };

    // A connection has been opened by `from`, or by a proxy for it. Nothing: it may go on.
    [[nodiscard]] std::optional<Closed> enter(const net::Endpoint& from, Instant now, WallTime today);

    [[nodiscard]] std::uint64_t banned() const noexcept { return banned_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t too_many() const noexcept { return too_many_.load(std::memory_order_relaxed); }

    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login& login,
                                                              broker::Ticket ticket) override;
    [[nodiscard]] std::optional<broker::Verdict> proceed(const broker::Continuation& said,
                                                         broker::Ticket ticket) override;
    void abandon(broker::Ticket ticket) override { inner_.abandon(ticket); }

private:
    [[nodiscard]] bool is_counted(const net::IpAddress& address) const;
    [[nodiscard]] Closed closed(mqtt::ReasonCode code, std::string why, const net::IpAddress& address, Instant now);

    // Each connection has a CONNECT, or none. So many again may be opened that clients can be told why they are
    // refused; the rest is not worth a TLS handshake.
    static constexpr std::uint32_t connections_for_each_connect = 2;

    const Current& current_;
    broker::Authenticator& inner_;
    std::atomic<std::uint32_t> connects_per_minute_ = 0;
    mutable std::mutex mutex_;
    std::vector<net::Network> trusted_proxies_;  // Guarded by it.
    AddressRate connections_;
    AddressRate connects_;
    AddressRate lines_;
    std::atomic<std::uint64_t> banned_ = 0;
    std::atomic<std::uint64_t> too_many_ = 0;
};

}  // namespace chappe::access
