#pragma once

// Makes an outgoing connection: looks the name up on the WorkerPool, tries each address in turn, and hands over a
// Stream.

#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "net/url.h"
#include "net/worker_pool.h"

namespace chappe::net {

struct DialOptions {
    Duration time_limit = 30s;          // For all of it, name resolution included.
    Duration address_time_limit = 10s;  // For each address, while others are left to try.
    Resolver resolver = resolve;
};

// One connection at a time. Destroying the dialer cancels.
class Dialer final : private Handler {
public:
    using OnDialed = std::move_only_function<void(Result<std::unique_ptr<Stream>>)>;

    Dialer(EventLoop& loop, WorkerPool& pool);
    ~Dialer() override = default;

    // Calls back once, on the loop's thread and not before dial() has returned, with a stream that is not attached yet
    // or with an error that names every address tried and why it failed. The callback may dial again or destroy the
    // dialer. Must not be called while dialing().
    void dial(const Url& url, OnDialed on_dialed, const DialOptions& options = {});

    // The callback will not come.
    void cancel() noexcept;
    [[nodiscard]] bool dialing() const noexcept { return on_dialed_ != nullptr; }

private:
    struct LookUp {};

    void on_ready(Readiness readiness) override;
    [[nodiscard]] bool was_looked_up() const;
    void look_up();
    void on_looked_up(Result<std::vector<IpAddress>> addresses);
    void try_addresses();
    [[nodiscard]] std::expected<void, int> open_socket();
    [[nodiscard]] std::expected<void, int> connect();
    [[nodiscard]] std::expected<void, int> wait_for_connection();
    [[nodiscard]] std::expected<void, int> hand_over();
    void on_connect_ended();
    void on_timer();
    void address_failed(int code);
    void add_failure(int code, std::string_view text);
    void finish(Result<std::unique_ptr<Stream>> outcome);

    EventLoop& loop_;
    WorkerPool& pool_;
    Timer timer_;
    OnDialed on_dialed_;  // Set while dialing.
    Url url_;
    DialOptions options_;
    Instant give_up_at_{};
    Instant address_limit_at_{};
    std::vector<Endpoint> endpoints_;
    std::size_t current_ = 0;          // The one being tried.
    std::string failures_;             // "ADDRESS: reason; ..." of those that were tried.
    int last_code_ = 0;                // The errno value of the last of these.
    std::shared_ptr<LookUp> look_up_;  // Set while the name is looked up; what ends after it has gone is ignored.
    FileDescriptor socket_;
    Watch watch_;
};

}  // namespace chappe::net
