#pragma once

// Which of many things is due first.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "base/time.h"

namespace chappe {

// A binary heap of deadlines, at most one per number (an index of the owner's, so small numbers). Changing or removing
// one takes logarithmic time and leaves nothing behind, so memory follows the number of deadlines, not of changes.
class DeadlineHeap {
public:
    // Adds or changes the deadline of `id`.
    void set(std::uint32_t id, Instant at) {
        if (id >= places_.size()) places_.resize(id + 1, none);
        if (places_[id] == none) {
            places_[id] = static_cast<Place>(heap_.size());
            heap_.push_back({at, id});
        } else {
            heap_[places_[id]].at = at;
        }
        settle(places_[id]);
    }

    // Nothing happens if `id` has none.
    void erase(std::uint32_t id) {
        if (id >= places_.size() || places_[id] == none) return;
        const auto place = places_[id];
        places_[id] = none;
        const auto last = heap_.back();
        heap_.pop_back();
        if (place == heap_.size()) return;
        put(place, last);
        settle(place);
    }

    [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return heap_.size(); }
    // Instant::max(): there is none.
    [[nodiscard]] Instant first_at() const noexcept { return empty() ? Instant::max() : heap_.front().at; }
    [[nodiscard]] std::uint32_t first() const {
        ASSERT(!empty());
        return heap_.front().id;
    }

private:
    struct Deadline {
        Instant at;
        std::uint32_t id = 0;
    };
    using Place = std::uint32_t;
    static constexpr Place none = 0xFFFF'FFFF;

    void put(Place place, Deadline deadline) {
        heap_[place] = deadline;
        places_[deadline.id] = place;
    }

    // Moves the deadline at `place` to where it belongs, up or down.
    void settle(Place place) {
        const auto deadline = heap_[place];
        while (place > 0 && deadline.at < heap_[(place - 1) / 2].at) {
            put(place, heap_[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        for (auto child = earlier_child(place); child != none && heap_[child].at < deadline.at;) {
            put(place, heap_[child]);
            place = child;
            child = earlier_child(place);
        }
        put(place, deadline);
    }

    [[nodiscard]] Place earlier_child(Place place) const {
        const auto child = 2 * std::size_t{place} + 1;
        if (child >= heap_.size()) return none;
        const bool second = child + 1 < heap_.size() && heap_[child + 1].at < heap_[child].at;
        return static_cast<Place>(second ? child + 1 : child);
    }

    std::vector<Deadline> heap_;  // No deadline is before the one at half its place.
    std::vector<Place> places_;   // By id: where in heap_.
};

}  // namespace chappe
