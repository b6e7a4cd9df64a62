#include "broker/flapping_clients.h"

#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

class Flapping : public testing::Test {
protected:
    bool connect(std::uint64_t client = 7) { return clients.connected(client, 3, 60s, now); }

    FlappingClients clients;
    Instant now = Instant(1h);
};

TEST_F(Flapping, HasToWaitAfterTheLastOfSoMany) {
    EXPECT_FALSE(connect());
    EXPECT_FALSE(connect());
    EXPECT_FALSE(clients.wait(7, now));
    EXPECT_TRUE(connect());
    EXPECT_EQ(clients.wait(7, now), 60s);
    EXPECT_EQ(clients.wait(7, now + 59s), 1s);
    EXPECT_FALSE(clients.wait(8, now));
    now += 60s;
    EXPECT_FALSE(clients.wait(7, now));
    EXPECT_FALSE(connect());  // It begins anew.
}

TEST_F(Flapping, SlowlyIsNotTooOften) {
    for (int i = 0; i != 100; ++i, now += 31s) {
        EXPECT_FALSE(connect());
        EXPECT_FALSE(clients.wait(7, now));
    }
}

TEST_F(Flapping, GoodbyesAreNoFault) {
    for (int i = 0; i != 100; ++i) {
        static_cast<void>(connect());
        clients.left(7);
        EXPECT_FALSE(clients.wait(7, now));
    }
    EXPECT_EQ(clients.size(), 0U);
    clients.left(7);
    EXPECT_FALSE(connect());
}

TEST_F(Flapping, RemembersOnlySoMany) {
    for (std::uint64_t client = 0; client != FlappingClients::entries_max; ++client) static_cast<void>(connect(client));
    now += FlappingClients::window + 1s;
    static_cast<void>(connect(0));
    EXPECT_EQ(clients.size(), 1U);
    for (std::uint64_t client = 0; client != 2 * FlappingClients::entries_max; ++client) {
        static_cast<void>(connect(client));
        ASSERT_LE(clients.size(), FlappingClients::entries_max);
    }
}

}  // namespace
}  // namespace chappe::broker
