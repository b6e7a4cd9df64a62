#pragma once

// A long sorted sequence that is cheap to change in the middle.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace chappe {

// Elements in blocks of at most `block_max`: adding or removing one moves the elements of one block, not all that
// follow. (A B-tree of two levels. One sorted vector costs megabytes of moving per change at 100,000 elements; a tree
// with a node per element three times the memory and a cache miss per element when read.) The order is the owner's: it
// is given as predicates, since elements may be mere numbers of things elsewhere.
template <class T, std::size_t block_max = 256>
class SortedBlocks {
public:
    using Block = std::vector<T>;
    struct Position {
        std::size_t block = 0;
        std::size_t offset = 0;

        friend bool operator==(const Position&, const Position&) = default;
    };

    [[nodiscard]] bool empty() const noexcept { return blocks_.empty(); }
    [[nodiscard]] std::span<const Block> blocks() const noexcept { return blocks_; }
    [[nodiscard]] Position end() const noexcept { return {blocks_.size(), 0}; }
    [[nodiscard]] const T& at(Position position) const { return blocks_[position.block][position.offset]; }
    [[nodiscard]] T& at(Position position) { return blocks_[position.block][position.offset]; }
    [[nodiscard]] Position next(Position position) const {
        if (++position.offset < blocks_[position.block].size()) return position;
        return {position.block + 1, 0};
    }

    // The first position from `from` on for whose element `before` is false. What is near is found with few looks.
    template <class Before>
    [[nodiscard]] Position lower_bound(Before before, Position from = {}) const {
        if (from == end() || !before(at(from))) return from;
        const auto first = blocks_.begin() + static_cast<std::ptrdiff_t>(from.block);
        const auto ends_before = [&](const Block& block) { return before(block.back()); };
        if (!ends_before(*first)) return within(from.block, from.offset, before);
        const auto block = std::partition_point(std::next(first), blocks_.end(), ends_before);
        if (block == blocks_.end()) return end();
        return within(static_cast<std::size_t>(block - blocks_.begin()), 0, before);
    }

    // Before the element at `position`, which the caller has found with lower_bound().
    void insert(Position position, T value) {
        position = make_room(position);
        auto& block = blocks_[position.block];
        block.insert(block.begin() + static_cast<std::ptrdiff_t>(position.offset), std::move(value));
    }

    void erase(Position position) {
        ASSERT(position.block < blocks_.size());
        auto& block = blocks_[position.block];
        block.erase(block.begin() + static_cast<std::ptrdiff_t>(position.offset));
        if (block.size() > block_max / 4) return;
        if (block.empty()) {
            blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(position.block));
        } else {
            join_neighbours(position.block);
        }
    }

private:
    // From `offset` on in twice as long steps, then between the last two.
    template <class Before>
    Position within(std::size_t block, std::size_t offset, Before before) const {
        const auto& elements = blocks_[block];
        auto from = elements.begin() + static_cast<std::ptrdiff_t>(offset);
        auto to = from;
        for (std::ptrdiff_t step = 1; to != elements.end() && before(*to); step *= 2) {
            from = std::next(to);
            to += std::min(step, elements.end() - to);
        }
        const auto found = std::partition_point(from, to, before);
        return {block, static_cast<std::size_t>(found - elements.begin())};
    }

    // Where to insert so that the block has room, which may be at the end of the block before.
    Position make_room(Position position) {
        if (blocks_.empty()) {
            blocks_.emplace_back();
            return {};
        }
        if (position.block == blocks_.size()) position = {blocks_.size() - 1, blocks_.back().size()};
        if (blocks_[position.block].size() < block_max) return position;
        if (position.block + 1 == blocks_.size() && position.offset == block_max) {
            blocks_.emplace_back();  // Elements that come in order fill their blocks.
            return {position.block + 1, 0};
        }
        split(position.block);
        if (position.offset <= block_max / 2) return position;
        return {position.block + 1, position.offset - block_max / 2};
    }

    void split(std::size_t index) {
        const auto middle = blocks_[index].begin() + block_max / 2;
        Block upper(std::make_move_iterator(middle), std::make_move_iterator(blocks_[index].end()));
        blocks_[index].erase(middle, blocks_[index].end());
        blocks_.insert(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(upper));
    }

    // Small blocks are joined, so that a sequence that has shrunk takes little memory again.
    void join_neighbours(std::size_t index) {
        if (index + 1 < blocks_.size() && join(index)) return;
        if (index > 0) join(index - 1);
    }

    bool join(std::size_t index) {
        auto& lower = blocks_[index];
        auto& upper = blocks_[index + 1];
        if (lower.size() + upper.size() > block_max / 2) return false;
        lower.insert(lower.end(), std::make_move_iterator(upper.begin()), std::make_move_iterator(upper.end()));
        lower.shrink_to_fit();
        blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
        return true;
    }

    std::vector<Block> blocks_;  // None is empty.
};

}  // namespace chappe
