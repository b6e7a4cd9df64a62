#include "fuzz/connection/ports.h"

#include <algorithm>

#include "base/assert.h"
#include "broker/delivery.h"
#include "broker/session.h"

namespace chappe::fuzz {

using broker::Access;
using broker::ShardId;
using broker::Verdict;
using mqtt::ReasonCode;

namespace {

char first_letter(std::string_view text) noexcept { return text.empty() ? 'y' : text.front(); }

}  // namespace

std::optional<Verdict> FuzzAuthenticator::authenticate(const broker::Login& login, broker::Ticket ticket) {
    if (login.authentication_method) {
        return answer(first_letter(as_text(login.authentication_data.value_or(Bytes()))), {ticket, true});
    }
    return answer(first_letter(login.user_name.value_or("")), {ticket, false});
}

std::optional<Verdict> FuzzAuthenticator::proceed(const broker::Continuation& said, broker::Ticket ticket) {
    return answer(first_letter(as_text(said.auth.authentication_data.value_or(Bytes()))), {ticket, true});
}

void FuzzAuthenticator::abandon(broker::Ticket ticket) {
    std::erase_if(waiting_, [ticket](const Waiting& one) { return one.ticket == ticket; });
}

std::optional<FuzzAuthenticator::Waiting> FuzzAuthenticator::take_waiting() {
    if (waiting_.empty()) return std::nullopt;
    const auto first = waiting_.front();
    waiting_.pop_front();
    return first;
}

std::optional<Verdict> FuzzAuthenticator::answer(char letter, Waiting asked) {
    if (letter != 'l') return verdict(letter, asked.enhanced);
    ASSERT(std::ranges::find(waiting_, asked.ticket, &Waiting::ticket) == waiting_.end());  // One question at a time.
    waiting_.push_back(asked);
    return std::nullopt;
}

Verdict FuzzAuthenticator::verdict(char letter, bool enhanced) {
    if (letter == 'n') return {.code = ReasonCode::NotAuthorized, .reason = "the fuzzer does not let you in"};
    if (letter != 'c' || !enhanced) return {.user_name = letter == 'o' ? "other" : "user"};
    return {.code = ReasonCode::ContinueAuthentication, .authentication_data = "what more?"};
}

bool FuzzPermissions::allows(Access access, std::string_view topic) const noexcept {
    if (!restricted_) return true;
    switch (access) {
        case Access::Publish:
            return !topic.starts_with("p/");
        case Access::Subscribe:
            return !topic.starts_with("s/");
        case Access::Receive:
            return !topic.starts_with("r/");
    }
    return true;
}

void FuzzJournal::write(ShardId shard, const broker::Record& record) {
    std::visit([&](const auto& kind) { apply(shard, kind); }, record);
}

void FuzzJournal::commit(ShardId shard, broker::JournalBatch batch) {
    ASSERT(batch == ++last_batch_[shard.value]);
    open_[shard.value].push_back(batch);
}

broker::JournalBatch FuzzJournal::take_open(ShardId shard) {
    const auto batch = open_[shard.value].front();
    open_[shard.value].pop_front();
    return batch;
}

FuzzJournal::KeptSession& FuzzJournal::session(ShardId shard, broker::SessionId id) {
    const auto found = sessions_.find({shard, id});
    ASSERT(found != sessions_.end());
    return found->second;
}

void FuzzJournal::apply(ShardId shard, const broker::record::SessionKept& kept) {
    ASSERT(!kept.client_id.empty() && kept.expiry_interval_seconds != 0);
    sessions_.try_emplace({shard, kept.session});
}

void FuzzJournal::apply(ShardId shard, const broker::record::SessionEnded& ended) {
    ASSERT(sessions_.erase({shard, ended.session}) == 1);
}

void FuzzJournal::apply(ShardId shard, const broker::record::WillKept& kept) {
    ASSERT(kept.will != nullptr);
    session(shard, kept.session).will = true;
}

void FuzzJournal::apply(ShardId shard, const broker::record::WillGone& gone) {
    ASSERT(std::exchange(session(shard, gone.session).will, false));
}

void FuzzJournal::apply(ShardId shard, const broker::record::SubscriptionKept& kept) {
    session(shard, kept.session).subscriptions.insert(kept.subscription->filter.text());
}

void FuzzJournal::apply(ShardId shard, const broker::record::SubscriptionRemoved& removed) {
    ASSERT(session(shard, removed.session).subscriptions.erase(std::string(removed.filter)) == 1);
}

void FuzzJournal::apply(ShardId shard, const broker::record::MessageOwed& owed) {
    ASSERT(owed.number > std::exchange(last_number_[shard.value], owed.number));
    ASSERT(owed.delivery != nullptr && owed.delivery->message);
    session(shard, owed.session).owed.emplace(owed.number, Owed::Queued);
}

void FuzzJournal::apply(ShardId shard, const broker::record::MessageSent& sent) {
    auto& owed = session(shard, sent.session).owed;
    ASSERT(sent.packet_id.value != 0 && owed.contains(sent.number));
    ASSERT(std::exchange(owed[sent.number], Owed::Sent) == Owed::Queued);
}

void FuzzJournal::apply(ShardId shard, const broker::record::MessageReleased& released) {
    auto& owed = session(shard, released.session).owed;
    ASSERT(owed.contains(released.number));
    ASSERT(std::exchange(owed[released.number], Owed::Released) == Owed::Sent);
}

void FuzzJournal::apply(ShardId shard, const broker::record::MessageDone& done) {
    ASSERT(session(shard, done.session).owed.erase(done.number) == 1);
}

void FuzzJournal::apply(ShardId shard, const broker::record::PacketReceived& received) {
    ASSERT(session(shard, received.session).received.insert(received.packet_id).second);
}

void FuzzJournal::apply(ShardId shard, const broker::record::PacketReleased& released) {
    ASSERT(session(shard, released.session).received.erase(released.packet_id) == 1);
}

void FuzzJournal::apply(ShardId, const broker::record::Retained& retained) {
    ASSERT(retained.message && retained.message->retain());
}

void FuzzEventLog::record(const broker::Event& event) {
    for (const auto text : {event.client_id, event.address, event.topic, event.reason}) {
        for (const char letter : text) checksum_ = checksum_ * 31 + static_cast<unsigned char>(letter);
    }
}

}  // namespace chappe::fuzz
