#include "broker/journal_writer.h"

namespace chappe::broker {

void JournalWriter::hold(Connection& connection) {
    const auto batch = last_batch();
    if (batch <= committed_) return;
    connection.output.hold(batch);
    const bool known = !held_.empty() && held_.back().batch == batch && held_.back().connection == connection.id;
    if (!known) held_.push_back({.batch = batch, .connection = connection.id});
}

void JournalWriter::commit() {
    if (written_ == closed_) return;
    closed_ = written_;
    journal_->commit(shard_, batch_++);
}

std::optional<ConnectionId> JournalWriter::next_released() {
    if (held_.empty() || held_.front().batch > committed_) return std::nullopt;
    return held_.pop_front().connection;
}

}  // namespace chappe::broker
