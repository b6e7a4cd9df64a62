#include "net/signal_watch.h"

#include <pthread.h>

#include <gmock/gmock.h>

#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::run_until;

bool is_blocked(int signal) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    return sigismember(&blocked, signal) == 1;
}

TEST(SignalWatch, TurnsSignalsIntoCalls) {
    const auto loop = make_loop();
    std::vector<int> seen;
    const auto watch = SignalWatch::create(*loop, {SIGTERM, SIGHUP}, [&](int signal) { seen.push_back(signal); });
    ASSERT_TRUE(watch.has_value());
    EXPECT_TRUE(is_blocked(SIGTERM));
    // To this thread only, so that none of another test's threads is ended by it.
    raise(SIGHUP);
    raise(SIGTERM);
    ASSERT_TRUE(run_until(*loop, [&] { return seen.size() == 2; }));
    EXPECT_THAT(seen, ::testing::UnorderedElementsAre(SIGHUP, SIGTERM));
    raise(SIGHUP);
    ASSERT_TRUE(run_until(*loop, [&] { return seen.size() == 3; }));
    EXPECT_EQ(seen.back(), SIGHUP);
}

TEST(SignalWatch, GivesTheSignalsBack) {
    const auto loop = make_loop();
    EXPECT_FALSE(is_blocked(SIGTERM));
    {
        const auto watch = SignalWatch::create(*loop, {SIGTERM}, [](int) { FAIL(); });
        EXPECT_TRUE(is_blocked(SIGTERM));
        EXPECT_FALSE(is_blocked(SIGHUP));
    }
    EXPECT_FALSE(is_blocked(SIGTERM));
}

}  // namespace
}  // namespace chappe::net
