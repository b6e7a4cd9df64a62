#include "base/sorted_blocks.h"

#include <set>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe {
namespace {

using Blocks = SortedBlocks<int, 8>;

Blocks::Position find(const Blocks& blocks, int value, Blocks::Position from = {}) {
    return blocks.lower_bound([&](int element) { return element < value; }, from);
}

std::vector<int> content(const Blocks& blocks) {
    std::vector<int> all;
    for (auto at = Blocks::Position{}; at != blocks.end(); at = blocks.next(at)) all.push_back(blocks.at(at));
    return all;
}

TEST(SortedBlocks, FillsBlocksWithWhatComesInOrder) {
    Blocks blocks;
    for (int i = 0; i < 80; ++i) blocks.insert(find(blocks, i), i);
    EXPECT_EQ(blocks.blocks().size(), 10);
}

TEST(SortedBlocks, JoinsBlocksThatHaveBecomeSmall) {
    Blocks blocks;
    for (int i = 0; i < 800; ++i) blocks.insert(find(blocks, i), i);
    for (int i = 0; i < 800; ++i) {
        if (i % 16 != 0) blocks.erase(find(blocks, i));
    }
    EXPECT_EQ(content(blocks).size(), 50);
    EXPECT_LE(blocks.blocks().size(), 25);
}

TEST(SortedBlocks, AgreesWithASet) {
    const std::uint64_t seed = 4;
    SCOPED_TRACE(seed);
    Random random(seed);
    Blocks blocks;
    std::set<int> model;
    for (int step = 0; step < 20'000; ++step) {
        // First mostly additions, then mostly removals.
        const auto value = static_cast<int>(random.below(500));
        const auto at = find(blocks, value);
        const bool there = at != blocks.end() && blocks.at(at) == value;
        ASSERT_EQ(there, model.contains(value)) << step;
        const bool add = random.below(100) < (step < 10'000 ? 70 : 30);
        if (add && !there) {
            blocks.insert(at, value);
            model.insert(value);
        } else if (!add && there) {
            blocks.erase(at);
            model.erase(value);
        }
        if (step % 100 != 0) continue;
        ASSERT_EQ(content(blocks), std::vector(model.begin(), model.end()));
        for (const auto& block : blocks.blocks()) ASSERT_TRUE(!block.empty() && block.size() <= 8);
    }
}

TEST(SortedBlocks, SearchesFromAPositionOn) {
    Blocks blocks;
    for (int i = 0; i < 100; ++i) blocks.insert(find(blocks, 2 * i), 2 * i);
    for (int from = 0; from < 100; ++from) {
        for (int to = from; to < 100; ++to) {
            const auto start = find(blocks, 2 * from);
            EXPECT_EQ(blocks.at(find(blocks, 2 * to, start)), 2 * to);
            EXPECT_EQ(blocks.at(find(blocks, 2 * to - 1, start)), 2 * to);
        }
        EXPECT_EQ(find(blocks, 1000, find(blocks, 2 * from)), blocks.end());
    }
    EXPECT_EQ(find(blocks, 0, blocks.end()), blocks.end());
}

}  // namespace
}  // namespace chappe
