#include "access/login_failures.h"

#include <string>

#include <gtest/gtest.h>

namespace chappe::access {
namespace {

class Guessing : public testing::Test {
protected:
    void fail(int times, std::string_view address, std::string_view name) {
        for (int i = 0; i != times; ++i) failures.failed(address, name, now);
    }

    LoginFailures failures{1};
    Instant now = Instant(1h);
};

TEST_F(Guessing, HasToWaitLongerEachTime) {
    fail(4, "1.2.3.4", "bob");
    EXPECT_FALSE(failures.wait("1.2.3.4", "bob", now));
    for (const auto wait : {1s, 2s, 4s, 8s}) {
        fail(1, "1.2.3.4", "bob");
        EXPECT_EQ(failures.wait("1.2.3.4", "bob", now), wait);
        EXPECT_FALSE(failures.wait("1.2.3.4", "bob", now + wait));
    }
    fail(20, "1.2.3.4", "bob");
    EXPECT_EQ(failures.wait("1.2.3.4", "bob", now), LoginFailures::Rules().longest_wait);
}

TEST_F(Guessing, HasRules) {
    failures.configure({.free_of_name = 2, .longest_wait = 3s});
    fail(1, "1.2.3.4", "bob");
    EXPECT_FALSE(failures.wait("1.2.3.4", "bob", now));
    fail(5, "1.2.3.4", "bob");
    EXPECT_EQ(failures.wait("1.2.3.4", "bob", now), 3s);
    EXPECT_FALSE(failures.wait("1.2.3.4", "alice", now));
    fail(2, "1.2.3.4", "eve");
    EXPECT_TRUE(failures.wait("1.2.3.4", "alice", now));
}

TEST_F(Guessing, DoesNotLockOutOthers) {
    fail(10, "1.2.3.4", "bob");
    EXPECT_FALSE(failures.wait("5.6.7.8", "bob", now));
    EXPECT_FALSE(failures.wait("1.2.3.4", "alice", now));
}

TEST_F(Guessing, ManyAddressesOfOneIpv6NetworkAreNoWayOut) {
    for (int i = 0; i != 5; ++i) fail(1, "2001:db8::" + std::to_string(i), "bob");
    EXPECT_TRUE(failures.wait("2001:db8::99", "bob", now));
    EXPECT_FALSE(failures.wait("2001:db8:0:1::99", "bob", now));
    failures.succeeded("2001:db8::98", "bob");
    EXPECT_FALSE(failures.wait("2001:db8::99", "bob", now));
}

TEST_F(Guessing, ManyNamesFromOneAddressIsNoWayOut) {
    for (int i = 0; i != 19; ++i) fail(1, "1.2.3.4", std::to_string(i));
    EXPECT_FALSE(failures.wait("1.2.3.4", "another", now));
    fail(1, "1.2.3.4", "20");
    EXPECT_EQ(failures.wait("1.2.3.4", "another", now), 1s);
    EXPECT_FALSE(failures.wait("1.2.3.5", "another", now));
    failures.succeeded("1.2.3.4", "mine");
    EXPECT_TRUE(failures.wait("1.2.3.4", "another", now));
}

TEST_F(Guessing, IsForgottenAfterSuccessAndAfterATime) {
    fail(4, "1.2.3.4", "bob");
    failures.succeeded("1.2.3.4", "bob");
    fail(4, "1.2.3.4", "bob");
    EXPECT_FALSE(failures.wait("1.2.3.4", "bob", now));
    now += LoginFailures::forgotten_after + 1s;
    fail(4, "1.2.3.4", "bob");
    EXPECT_FALSE(failures.wait("1.2.3.4", "bob", now));
}

TEST_F(Guessing, IsRememberedInBoundedMemory) {
    fail(10, "1.2.3.4", "bob");
    now += LoginFailures::forgotten_after + 1s;
    fail(10, "5.6.7.8", "eve");
    for (std::size_t i = 0; i != LoginFailures::entries_max / 2; ++i) fail(1, "a" + std::to_string(i), "n");
    EXPECT_LE(failures.size(), LoginFailures::entries_max);
}

}  // namespace
}  // namespace chappe::access
