// What goes into the Journal, and what waits for it.

#include <utility>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::ReasonCode;

void Shard::keep(Session& session) {
    if (!journal_.on()) return;
    if (session.expiry_interval_seconds != 0) {
        session.kept = true;
        journal_.write(record::SessionKept{.session = session.id,
                                           .client_id = session.client_id,
                                           .user_name = session.identity.user_name,
                                           .is_operator = session.identity.is_operator,
                                           .attributes = session.identity.attributes.get(),
                                           .expiry_interval_seconds = session.expiry_interval_seconds,
                                           .ends_at = session.ends_at});
    } else if (std::exchange(session.kept, false)) {
        journal_.write(record::SessionEnded{session.id});
    }
}

void Shard::keep_will(const Session& session) {
    if (!session.kept) return;
    journal_.write(record::WillKept{.session = session.id, .will = session.will.get(), .due_at = session.will_due_at});
}

std::unique_ptr<StoredWill> Shard::take_will(Session& session) {
    session.will_due_at.reset();
    auto will = std::exchange(session.will, nullptr);
    if (will && session.kept) journal_.write(record::WillGone{session.id});
    return will;
}

void Shard::receive_publication(const mail::Publication& publication, Instant now) {
    const auto written_before = journal_.written();
    const bool rejected = deliver(publication.message, publication.matches->of(publication.range), now);
    if (publication.token.pending.value == 0) return;
    if (journal_.written() == written_before) return answer(publication.token, rejected, false, now);
    awaited_commits_.push_back({.batch = journal_.last_batch(), .token = publication.token, .rejected = rejected});
}

void Shard::answer(PublishToken token, bool rejected, bool lost, Instant now) {
    const mail::Receipt receipt{.pending = token.pending, .rejected = rejected, .lost = lost};
    if (token.shard == id_) return receive_receipt(receipt, now);
    post(token.shard, receipt);
}

void Shard::committed(JournalBatch batch, bool written, Instant now) {
    journal_.committed(batch);
    while (!awaited_commits_.empty() && awaited_commits_.front().batch <= batch) {
        const auto awaited = awaited_commits_.pop_front();
        if (awaited.token.pending.value != 0) answer(awaited.token, awaited.rejected, !written, now);
    }
    while (const auto released = journal_.next_released()) {
        auto* connection = connections_.find(*released);
        if (connection == nullptr) continue;
        if (written) {
            connection->committed(batch);
        } else {  // What it was about to be told is not so.
            close(*connection, ReasonCode::QuotaExceeded, "the session could not be written to disk", now);
            actions_.push_back(action::Abort{*released});
        }
    }
}

}  // namespace chappe::broker
