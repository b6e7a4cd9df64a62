#pragma once

// One shard on a thread of its own: an event loop around a broker::Shard. It carries bytes between streams and the
// shard, and does what the shard's actions ask.

#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "broker/shard.h"
#include "net/event_loop.h"
#include "net/lingering_close.h"
#include "server/handshake_pace.h"
#include "server/link.h"
#include "server/logger.h"

namespace chappe::server {

class ShardThread {
public:
    // `others` are all shard threads by shard id, this one among them; filled before the first start().
    [[nodiscard]] static net::Result<std::unique_ptr<ShardThread>> create(
        broker::ShardId id, broker::Commons& commons, const broker::ShardConfig& config, std::uint64_t seed,
        const std::vector<std::unique_ptr<ShardThread>>& others);
    ~ShardThread();
    ShardThread(const ShardThread&) = delete;
    ShardThread& operator=(const ShardThread&) = delete;

    void start();
    // Ends the loop after its current round and waits for the thread. What is connected is closed.
    void stop();

    [[nodiscard]] net::EventLoop& loop() noexcept { return *loop_; }

    // --- From any thread.
    // Runs the function on the shard's thread.
    void with_shard(std::move_only_function<void(broker::Shard&, Instant now)> function);
    // Runs the function once this shard has read what was in its mailbox and posted what followed from that. `quiet`:
    // it has had no mail since the last time it was asked this.
    void when_mail_is_read(std::move_only_function<void(bool quiet)> function);
    // Runs the function once no connection is left and the last bytes of all have been sent.
    void when_drained(net::Callback callback);
    // From now on connections that end are told that the server stops.
    void going_away();
    void wake() noexcept { loop_->wake(); }
    [[nodiscard]] const broker::Counters& counters() const noexcept { return shard_.counters(); }

    // --- On the shard's thread.
    void accept(std::unique_ptr<net::Stream> stream, broker::Peer peer, std::shared_ptr<ListenerAccount> account);
    [[nodiscard]] broker::Shard& shard() noexcept { return shard_; }
    [[nodiscard]] net::LingeringClose& lingering() noexcept { return *lingering_; }
    [[nodiscard]] HandshakePace& handshakes() noexcept { return *handshakes_; }
    // Ends a link whose stream is closed or handed on. The link destroys nothing itself.
    void remove(broker::ConnectionId id);

private:
    ShardThread(std::unique_ptr<net::EventLoop> loop, broker::ShardId id, broker::Commons& commons,
                const broker::ShardConfig& config, std::uint64_t seed,
                const std::vector<std::unique_ptr<ShardThread>>& others);

    void finish_round();
    void perform(const broker::Action& action);
    void hand_over(broker::ConnectionId id, broker::ShardId to);
    void adopt(std::unique_ptr<net::Stream> stream, broker::HandedOver handed_over,
               std::shared_ptr<ListenerAccount> account);
    void add(broker::ConnectionId id, std::unique_ptr<Link> link);
    [[nodiscard]] Link* link_of(broker::ConnectionId id) noexcept;

    std::unique_ptr<net::EventLoop> loop_;
    const std::vector<std::unique_ptr<ShardThread>>& others_;
    broker::Shard shard_;
    std::unique_ptr<net::LingeringClose> lingering_;
    std::unique_ptr<HandshakePace> handshakes_;
    std::vector<std::unique_ptr<Link>> links_;  // By the slot of their ConnectionId.
    std::vector<std::unique_ptr<Link>> ended_;  // Destroyed when the round ends.
    net::Callback drained_;
    bool has_had_mail_ = true;
    bool going_away_ = false;
    std::thread thread_;
};

}  // namespace chappe::server
