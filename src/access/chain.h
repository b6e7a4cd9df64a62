#pragma once

// Who a client is: the configured methods are asked one after the other, until one knows it. What takes long is done on
// other threads, and the answer brought back to the client's shard.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/current.h"
#include "access/login_failures.h"
#include "access/method.h"
#include "broker/ports.h"
#include "net/event_loop.h"
#include "net/worker_pool.h"

namespace chappe::access {

using Methods = std::vector<std::shared_ptr<const Method>>;

// A login that has been decided, for the audit log. The views hold during the call only.
struct LoginReport {
    bool accepted;
    std::string_view method;  // Which has decided; "anonymous"; empty: none.
    std::string_view user_name;
    std::string_view client_id;
    std::string_view address;
    std::string_view why;
};

class Chain final : public broker::Authenticator {
public:
    // What the Chain needs of the shards.
    struct Shards {
        std::function<net::EventLoop&(broker::ShardId)> loop;
        // Hands the verdict to the shard; on its thread.
        std::function<void(broker::Ticket, const broker::Verdict&)> answer;
    };
    using Report = std::function<void(const LoginReport&)>;  // Called on the shards' threads.

    // `current` outlives it; the loops of the shards have been stopped before it goes.
    Chain(const Current& current, Methods methods, std::uint64_t seed, Shards shards, Report report);
    ~Chain() override;

    // For the clients that come from now on. From any thread.
    void replace(Methods methods);

    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login& login,
                                                              broker::Ticket ticket) override;
    [[nodiscard]] std::optional<broker::Verdict> proceed(const mqtt::Auth& auth, broker::Ticket ticket) override;
    void abandon(broker::Ticket) override {}

private:
    struct Attempt;

    [[nodiscard]] std::optional<broker::Verdict> ask(const std::shared_ptr<Attempt>& attempt);
    [[nodiscard]] std::optional<broker::Verdict> hear(Attempt& attempt, const Method& method, Outcome outcome);
    [[nodiscard]] bool ask_elsewhere(const std::shared_ptr<Attempt>& attempt, Effort effort);
    [[nodiscard]] broker::Verdict accept(const Attempt& attempt, std::string_view method, Accepted accepted);
    [[nodiscard]] broker::Verdict nobody_knows(const Attempt& attempt);
    [[nodiscard]] broker::Verdict refuse(const Attempt& attempt, mqtt::ReasonCode code, std::string_view to_client,
                                         std::string why);
    [[nodiscard]] std::optional<broker::Verdict> kept_out(const Attempt& attempt);

    const Current& current_;
    std::atomic<std::shared_ptr<const Methods>> methods_;
    LoginFailures failures_;
    const Shards shards_;
    const Report report_;
    net::WorkerPool computing_;
    net::WorkerPool waiting_;
};

}  // namespace chappe::access
