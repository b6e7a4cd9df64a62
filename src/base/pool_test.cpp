#include "base/pool.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe {
namespace {

TEST(Pool, UsesNumbersAgainWithNothingLeftInThem) {
    Pool<std::string, 4> pool;
    const auto first = pool.take();
    pool[first] = "first";
    pool.give_back(first);
    EXPECT_EQ(pool.size(), 0);
    EXPECT_EQ(pool[first], "");
    EXPECT_EQ(pool.take(), first);
    EXPECT_EQ(pool[first], "");
    EXPECT_NE(pool.take(), first);
}

TEST(Pool, NeverMovesWhatItHolds) {
    Pool<int, 2> pool;
    const auto* first = &pool[pool.take()];
    for (int i = 0; i < 100; ++i) (void)pool.take();
    EXPECT_EQ(&pool[0], first);
    EXPECT_EQ(pool.end(), 101);
}

TEST(Pool, AlignsAsAsked) {
    struct alignas(64) Line {
        char text[64];
    };
    Pool<Line, 2> pool;
    for (int i = 0; i < 10; ++i) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&pool[pool.take()]) % 64, 0);
}

TEST(Pool, AgreesWithAMap) {
    const std::uint64_t seed = 8;
    SCOPED_TRACE(seed);
    Random random(seed);
    Pool<std::uint64_t, 8> pool;
    std::map<std::uint32_t, std::uint64_t> model;
    for (int step = 0; step < 5'000; ++step) {
        if (model.empty() || random.below(100) < (step < 2'500 ? 60 : 40)) {
            const auto index = pool.take();
            ASSERT_TRUE(model.emplace(index, random.next()).second);
            pool[index] = model[index];
        } else {
            const auto one = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
            ASSERT_EQ(pool[one->first], one->second);
            pool.give_back(one->first);
            model.erase(one);
        }
        ASSERT_EQ(pool.size(), model.size());
    }
    pool.clear();
    EXPECT_EQ(pool.size(), 0);
    EXPECT_EQ(pool.take(), 0);
}

}  // namespace
}  // namespace chappe
