#include "access/address_rate.h"

#include <string>

#include <gtest/gtest.h>

namespace chappe::access {
namespace {

class Rate : public testing::Test {
protected:
    std::optional<Duration> take(std::string_view address, std::uint32_t per_minute = 60) {
        return rate.take(*net::IpAddress::parse(address), per_minute, now);
    }
    int taken(std::string_view address, int times) {
        int count = 0;
        for (int i = 0; i != times; ++i) count += take(address) ? 0 : 1;
        return count;
    }

    AddressRate rate{1};
    Instant now = Instant(1h);
};

TEST_F(Rate, GivesAMinutesWorthAtOnceAndThenOneByOne) {
    EXPECT_EQ(taken("192.0.2.7", 100), 60);
    EXPECT_EQ(take("192.0.2.7"), 1s);
    now += 999ms;
    EXPECT_EQ(take("192.0.2.7"), 1ms);
    now += 1ms;
    EXPECT_EQ(taken("192.0.2.7", 100), 1);
    now += 10s;
    EXPECT_EQ(taken("192.0.2.7", 100), 10);
    now += 1h;
    EXPECT_EQ(taken("192.0.2.7", 100), 60);
}

TEST_F(Rate, IsOfEachAddress) {
    EXPECT_EQ(taken("192.0.2.7", 100), 60);
    EXPECT_EQ(taken("192.0.2.8", 100), 60);
}

TEST_F(Rate, TakesAnIpv6NetworkForOneAddress) {
    for (int host = 0; host != 60; ++host) EXPECT_FALSE(take("2001:db8::" + std::to_string(host)));
    EXPECT_TRUE(take("2001:db8::ffff:1"));
    EXPECT_FALSE(take("2001:db8:0:1::1"));
}

TEST_F(Rate, FollowsAChangedBound) {
    EXPECT_EQ(taken("192.0.2.7", 100), 60);
    EXPECT_TRUE(take("192.0.2.7", 30));
    now += 30s;
    EXPECT_FALSE(take("192.0.2.7", 2));
    EXPECT_TRUE(take("192.0.2.7", 2));
}

TEST_F(Rate, RemembersOnlySoMany) {
    const auto address = [](std::size_t number) {
        net::IpAddress made = *net::IpAddress::parse("10.0.0.0");
        for (std::size_t byte = 0; byte != 3; ++byte)
            made.bytes[15 - byte] = static_cast<std::uint8_t>(number >> 8 * byte);
        return made;
    };
    for (std::size_t i = 0; i != AddressRate::entries_max; ++i) static_cast<void>(rate.take(address(i), 60, now));
    EXPECT_EQ(rate.size(), AddressRate::entries_max);
    now += 1s;
    EXPECT_EQ(taken("192.0.2.7", 100), 60);
    EXPECT_EQ(rate.size(), 1U);
    for (std::size_t i = 0; i != 2 * AddressRate::entries_max; ++i) {
        static_cast<void>(rate.take(address(i), 60, now));
        ASSERT_LE(rate.size(), AddressRate::entries_max);
    }
}

}  // namespace
}  // namespace chappe::access
