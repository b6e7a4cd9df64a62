#pragma once

// A broker of two shards and the network connections of a few clients, on virtual time and in one thread. What a
// server's threads do by themselves is done here step by step, when the fuzzer says so.

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "broker/commons.h"
#include "broker/shard.h"
#include "fuzz/connection/conversation.h"
#include "fuzz/connection/ports.h"

namespace chappe::fuzz {

enum class Journaling : std::uint8_t { None, AtOnce, WhenTold };

struct Setup {
    broker::Limits limits;
    broker::Policy policy;
    Journaling journaling = Journaling::None;
    bool restricted = false;
};

// A network connection, as both of its ends see it.
struct Link {
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    Link(std::size_t name, AskedByClient& clients, const FuzzPermissions& permissions, const Trace& trace)
        : conversation(name, clients, permissions, trace) {}

    broker::ShardId shard;
    broker::ConnectionId id;
    Conversation conversation;
    Buffer unread;                   // Sent by the client, and not yet read by the broker,
    std::size_t piece = unlimited;   // which reads at most so much at a time.
    std::size_t window = unlimited;  // How much the client still takes.
    bool open = true;                // The broker knows it.
    std::size_t closing_unsent = 0;  // The broker has nothing more to say than this, and then it is closed.
    bool closing = false;
    std::optional<broker::HandedOver> handed_over;  // On its way to `shard`.
};

class Broker {
public:
    static constexpr std::size_t links_max = 6;
    static constexpr std::uint16_t shard_count = 2;

    Broker(const Setup& setup, const Trace& trace);

    // --- The network. A link that is not there or not open ignores what happens to it.
    void open(std::size_t link, std::uint16_t shard);
    // Null where none has ever been opened.
    [[nodiscard]] Link* link(std::size_t index) noexcept { return links_[index].get(); }
    void cut(Link& link);
    // The client takes what it can of what the broker has to say.
    void write(Link& link);

    // --- Time, and all that goes on in it.
    // What one shard does in one round.
    void round(std::uint16_t shard);
    // Rounds, until nothing is left to do at this time.
    void settle();
    void advance(Duration time);

    // --- What comes from elsewhere.
    void authenticate(char letter);
    void commit(std::uint16_t shard, bool written);
    [[nodiscard]] broker::Shard& shard(std::size_t index) noexcept { return *shards_[index]; }
    [[nodiscard]] Instant now() const noexcept { return now_; }
    void publish(std::uint16_t shard, const broker::Message::Fields& fields);
    // At first only what comes before the clients are told, and then they are.
    void shut_down();
    void configure(const broker::Limits& limits, const broker::Policy& policy);

    // --- What must hold.
    void check_bounds();
    // Everybody reads and everything is committed: then nobody waits for anything.
    void catch_up();
    // All clients go, and what they leave ends; then the broker is as empty as at its start.
    void end_everything();

private:
    void read(Link& link);
    void begin_close(Link& link);
    void end(Link& link);
    void perform(broker::Shard& from, const broker::Action& action);
    void adopt(Link& link);
    [[nodiscard]] bool has_work(std::uint16_t shard) const;
    void answer_all();
    void check_caught_up(const Link& link);
    [[nodiscard]] std::uint64_t total(broker::Counter broker::Counters::* counter) const;

    Setup setup_;
    const Trace& trace_;
    broker::Limits bounds_;  // The widest that there have been.
    bool may_withdraw_ = false;
    bool shared_before_ = false;
    bool shutting_down_ = false;
    Instant now_{1h};
    AskedByClient asked_;
    FuzzAuthenticator authenticator_;
    FuzzPermissions permissions_;
    FuzzEventLog events_;
    FuzzJournal journal_;
    broker::Commons commons_;
    std::array<std::unique_ptr<broker::Shard>, shard_count> shards_;
    std::array<bool, shard_count> mail_{};
    std::array<std::unique_ptr<Link>, links_max> links_;
};

}  // namespace chappe::fuzz
