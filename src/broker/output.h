#pragma once

// What is to be written to one connection, in order: small packets copied together so that one gathered write sends
// many, large payloads referenced so that they are never copied. What may not be sent before the Journal has written
// something down is held, with all that follows. Owned by a Connection. The memory it takes counts in the UnsentBytes
// of its shard: what is referenced once, however many outputs refer to it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/ring.h"
#include "broker/journal.h"
#include "broker/message.h"
#include "broker/unsent_bytes.h"

namespace chappe::broker {

class Output {
public:
    // Payloads from this size on are referenced: below, copying is cheaper than one more piece in the gathered write.
    static constexpr std::size_t reference_from_bytes = 2048;

    explicit Output(UnsentBytes& unsent) noexcept : unsent_(unsent) {}
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output() { clear(); }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // Appends what `write(Buffer&)` appends to the buffer it is given.
    template <class Write>
    void append_with(Write write) {
        const auto before = copied_.size();
        write(copied_);
        const auto added = copied_.size() - before;
        tail_ += added;
        size_ += added;
        count_copied();
    }

    // Space for `size` bytes that the caller fills at once.
    [[nodiscard]] std::uint8_t* grow(std::size_t size) {
        tail_ += size;
        size_ += size;
        auto* place = copied_.grow(size);
        count_copied();
        return place;
    }

    void append_payload(const MessagePtr& message);

    // What is appended from now on is held until this batch has been committed. Batches come in order.
    void hold(JournalBatch batch);
    // This batch and those before it have been committed. Returns whether that lets anything go.
    bool committed(JournalBatch batch);
    // How much may be written now.
    [[nodiscard]] std::size_t writable() const noexcept { return holds_.empty() ? size_ : holds_.front().after; }

    // Fills `pieces` with what comes first and may be written, and returns how many it filled.
    [[nodiscard]] std::size_t gather(std::span<Bytes> pieces) const;

    // Forgets the first `size` bytes, which have been written; at most writable().
    void consume(std::size_t size);

    // Gives the memory back as well.
    void clear();

    // What all connections have to be written.
    [[nodiscard]] std::size_t unsent_by_all() const noexcept { return unsent_.all(); }

private:
    struct Reference {
        std::size_t copied_before;  // Bytes of `copied_` between the reference before it, or the start, and this one.
        std::size_t consumed;       // Of its payload.
        MessagePtr message;
    };

    struct Hold {
        std::size_t after = 0;  // Bytes between the hold before it, or the start, and this one.
        JournalBatch batch = 0;
    };

    void count_copied() noexcept {
        const auto capacity = copied_.capacity();
        if (capacity == counted_) return;
        unsent_.change(std::exchange(counted_, capacity), capacity);
    }
    void pop_reference();

    UnsentBytes& unsent_;
    Buffer copied_;
    std::size_t counted_ = 0;  // The memory of `copied_` that unsent_ has.
    Ring<Reference> references_;
    Ring<Hold> holds_;
    std::size_t tail_ = 0;  // Bytes of `copied_` after the last reference.
    std::size_t size_ = 0;
};

}  // namespace chappe::broker
