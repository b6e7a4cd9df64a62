#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "apps/chappe/clients/options.h"
#include "client/client.h"
#include "net/event_loop.h"
#include "net/signal_watch.h"
#include "net/worker_pool.h"

namespace chappe::app {

// What pub, sub and request have in common at work: a client on a loop of its own, signals, the time limit, and what is
// said on standard error. A command derives from it, does its part in the on_... functions, and calls finish().
class ClientRun {
public:
    ClientRun(std::string_view command, ClientSetup setup);
    ClientRun(const ClientRun&) = delete;
    ClientRun& operator=(const ClientRun&) = delete;
    virtual ~ClientRun() = default;

    // Connects, works until finish(), and returns the exit code.
    [[nodiscard]] int run();

protected:
    // The connection is there; `first` is false when it was made again.
    virtual void on_connected(const mqtt::ConnAck& packet, bool first) = 0;
    virtual void on_message(const client::event::Message&) {}
    virtual void on_published(const client::event::Published&) {}
    virtual void on_subscribed(const client::event::Subscribed&) {}
    virtual void on_unsubscribed(const client::event::Unsubscribed&) {}
    virtual void on_drained() {}
    virtual void on_connection_lost() {}
    virtual void on_round_end() {}
    // The exit code when a signal ends the work.
    [[nodiscard]] virtual int interrupted(int signal) { return exit_signal + signal; }
    // The connection is closed, and the work is over: the place for a last word. Returns the exit code.
    [[nodiscard]] virtual int on_end(int exit_code) { return exit_code; }

    // Sends DISCONNECT and ends run() with this exit code. The first call counts.
    void finish(int exit_code);
    [[nodiscard]] bool finishing() const noexcept { return exit_code_.has_value(); }

    [[nodiscard]] client::Client& client() noexcept { return *client_; }
    [[nodiscard]] net::EventLoop& loop() noexcept { return *loop_; }
    [[nodiscard]] const ClientSetup& setup() const noexcept { return setup_; }
    // A line on standard error, with the name of the command before it, unless --quiet.
    void say(const std::string& line) const;
    void debug(const std::string& line) const;  // With -d.

private:
    [[nodiscard]] bool prepare();
    [[nodiscard]] client::Callbacks callbacks();
    void connected(const mqtt::ConnAck& packet);
    void disconnected(const client::Disconnection& disconnection, std::optional<Duration> retry_in);
    void on_signal(int signal);
    [[nodiscard]] mqtt::Disconnect farewell() const;

    std::string command_;
    ClientSetup setup_;
    std::unique_ptr<net::EventLoop> loop_;
    std::unique_ptr<net::SignalWatch> signals_;
    std::optional<net::WorkerPool> pool_;
    std::unique_ptr<client::Client> client_;
    std::optional<net::Timer> time_limit_;
    bool was_connected_ = false;
    bool interrupted_ = false;
    std::optional<int> exit_code_;
};

}  // namespace chappe::app
