#include "net/endpoint.h"

#include <gtest/gtest.h>

#include "net/socket_address.h"

namespace chappe::net {
namespace {

TEST(IpAddress, IsPrintedAsItIsWritten) {
    for (const auto* text : {"192.168.1.5", "0.0.0.0", "::", "::1", "2001:db8::5", "fe80::1%1"}) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_EQ(address->text(), text);
    }
    EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1")->text(), "10.0.0.1");
    EXPECT_EQ(IpAddress::parse("::ffff:10.0.0.1"), IpAddress::parse("10.0.0.1"));
    EXPECT_EQ(IpAddress::parse("fe80::1%lo"), IpAddress::parse("fe80::1%1"));
}

TEST(IpAddress, RefusesWhatIsNone) {
    for (const auto* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", " 1.2.3.4", "::g", "[::1]",
                             "1.2.3.4:5", "::1%", "::1%no-such-interface"}) {
        EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
    }
    EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0", 8)).has_value());
}

TEST(IpAddress, KnowsSpecialAddresses) {
    EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_any());
    EXPECT_TRUE(IpAddress::parse("::")->is_any());
    EXPECT_FALSE(IpAddress::parse("0.0.0.1")->is_any());
    EXPECT_FALSE(IpAddress::parse("::1")->is_any());
    EXPECT_TRUE(IpAddress::parse("10.0.0.1")->is_v4());
    EXPECT_FALSE(IpAddress::parse("::10.0.0.1")->is_v4());
}

TEST(Endpoint, SurvivesTheKernelsForm) {
    const Endpoint endpoints[] = {IpEndpoint{*IpAddress::parse("192.168.1.5"), 1883},
                                  IpEndpoint{*IpAddress::parse("2001:db8::5"), 65535},
                                  IpEndpoint{*IpAddress::parse("fe80::1%1"), 1}, UnixEndpoint{"/run/chappe.sock"},
                                  UnixEndpoint{std::string(107, 'x')}};
    for (const auto& endpoint : endpoints) {
        const auto address = to_socket_address(endpoint);
        ASSERT_TRUE(address.has_value());
        EXPECT_EQ(to_endpoint(*address), endpoint) << to_text(endpoint);
    }
    EXPECT_EQ(to_socket_address(IpEndpoint{*IpAddress::parse("1.2.3.4"), 1})->storage.ss_family, AF_INET);
    EXPECT_EQ(to_socket_address(UnixEndpoint{std::string(108, 'x')}).error().code, ENAMETOOLONG);
    EXPECT_EQ(to_socket_address(UnixEndpoint{}).error().code, EINVAL);
}

TEST(Peer, TellsWhoItIs) {
    EXPECT_EQ((Peer{IpEndpoint{*IpAddress::parse("192.168.1.5"), 50312}, {}}.text()), "192.168.1.5:50312");
    EXPECT_EQ((Peer{IpEndpoint{*IpAddress::parse("::1"), 50312}, {}}.text()), "[::1]:50312");
    EXPECT_EQ((Peer{IpEndpoint{*IpAddress::parse("192.168.1.5"), 0}, {}}.text()), "192.168.1.5");
    EXPECT_EQ((Peer{IpEndpoint{*IpAddress::parse("2001:db8::5"), 0}, {}}.text()), "[2001:db8::5]");
    const Peer local{UnixEndpoint{"/run/x"}, Credentials{.process = 4242, .user = 1000, .group = 100}};
    EXPECT_EQ(local.text(), "unix:/run/x pid=4242 uid=1000");
    EXPECT_TRUE(local.is_local());
    EXPECT_TRUE((Peer{IpEndpoint{*IpAddress::parse("127.0.0.9"), 1}, {}}.is_local()));
    EXPECT_FALSE((Peer{IpEndpoint{*IpAddress::parse("192.168.1.5"), 1}, {}}.is_local()));
}

TEST(Endpoint, WithoutItsPort) {
    EXPECT_EQ(without_port("192.0.2.1:1883"), "192.0.2.1");
    EXPECT_EQ(without_port("[2001:db8::1]:1883"), "2001:db8::1");
    for (const auto* text : {"192.0.2.1", "2001:db8::1", "unix:/run/x", "unix:", ""})
        EXPECT_EQ(without_port(text), text);
}

}  // namespace
}  // namespace chappe::net
