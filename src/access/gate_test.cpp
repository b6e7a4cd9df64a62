#include "access/gate.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/test_support.h"

namespace chappe::access {
namespace {

using accounts::Ban;
using accounts::BanKind;
using mqtt::ReasonCode;

class Welcoming final : public broker::Authenticator {
public:
    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login&, broker::Ticket) override {
        return broker::Verdict{};
    }
    [[nodiscard]] std::optional<broker::Verdict> proceed(const broker::Continuation&, broker::Ticket) override {
        return broker::Verdict{};
    }
    void abandon(broker::Ticket) override {}
};

class AtTheGate : public testing::Test {
protected:
    std::optional<Gate::Closed> enter(std::string_view address) {
        return gate.enter(net::IpEndpoint{.address = *net::IpAddress::parse(address), .port = 1}, now,
                          WallTime(std::chrono::seconds(500)));
    }
    int entered(std::string_view address, int times) {
        int count = 0;
        for (int i = 0; i != times; ++i) count += enter(address) ? 0 : 1;
        return count;
    }
    broker::Verdict connect(const std::string& address) {
        const broker::Peer peer{.address = address, .certificate = {}};
        auto verdict = gate.authenticate({.peer = peer,
                                          .version = mqtt::ProtocolVersion::V5,
                                          .client_id = "c",
                                          .user_name = {},
                                          .password = {},
                                          .authentication_method = {},
                                          .authentication_data = {}},
                                         {});
        return *std::move(verdict);
    }

    std::shared_ptr<Current> current = current_of({}, {},
                                                  {Ban{BanKind::Address, "203.0.113.0/24", std::nullopt, "noise", 0},
                                                   Ban{BanKind::Address, "198.51.100.1", 400, "over", 0},
                                                   Ban{BanKind::Address, "127.0.0.9", std::nullopt, "here", 0}});
    Welcoming welcoming;
    Gate gate{*current, welcoming, 1};
    Instant now = Instant(1h);
};

TEST_F(AtTheGate, BannedAddressesAreTurnedAway) {
    const auto closed = enter("203.0.113.7");
    ASSERT_TRUE(closed);
    EXPECT_EQ(closed->code, ReasonCode::Banned);
    EXPECT_EQ(closed->why, "the address is banned: noise");
    EXPECT_TRUE(enter("127.0.0.9"));
    EXPECT_FALSE(enter("198.51.100.1"));
    EXPECT_FALSE(enter("192.0.2.7"));
    EXPECT_FALSE(gate.enter(net::UnixEndpoint{"/run/x"}, now, WallTime{}));
    EXPECT_EQ(gate.banned(), 2U);
}

TEST_F(AtTheGate, TheLogHasOneLineAMinuteForEachAddress) {
    EXPECT_TRUE(enter("203.0.113.7")->is_worth_a_line);
    EXPECT_FALSE(enter("203.0.113.7")->is_worth_a_line);
    EXPECT_TRUE(enter("203.0.113.8")->is_worth_a_line);
    now += 1min;
    EXPECT_TRUE(enter("203.0.113.7")->is_worth_a_line);
}

TEST_F(AtTheGate, TooManyConnectsAreToldSoAndFarTooManyConnectionsAreClosed) {
    gate.configure(10, {});
    EXPECT_EQ(entered("192.0.2.7", 100), 20);
    EXPECT_EQ(gate.too_many(), 80U);
    for (int i = 0; i != 10; ++i) EXPECT_EQ(connect("192.0.2.7:4000").code, ReasonCode::Success);
    const auto refused = connect("192.0.2.7:4000");
    EXPECT_EQ(refused.code, ReasonCode::ConnectionRateExceeded);
    EXPECT_THAT(refused.reason, testing::HasSubstr("try again in"));
    EXPECT_EQ(connect("192.0.2.8:4000").code, ReasonCode::Success);
    EXPECT_FALSE(enter("192.0.2.8"));
}

TEST_F(AtTheGate, SomeAreNotCounted) {
    gate.configure(10, {*net::Network::parse("192.0.2.0/24")});
    for (const auto* address : {"192.0.2.7", "127.0.0.1", "::1"}) {
        EXPECT_EQ(entered(address, 100), 100) << address;
        const auto text = net::to_text(net::IpEndpoint{.address = *net::IpAddress::parse(address), .port = 1});
        for (int i = 0; i != 100; ++i) EXPECT_EQ(connect(text).code, ReasonCode::Success) << address;
    }
    for (int i = 0; i != 100; ++i) EXPECT_EQ(connect("unix:/run/x pid=1 uid=0").code, ReasonCode::Success);
}

TEST_F(AtTheGate, WithoutABoundNobodyIsCounted) {
    EXPECT_EQ(entered("192.0.2.7", 100), 100);
    for (int i = 0; i != 100; ++i) EXPECT_EQ(connect("192.0.2.7:4000").code, ReasonCode::Success);
}

}  // namespace
}  // namespace chappe::access
