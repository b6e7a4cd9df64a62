#pragma once

// What is to be written to one connection, in order: small packets copied together so that one gathered write sends
// many, large payloads referenced so that they are never copied. What may not be sent before the Journal has written
// something down is held, with all that follows. Owned by a Connection.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/ring.h"
#include "broker/journal.h"
#include "broker/message.h"

namespace chappe::broker {

class Output {
public:
    // Payloads from this size on are referenced: below, copying is cheaper than one more piece in the gathered write.
    static constexpr std::size_t reference_from_bytes = 2048;

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
    }

    // Space for `size` bytes that the caller fills at once.
    [[nodiscard]] std::uint8_t* grow(std::size_t size) {
        tail_ += size;
        size_ += size;
        return copied_.grow(size);
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

    Buffer copied_;
    Ring<Reference> references_;
    Ring<Hold> holds_;
    std::size_t tail_ = 0;  // Bytes of `copied_` after the last reference.
    std::size_t size_ = 0;
};

}  // namespace chappe::broker
