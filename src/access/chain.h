#pragma once

// Who a client is: the configured methods are asked one after the other, until one knows it. What takes long is done on
// other threads, and the answer brought back to the client's shard.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/current.h"
#include "access/login_failures.h"
#include "access/method.h"
#include "access/scram_login.h"
#include "broker/ports.h"
#include "net/event_loop.h"
#include "net/worker_pool.h"

namespace chappe::access {

using Methods = std::vector<std::shared_ptr<const Method>>;

class Chain final : public broker::Authenticator {
public:
    // What the Chain needs of the shards.
    struct Shards {
        std::function<net::EventLoop&(broker::ShardId)> loop;
        // Hands the verdict to the shard; on its thread.
        std::function<void(broker::Ticket, const broker::Verdict&)> answer;
    };

    struct Options {
        // Of clients that wait for methods that compute, and of those that wait for other servers; more hear
        // ServerBusy.
        std::size_t waiting_max;
        std::uint64_t seed;
        crypto::Secret scram_secret;  // For crypto::fake_scram_keys().
    };

    // `current` outlives it; the loops of the shards have been stopped before it goes.
    Chain(const Current& current, Methods methods, Options options, Shards shards);
    ~Chain() override;

    // For the clients that come from now on. From any thread.
    void replace(Methods methods);
    void slow_down_guessing(const LoginFailures::Rules& rules) { failures_.configure(rules); }

    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login& login,
                                                              broker::Ticket ticket) override;
    [[nodiscard]] std::optional<broker::Verdict> proceed(const broker::Continuation& said,
                                                         broker::Ticket ticket) override;
    void abandon(broker::Ticket ticket) override;

private:
    struct Attempt;
    struct Conversation;
    // Names a connection by its shard and its number.
    using Key = std::pair<std::uint16_t, std::uint64_t>;

    [[nodiscard]] std::shared_ptr<Attempt> attempt_of(const broker::Peer& peer, std::string_view client_id,
                                                      broker::Ticket ticket) const;
    [[nodiscard]] broker::Verdict converse(std::shared_ptr<Attempt> attempt, std::string_view method,
                                           std::string_view client_first);
    [[nodiscard]] broker::Verdict conclude(broker::Ticket ticket, std::string_view client_final);
    [[nodiscard]] broker::Verdict refuse_scram(const Attempt& attempt, const Refused& refused);
    [[nodiscard]] std::optional<broker::Verdict> ask(const std::shared_ptr<Attempt>& attempt);
    [[nodiscard]] std::optional<broker::Verdict> hear(Attempt& attempt, const Method& method, Outcome outcome);
    std::shared_ptr<Attempt> take_back(broker::Ticket ticket);
    // So that a server that does not answer keeps nobody out whom it is not asked about.
    [[nodiscard]] std::size_t& count_of(Effort effort) noexcept {
        return effort == Effort::Computes ? computed_for_ : waiting_for_others_;
    }
    [[nodiscard]] bool ask_elsewhere(const std::shared_ptr<Attempt>& attempt, Effort effort);
    [[nodiscard]] std::optional<broker::Verdict> hear_from_elsewhere(const std::shared_ptr<Attempt>& attempt,
                                                                     const Method& method, Outcome outcome);
    void note(const Attempt& attempt, const Refused& refused);
    [[nodiscard]] broker::Verdict accept(const Attempt& attempt, std::string_view method, Accepted accepted) const;
    [[nodiscard]] broker::Verdict nobody_knows(const Attempt& attempt);
    [[nodiscard]] std::optional<broker::Verdict> kept_out(const Attempt& attempt);
    [[nodiscard]] std::optional<broker::Verdict> banned(const Attempt& attempt, std::string_view user_name) const;
    [[nodiscard]] static broker::Verdict refuse(const Attempt& attempt, mqtt::ReasonCode code,
                                                std::string_view to_client, std::string why);

    const Current& current_;
    const Options options_;
    LoginFailures failures_;
    const Shards shards_;
    mutable std::mutex mutex_;  // Guards what follows.
    std::shared_ptr<const Methods> methods_;
    std::map<Key, std::shared_ptr<Attempt>> elsewhere_;
    std::size_t computed_for_ = 0;  // How many of them, and how many wait for another server.
    std::size_t waiting_for_others_ = 0;
    std::map<Key, Conversation> conversations_;  // Not more than one for each connection.
    net::WorkerPool computing_;
    net::WorkerPool waiting_;
};

}  // namespace chappe::access
