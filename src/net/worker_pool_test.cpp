#include "net/worker_pool.h"

#include <algorithm>
#include <latch>
#include <thread>

#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::run_until;

TEST(WorkerPool, WorksElsewhereAndBringsTheResultBack) {
    const auto loop = make_loop();
    WorkerPool pool;
    std::thread::id worker;
    std::unique_ptr<int> result;
    ASSERT_TRUE(pool.run(
        *loop,
        [&worker] {
            worker = std::this_thread::get_id();
            return std::make_unique<int>(42);
        },
        [&](std::unique_ptr<int> value) {
            EXPECT_NE(std::this_thread::get_id(), worker);
            result = std::move(value);
        }));
    ASSERT_TRUE(run_until(*loop, [&] { return result != nullptr; }));
    EXPECT_EQ(*result, 42);
}

TEST(WorkerPool, WorksOnSeveralAtATime) {
    const auto loop = make_loop();
    WorkerPool pool({.threads_max = 3});
    const auto together = std::make_shared<std::latch>(3);
    auto done = 0;
    for (auto i = 0; i < 3; ++i) {
        ASSERT_TRUE(pool.run(
            *loop,
            [together] {
                together->arrive_and_wait();  // Nobody gets through alone.
                return 0;
            },
            [&](int) { ++done; }));
    }
    EXPECT_TRUE(run_until(*loop, [&] { return done == 3; }));
}

TEST(WorkerPool, DoesAllThatItAccepted) {
    const auto loop = make_loop();
    WorkerPool pool;
    std::vector<int> results;
    for (auto i = 0; i < 500; ++i) {
        ASSERT_TRUE(pool.run(*loop, [i] { return i; }, [&](int value) { results.push_back(value); }));
    }
    ASSERT_TRUE(run_until(*loop, [&] { return results.size() == 500; }));
    std::ranges::sort(results);
    for (auto i = 0; i < 500; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
}

TEST(WorkerPool, RefusesWhatIsTooMuch) {
    const auto loop = make_loop();
    const auto gate = std::make_shared<std::latch>(1);
    WorkerPool pool({.threads_max = 1, .jobs_max = 3});
    const auto begun = std::make_shared<std::latch>(1);
    auto done = 0;
    ASSERT_TRUE(pool.run(
        *loop,
        [gate, begun] {
            begun->count_down();
            gate->wait();
            return 0;
        },
        [&](int) { ++done; }));
    begun->wait();
    for (auto i = 0; i < 3; ++i) EXPECT_TRUE(pool.run(*loop, [] { return 0; }, [&](int) { ++done; }));
    EXPECT_FALSE(pool.run(*loop, [] { return 0; }, [](int) { FAIL(); }));
    gate->count_down();
    EXPECT_TRUE(run_until(*loop, [&] { return done == 4; }));
}

TEST(WorkerPool, DropsWhatHasNotBegunWhenItEnds) {
    const auto loop = make_loop();
    const auto gate = std::make_shared<std::latch>(1);
    const auto begun = std::make_shared<std::latch>(1);
    const auto owned = std::make_shared<int>();
    {
        WorkerPool pool({.threads_max = 1, .stop_time_limit = 1ms});
        ASSERT_TRUE(pool.run(
            *loop,
            [gate, begun] {
                begun->count_down();
                gate->wait();
                return 0;
            },
            [](int) {}));
        begun->wait();
        ASSERT_TRUE(pool.run(
            *loop,
            [owned] {
                ADD_FAILURE();
                return 0;
            },
            [](int) {}));
        EXPECT_EQ(owned.use_count(), 2);
    }  // Does not wait for the work that is stuck.
    EXPECT_EQ(owned.use_count(), 1);
    gate->count_down();
}

TEST(WorkerPool, AResultForALoopThatHasGoneIsDestroyed) {
    auto loop = make_loop();
    const auto gate = std::make_shared<std::latch>(1);
    const auto owned = std::make_shared<int>();
    WorkerPool pool({.threads_max = 1, .stop_time_limit = 20s});
    ASSERT_TRUE(pool.run(
        *loop,
        [gate] {
            gate->wait();
            return 0;
        },
        [owned](int) { FAIL(); }));
    loop.reset();
    gate->count_down();
    auto other = make_loop();
    auto done = false;
    ASSERT_TRUE(pool.run(*other, [] { return 0; }, [&](int) { done = true; }));
    EXPECT_TRUE(run_until(*other, [&] { return done; }));
    EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace chappe::net
