#pragma once

// Finds things that live elsewhere, in a vector or deque, by the hash of their name: eight bytes per place.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace chappe {

// A hash table of indices with open addressing and linear probing. It stores 32 bits of each hash beside the index, so
// that probing and growing never touch the things themselves; at most three quarters of its places are taken, and after
// removals it gives memory back.
class HashIndex {
public:
    static constexpr std::uint32_t none = 0xFFFF'FFFF;

    // The index stored with `hash` of which `same(index)` is true, or `none`.
    template <class Same>
    [[nodiscard]] std::uint32_t find(std::uint64_t hash, Same same) const {
        if (places_.empty()) return none;
        const auto tag = tag_of(hash);
        for (auto at = home_of(tag); places_[at].index != none; at = after(at)) {
            if (places_[at].tag == tag && same(places_[at].index)) return places_[at].index;
        }
        return none;
    }

    void insert(std::uint64_t hash, std::uint32_t index) {
        ASSERT(index != none);
        if ((size_ + 1) * 4 > places_.size() * 3) resize(std::max(places_.size() * 2, places_min));
        place({tag_of(hash), index});
        ++size_;
    }

    void erase(std::uint64_t hash, std::uint32_t index) {
        const auto tag = tag_of(hash);
        ASSERT(!places_.empty());
        auto at = home_of(tag);
        while (places_[at].index != index) {
            ASSERT(places_[at].index != none);
            at = after(at);
        }
        close_gap(at);
        --size_;
        if (places_.size() > places_min && size_ * 8 < places_.size()) resize(places_.size() / 2);
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t size_bytes() const noexcept { return places_.capacity() * sizeof(Place); }
    void clear() noexcept {
        std::vector<Place>().swap(places_);
        size_ = 0;
    }

private:
    struct Place {
        std::uint32_t tag = 0;
        std::uint32_t index = none;
    };
    static constexpr std::size_t places_min = 8;

    static std::uint32_t tag_of(std::uint64_t hash) noexcept { return static_cast<std::uint32_t>(hash >> 32); }
    [[nodiscard]] std::size_t home_of(std::uint32_t tag) const noexcept { return tag & (places_.size() - 1); }
    [[nodiscard]] std::size_t after(std::size_t at) const noexcept { return (at + 1) & (places_.size() - 1); }

    void place(Place entry) {
        auto at = home_of(entry.tag);
        while (places_[at].index != none) at = after(at);
        places_[at] = entry;
    }

    // Moves back what would not be found any more past the empty place, instead of leaving a mark that slows probing.
    void close_gap(std::size_t gap) {
        const auto mask = places_.size() - 1;
        for (auto at = after(gap); places_[at].index != none; at = after(at)) {
            const auto distance = (at - home_of(places_[at].tag)) & mask;
            if (distance < ((at - gap) & mask)) continue;
            places_[gap] = places_[at];
            gap = at;
        }
        places_[gap] = {};
    }

    void resize(std::size_t places) {
        ASSERT(std::has_single_bit(places) && places > size_);
        auto old = std::exchange(places_, std::vector<Place>(places));
        for (const auto& entry : old) {
            if (entry.index != none) place(entry);
        }
    }

    std::vector<Place> places_;  // A power of two, or none.
    std::size_t size_ = 0;
};

}  // namespace chappe
