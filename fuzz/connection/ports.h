#pragma once

// What stands around the shards in a server, as a fuzzer wants it: an Authenticator that may take its time, Permissions
// that can be told from the topic, a Journal that commits when it is told to and finds fault with what it is told, and
// an EventLog that reads all it is given.

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/journal.h"
#include "broker/ports.h"

namespace chappe::fuzz {

// The client says how it is to be answered, by the first letter of its user name or, with enhanced authentication, of
// its authentication data: 'n' for no, 'l' for later, 'c' for one more step, 'o' for yes, as another user; everything
// else for yes.
class FuzzAuthenticator : public broker::Authenticator {
public:
    std::optional<broker::Verdict> authenticate(const broker::Login& login, broker::Ticket ticket) override;
    std::optional<broker::Verdict> proceed(const broker::Continuation& said, broker::Ticket ticket) override;
    void abandon(broker::Ticket ticket) override;

    struct Waiting {
        broker::Ticket ticket;
        bool enhanced = false;
    };
    [[nodiscard]] bool somebody_waits() const noexcept { return !waiting_.empty(); }
    // Who has waited longest for an answer, and no longer does.
    [[nodiscard]] std::optional<Waiting> take_waiting();

    // One more step is for those who have a method of authentication.
    [[nodiscard]] static broker::Verdict verdict(char letter, bool enhanced);

private:
    std::optional<broker::Verdict> answer(char letter, Waiting asked);

    std::deque<Waiting> waiting_;
};

// The first level of a topic says what is not allowed, while anything is restricted.
class FuzzPermissions : public broker::Permissions {
public:
    explicit FuzzPermissions(bool restricted) : restricted_(restricted) {}

    broker::Decision decide(const broker::Question& question) const override {
        if (allows(question.access, question.topic)) return {};
        return {.allowed = false, .reason = "the fuzzer does not allow it"};
    }
    bool restricts_receiving() const noexcept override { return restricted_; }

    [[nodiscard]] bool allows(broker::Access access, std::string_view topic) const noexcept;

private:
    bool restricted_;
};

// Keeps the books of what is kept: who is told of a thing that the Journal does not know, or knows already, has lost
// count.
class FuzzJournal : public broker::Journal {
public:
    void write(broker::ShardId shard, const broker::Record& record) override;
    void commit(broker::ShardId shard, broker::JournalBatch batch) override;

    [[nodiscard]] bool has_open(broker::ShardId shard) const noexcept { return !open_[shard.value].empty(); }
    [[nodiscard]] bool has_open() const noexcept { return !open_[0].empty() || !open_[1].empty(); }
    // The shard's oldest batch that has not been committed.
    [[nodiscard]] broker::JournalBatch take_open(broker::ShardId shard);
    [[nodiscard]] std::size_t kept_sessions() const noexcept { return sessions_.size(); }

private:
    enum class Owed : std::uint8_t { Queued, Sent, Released };

    struct KeptSession {
        std::set<std::string, std::less<>> subscriptions;
        std::map<broker::DeliveryNumber, Owed> owed;
        std::set<mqtt::PacketId> received;
        bool will = false;
    };
    using Key = std::pair<broker::ShardId, broker::SessionId>;

    [[nodiscard]] KeptSession& session(broker::ShardId shard, broker::SessionId id);
    void apply(broker::ShardId shard, const broker::record::SessionKept& kept);
    void apply(broker::ShardId shard, const broker::record::SessionEnded& ended);
    void apply(broker::ShardId shard, const broker::record::WillKept& kept);
    void apply(broker::ShardId shard, const broker::record::WillGone& gone);
    void apply(broker::ShardId shard, const broker::record::SubscriptionKept& kept);
    void apply(broker::ShardId shard, const broker::record::SubscriptionRemoved& removed);
    void apply(broker::ShardId shard, const broker::record::MessageOwed& owed);
    void apply(broker::ShardId shard, const broker::record::MessageSent& sent);
    void apply(broker::ShardId shard, const broker::record::MessageReleased& released);
    void apply(broker::ShardId shard, const broker::record::MessageDone& done);
    void apply(broker::ShardId shard, const broker::record::PacketReceived& received);
    void apply(broker::ShardId shard, const broker::record::PacketReleased& released);
    void apply(broker::ShardId shard, const broker::record::Retained& retained);

    std::map<Key, KeptSession> sessions_;
    std::array<std::deque<broker::JournalBatch>, 2> open_;
    std::array<broker::JournalBatch, 2> last_batch_{};
    std::array<broker::DeliveryNumber, 2> last_number_{};
};

class FuzzEventLog : public broker::EventLog {
public:
    void record(const broker::Event& event) override;

private:
    std::size_t checksum_ = 0;
};

}  // namespace chappe::fuzz
