#include "net/network.h"

#include <vector>

#include <gtest/gtest.h>

namespace chappe::net {
namespace {

TEST(Network, HoldsItsAddresses) {
    const auto holds = [](std::string_view network, std::string_view address) {
        return Network::parse(network)->contains(*IpAddress::parse(address));
    };
    EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
    EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.1"));
    EXPECT_TRUE(holds("192.168.1.5", "192.168.1.5"));
    EXPECT_FALSE(holds("192.168.1.5", "192.168.1.4"));
    EXPECT_TRUE(holds("0.0.0.0/0", "8.8.8.8"));
    EXPECT_FALSE(holds("0.0.0.0/0", "::1"));
    EXPECT_TRUE(holds("::/0", "::1"));
    EXPECT_TRUE(holds("fd00::/8", "fd12::1"));
    EXPECT_FALSE(holds("fd00::/8", "fe80::1"));
}

TEST(Network, HoldsNoUnixSocket) {
    const std::vector networks{*Network::parse("10.0.0.0/8"), *Network::parse("::1")};
    EXPECT_TRUE(any_contains(networks, Endpoint(IpEndpoint{*IpAddress::parse("::1"), 1883})));
    EXPECT_FALSE(any_contains(networks, Endpoint(IpEndpoint{*IpAddress::parse("::2"), 1883})));
    EXPECT_FALSE(any_contains(networks, Endpoint(UnixEndpoint{"/run/chappe.sock"})));
}

TEST(Network, BelongsToOneOwner) {
    EXPECT_EQ(owner_of("192.168.1.5"), "192.168.1.5");
    EXPECT_EQ(owner_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    EXPECT_EQ(owner_of("::1"), "::1");
    EXPECT_EQ(owner_of("fe80::5%1"), "fe80::5%1");
    EXPECT_EQ(owner_of("unix:/run/x"), "unix:/run/x");
}

TEST(Network, IsStrict) {
    for (const auto* text : {"", "x", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8 ", "::/129",
                             "fe80::1%lo", "localhost", "10.0.0.0/8/8"}) {
        EXPECT_FALSE(Network::parse(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace chappe::net
