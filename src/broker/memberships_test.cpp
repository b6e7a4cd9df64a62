#include "broker/memberships.h"

#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

constexpr GroupId a{1};
constexpr GroupId b{2};
constexpr GroupId c{3};

class Joined : public testing::Test {
protected:
    Joined() {
        for (const auto group : {a, b, c}) memberships.join(group);
    }
    void refuse(GroupId group) {
        memberships.refuse(group);
        memberships.refusal_seen(group);
    }

    Memberships memberships;
};

TEST_F(Joined, TakeUntilTheyRefuse) {
    EXPECT_TRUE(memberships.takes(a));
    memberships.refuse(a);
    EXPECT_FALSE(memberships.takes(a));
    EXPECT_TRUE(memberships.takes(b));
    EXPECT_FALSE(memberships.any_waits());  // Not before the home knows.
    memberships.join(a);                    // Subscribed to again: that changes nothing.
    EXPECT_FALSE(memberships.takes(a));
    memberships.refusal_seen(a);
    EXPECT_FALSE(memberships.takes(a));
    EXPECT_TRUE(memberships.any_waits());
}

TEST_F(Joined, ArePromisedAPlaceInTurn) {
    for (const auto group : {b, a, c}) refuse(group);
    for (const auto group : {b, a, c}) {
        memberships.promise();
        EXPECT_TRUE(memberships.promised_to(group));
        EXPECT_TRUE(memberships.takes(group));
        EXPECT_EQ(memberships.next_to_tell(), group);
        EXPECT_EQ(memberships.next_to_tell(), std::nullopt);
        memberships.end_promise(GroupId{9});
        EXPECT_TRUE(memberships.promised());
        memberships.end_promise(group);
        EXPECT_FALSE(memberships.promised());
    }
    EXPECT_FALSE(memberships.any_waits());
    EXPECT_EQ(memberships.next_to_tell(), std::nullopt);
}

TEST_F(Joined, WaitAgainWhenThePromisedPlaceWasTaken) {
    refuse(a);
    refuse(b);
    memberships.promise();
    refuse(a);
    EXPECT_FALSE(memberships.promised());
    memberships.promise();
    EXPECT_TRUE(memberships.promised_to(b));
}

TEST_F(Joined, WaitNoMoreWhenTheyAreLeft) {
    refuse(a);
    refuse(b);
    memberships.leave(a);
    EXPECT_FALSE(memberships.contains(a));
    memberships.promise();
    EXPECT_TRUE(memberships.promised_to(b));
    memberships.leave(b);
    EXPECT_FALSE(memberships.promised());
    EXPECT_FALSE(memberships.any_waits());
    memberships.refusal_seen(b);  // Late.
    memberships.join(b);
    EXPECT_TRUE(memberships.takes(b));
    memberships.refusal_seen(b);
    EXPECT_TRUE(memberships.takes(b));
}

}  // namespace
}  // namespace chappe::broker
