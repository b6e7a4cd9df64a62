#pragma once

// A broker connection and the stream that carries it. Owned by its shard's thread.

#include <atomic>
#include <memory>
#include <string_view>
#include <vector>

#include "base/replaceable.h"
#include "broker/shard.h"
#include "net/network.h"
#include "net/stream.h"
#include "tls/context.h"
#include "web/upgrade.h"

namespace chappe::server {

class ShardThread;

// What a listener counts of its connections, and what holds for new ones; shared with them, since they may outlive it.
struct ListenerAccount {
    std::atomic<std::uint32_t> connections = 0;
    std::atomic<std::uint32_t> connections_max = 0;  // 0: no bound of its own.
    std::atomic<std::uint64_t> refused = 0;          // For this bound.
    std::atomic<bool> anonymous_allowed = false;
    // Who may connect, with a PROXY header; null: everybody, without one.
    Replaceable<std::vector<net::Network>> proxies;
    Replaceable<tls::ServerContext> tls;  // Null: it does not speak TLS.
    Replaceable<web::Rules> web;          // Null: MQTT is all that it speaks.
    bool is_control = false;
};

class Link final : public net::Handler {
public:
    Link(ShardThread& thread, std::unique_ptr<net::Stream> stream, std::shared_ptr<ListenerAccount> account);
    ~Link() override;

    [[nodiscard]] broker::ConnectionId id() const noexcept { return id_; }
    // Starts to read and write for this connection.
    [[nodiscard]] net::Result<void> attach(broker::ConnectionId id);
    void on_ready(net::Readiness readiness) override;

    void write();
    // Reading had stopped because the shard did not want more.
    void read_again();
    // The last bytes are sent in the background; this side is done with.
    void close();
    void abort();
    // The server stops.
    void going_away() noexcept;
    // Ends the link; stream and account go to another thread.
    [[nodiscard]] std::unique_ptr<net::Stream> release_stream();
    [[nodiscard]] const std::shared_ptr<ListenerAccount>& account() const noexcept { return account_; }

private:
    void read();
    void identify();
    void end(std::string_view why);
    void fail(const net::IoError& error);

    ShardThread& thread_;
    broker::ConnectionId id_;
    std::unique_ptr<net::Stream> stream_;
    std::shared_ptr<ListenerAccount> account_;
    bool writable_ = true;
    bool identified_ = false;    // The shard knows all that the stream finds out about the client.
    bool read_stopped_ = false;  // The socket has more, or may have; the shard did not want it.
};

}  // namespace chappe::server
