#pragma once

// Things of one type, numbered, in chunks.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace chappe {

// Things that others refer to by a number of four bytes, which stays theirs until they are given back. Unlike a vector
// it never moves them, so that growing takes no pause; unlike a deque its chunks are as large as one wants, and
// aligned.
template <class T, std::size_t chunk_size = 64>
class Pool {
public:
    using Index = std::uint32_t;

    // A new thing, T(), under a number that may have been used before.
    [[nodiscard]] Index take() {
        if (!unused_.empty()) {
            const auto index = unused_.back();
            unused_.pop_back();
            return index;
        }
        ASSERT(end_ < std::numeric_limits<Index>::max());
        if (end_ == chunks_.size() * chunk_size) chunks_.push_back(std::make_unique<T[]>(chunk_size));
        return end_++;
    }

    void give_back(Index index) {
        (*this)[index] = T();
        unused_.push_back(index);
    }

    // Gives everything back, and the memory too.
    void clear() { *this = Pool(); }

    [[nodiscard]] T& operator[](Index index) { return chunks_[index / chunk_size][index % chunk_size]; }
    [[nodiscard]] const T& operator[](Index index) const { return chunks_[index / chunk_size][index % chunk_size]; }

    [[nodiscard]] std::size_t size() const noexcept { return end_ - unused_.size(); }
    // All numbers are below; those not in use are T().
    [[nodiscard]] Index end() const noexcept { return end_; }

    Pool() = default;
    Pool(Pool&& other) noexcept { swap(other); }
    Pool& operator=(Pool&& other) noexcept {
        Pool moved(std::move(other));
        swap(moved);
        return *this;
    }

private:
    static_assert(std::has_single_bit(chunk_size));

    void swap(Pool& other) noexcept {
        std::swap(chunks_, other.chunks_);
        std::swap(unused_, other.unused_);
        std::swap(end_, other.end_);
    }

    std::vector<std::unique_ptr<T[]>> chunks_;
    std::vector<Index> unused_;
    Index end_ = 0;
};

}  // namespace chappe
