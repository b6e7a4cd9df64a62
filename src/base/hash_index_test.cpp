#include "base/hash_index.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe {
namespace {

std::uint32_t find(const HashIndex& index, std::uint64_t hash, std::uint32_t wanted) {
    return index.find(hash, [&](std::uint32_t found) { return found == wanted; });
}

TEST(HashIndex, FindsWhatWasInserted) {
    HashIndex index;
    EXPECT_EQ(find(index, 1, 7), HashIndex::none);
    index.insert(1, 7);
    EXPECT_EQ(find(index, 1, 7), 7);
    EXPECT_EQ(find(index, 1, 8), HashIndex::none);
    EXPECT_EQ(find(index, std::uint64_t{1} << 32, 7), HashIndex::none);
}

TEST(HashIndex, KeepsApartWhatHasTheSameHash) {
    HashIndex index;
    for (std::uint32_t i = 0; i < 100; ++i) index.insert(42, i);
    index.erase(42, 50);
    for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(find(index, 42, i), i == 50 ? HashIndex::none : i);
}

TEST(HashIndex, GivesMemoryBack) {
    HashIndex index;
    const auto hash = [](std::uint64_t i) { return i * 0x9e3779b97f4a7c15; };
    for (std::uint32_t i = 0; i < 10'000; ++i) index.insert(hash(i), i);
    const auto full = index.size_bytes();
    EXPECT_LE(full, 10'000 * 8 * 8 / 3);
    for (std::uint32_t i = 0; i < 9'990; ++i) index.erase(hash(i), i);
    EXPECT_LT(index.size_bytes(), full / 50);
    for (std::uint32_t i = 9'990; i < 10'000; ++i) EXPECT_EQ(find(index, hash(i), i), i);
}

TEST(HashIndex, AgreesWithAMap) {
    const std::uint64_t seed = 20;
    SCOPED_TRACE(seed);
    Random random(seed);
    HashIndex index;
    std::map<std::uint32_t, std::uint64_t> model;
    for (int step = 0; step < 20'000; ++step) {
        const auto key = static_cast<std::uint32_t>(random.below(300));
        // Few different hashes, in both ends of the table, so that runs are long and wrap around.
        const auto hash = (random.below(2) == 0 ? random.below(4) : 0xFFFF'FFFC + random.below(4)) << 32;
        if (const auto known = model.find(key); known != model.end()) {
            ASSERT_EQ(find(index, known->second, key), key);
            index.erase(known->second, key);
            model.erase(known);
        } else {
            index.insert(hash, key);
            model.emplace(key, hash);
        }
        ASSERT_EQ(index.size(), model.size());
    }
    for (const auto& [key, hash] : model) EXPECT_EQ(find(index, hash, key), key);
}

}  // namespace
}  // namespace chappe
