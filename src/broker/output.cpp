#include "broker/output.h"

#include <algorithm>

namespace chappe::broker {

void Output::append_payload(const MessagePtr& message) {
    const auto payload = message->payload();
    if (payload.size() < reference_from_bytes) {
        if (!payload.empty()) std::memcpy(grow(payload.size()), payload.data(), payload.size());
        return;
    }
    references_.push_back({.copied_before = std::exchange(tail_, 0), .consumed = 0, .message = message});
    if (message->begin_unsent()) unsent_.add(message->size_bytes());
    size_ += payload.size();
}

void Output::hold(JournalBatch batch) {
    if (!holds_.empty() && holds_.back().batch == batch) return;
    auto after = size_;
    for (std::size_t index = 0; index != holds_.size(); ++index) after -= holds_[index].after;
    holds_.push_back({.after = after, .batch = batch});
}

bool Output::committed(JournalBatch batch) {
    const auto before = writable();
    while (!holds_.empty() && holds_.front().batch <= batch) {
        const auto ended = holds_.pop_front();
        if (!holds_.empty()) holds_.front().after += ended.after;
    }
    if (holds_.empty()) holds_.clear_and_free();
    return writable() > before;
}

std::size_t Output::gather(std::span<Bytes> pieces) const {
    std::size_t filled = 0;
    auto left = writable();
    const auto add = [&](Bytes piece) {
        piece = piece.first(std::min(piece.size(), left));
        left -= piece.size();
        if (!piece.empty()) pieces[filled++] = piece;
        return filled == pieces.size() || left == 0;
    };
    auto copied = copied_.bytes();
    for (std::size_t index = 0; index != references_.size(); ++index) {
        const auto& reference = references_[index];
        if (left == 0 || filled == pieces.size() || add(copied.first(reference.copied_before))) return filled;
        copied = copied.subspan(reference.copied_before);
        if (add(reference.message->payload().subspan(reference.consumed))) return filled;
    }
    if (left != 0 && filled != pieces.size()) add(copied);
    return filled;
}

void Output::consume(std::size_t size) {
    ASSERT(size <= writable());
    if (!holds_.empty()) holds_.front().after -= size;
    size_ -= size;
    while (size != 0 && !references_.empty()) {
        auto& reference = references_.front();
        const auto copied = std::min(size, reference.copied_before);
        copied_.consume(copied);
        reference.copied_before -= copied;
        size -= copied;
        const auto left = reference.message->payload().size() - reference.consumed;
        const auto referenced = std::min(size, left);
        reference.consumed += referenced;
        size -= referenced;
        if (reference.copied_before == 0 && referenced == left) pop_reference();
    }
    copied_.consume(size);
    tail_ -= size;
    ASSERT(size_ != 0 || (copied_.empty() && references_.empty()));
}

void Output::pop_reference() {
    const auto message = references_.pop_front().message;
    if (message->end_unsent()) unsent_.subtract(message->size_bytes());
}

void Output::clear() {
    copied_.release();
    count_copied();
    while (!references_.empty()) pop_reference();
    references_.clear_and_free();
    holds_.clear_and_free();
    tail_ = size_ = 0;
}

}  // namespace chappe::broker
