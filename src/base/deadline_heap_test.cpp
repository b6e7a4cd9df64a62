#include "base/deadline_heap.h"

#include <map>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe {
namespace {

Instant at(std::uint64_t seconds) { return Instant(std::chrono::seconds(seconds)); }

TEST(DeadlineHeap, HasNoneAtFirst) {
    DeadlineHeap heap;
    EXPECT_TRUE(heap.empty());
    EXPECT_EQ(heap.first_at(), Instant::max());
    heap.erase(7);
    heap.set(7, at(3));
    heap.erase(6);
    EXPECT_EQ(heap.first(), 7);
    heap.erase(7);
    EXPECT_TRUE(heap.empty());
}

TEST(DeadlineHeap, AgreesWithAMap) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        DeadlineHeap heap;
        std::map<std::uint32_t, Instant> model;
        for (int step = 0; step < 5'000; ++step) {
            const auto id = static_cast<std::uint32_t>(random.below(200));
            if (random.below(3) == 0) {
                heap.erase(id);
                model.erase(id);
            } else {
                const auto deadline = at(random.below(1'000));
                heap.set(id, deadline);
                model[id] = deadline;
            }
            ASSERT_EQ(heap.size(), model.size());
            auto first = Instant::max();
            for (const auto& [other, deadline] : model) first = std::min(first, deadline);
            ASSERT_EQ(heap.first_at(), first);
            ASSERT_TRUE(heap.empty() || model.at(heap.first()) == first);
        }
        for (auto last = at(0); !heap.empty(); heap.erase(heap.first())) {
            ASSERT_LE(last, heap.first_at());
            last = heap.first_at();
        }
    }
}

}  // namespace
}  // namespace chappe
