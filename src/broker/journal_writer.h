#pragma once

// One shard's access to the Journal: it numbers the batches, and knows which connections wait for one.

#include <cstdint>
#include <utility>

#include "base/ring.h"
#include "broker/connection.h"
#include "broker/journal.h"

namespace chappe::broker {

class JournalWriter {
public:
    JournalWriter(Journal* journal, ShardId shard) noexcept : journal_(journal), shard_(shard) {}

    [[nodiscard]] bool on() const noexcept { return journal_ != nullptr; }

    void write(const Record& record) {
        if (journal_ == nullptr) return;
        journal_->write(shard_, record);
        ++written_;
    }

    [[nodiscard]] DeliveryNumber next_number() noexcept { return ++numbers_; }

    // How many records there have been: to find out whether something wrote one.
    [[nodiscard]] std::uint64_t written() const noexcept { return written_; }
    // The batch of the last record.
    [[nodiscard]] JournalBatch last_batch() const noexcept { return written_ == closed_ ? batch_ - 1 : batch_; }

    // Holds what the connection sends from now on until all that has been written so far is permanent.
    void hold(Connection& connection);

    // Ends the batch, if anything is in it.
    void commit();

    // A batch has been committed, or could not be: takes connections that wait for it, one at a time.
    void committed(JournalBatch batch) noexcept { committed_ = batch; }
    [[nodiscard]] std::optional<ConnectionId> next_released();

private:
    struct Held {
        JournalBatch batch = 0;
        ConnectionId connection;
    };

    Journal* journal_;
    ShardId shard_;
    JournalBatch batch_ = 1;      // That the next record belongs to.
    JournalBatch committed_ = 0;  // The last one.
    std::uint64_t written_ = 0;
    std::uint64_t closed_ = 0;  // So many of those are in earlier batches.
    DeliveryNumber numbers_ = 0;
    Ring<Held> held_;
};

}  // namespace chappe::broker
