#include "base/hash.h"

#include <functional>
#include <set>
#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

namespace chappe {
namespace {

TEST(TextHash, DependsOnEveryByteAndTheSize) {
    const TextHash hash(1);
    for (std::size_t size = 0; size <= 70; ++size) {
        const std::string text(size, 'a');
        std::set<std::uint64_t> seen = {hash(text), hash(text + 'a'), hash(text + std::string(1, '\0'))};
        ASSERT_EQ(seen.size(), 3);
        for (std::size_t at = 0; at < size; ++at) {
            auto changed = text;
            changed[at] = 'b';
            EXPECT_TRUE(seen.insert(hash(changed)).second) << size << " bytes, changed at " << at;
        }
    }
}

TEST(TextHash, RepeatsWithItsSeedOnly) {
    EXPECT_EQ(TextHash(1)("a/b"), TextHash(1)("a/b"));
    EXPECT_NE(TextHash(1)("a/b"), TextHash(2)("a/b"));
    EXPECT_NE(TextHash(1)(""), TextHash(2)(""));
}

TEST(TextHash, CombinesWithANumber) {
    const TextHash hash(1);
    std::set<std::uint64_t> seen;
    for (std::uint32_t number = 0; number < 1000; ++number) seen.insert(TextHash::combine(hash("x"), number));
    EXPECT_EQ(seen.size(), 1000);
    EXPECT_NE(TextHash::combine(hash("x"), 1), TextHash::combine(hash("y"), 1));
}

TEST(TextHashRef, IsTheHashOfAContainer) {
    const TextHash hash(1);
    EXPECT_EQ(TextHashRef(hash)("a/b"), hash("a/b"));
    std::unordered_map<std::string, int, TextHashRef, std::equal_to<>> numbers(0, TextHashRef(hash));
    numbers.emplace("one", 1);
    EXPECT_EQ(numbers.find(std::string_view("one"))->second, 1);
    EXPECT_FALSE(numbers.contains(std::string_view("two")));
}

}  // namespace
}  // namespace chappe
