#include "client/backoff.h"

#include <gtest/gtest.h>

namespace chappe::client {
namespace {

TEST(Backoff, DoublesUpToTheMaximumAndHalfOfItIsRandom) {
    Backoff backoff({.delay_min = 1s, .delay_max = 8s}, 1);
    for (const auto upper : {1s, 2s, 4s, 8s, 8s, 8s}) {
        const auto delay = backoff.next();
        EXPECT_GE(delay, upper / 2.0);
        EXPECT_LE(delay, upper);
    }
}

TEST(Backoff, SeedsGiveDifferentDelays) {
    const Reconnect reconnect{.delay_min = 10s};
    EXPECT_NE(Backoff(reconnect, 1).next(), Backoff(reconnect, 2).next());
}

TEST(Backoff, BeginsAnewAfterAConnectionThatLasted) {
    Backoff backoff({.delay_min = 1s, .delay_max = 60s, .stable_after = 10s}, 1);
    for (int i = 0; i < 5; ++i) (void)backoff.next();
    backoff.connection_lasted(9s);
    EXPECT_GT(backoff.next(), 10s);
    backoff.connection_lasted(10s);
    EXPECT_LE(backoff.next(), 1s);
}

}  // namespace
}  // namespace chappe::client
