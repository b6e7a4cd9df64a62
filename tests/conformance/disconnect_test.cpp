// How a connection ends: DISCONNECT both ways, and what still happens after it.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Disconnecting : public BothVersions {
protected:
    Broker broker;
    Client watcher = broker.subscriber("w", "#");
    Client client = broker.connect(brief("c"));
};
CHAPPE_BOTH_VERSIONS(Disconnecting);

// [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT3-4.8.0-1]
TEST_P(Disconnecting, NothingIsSentOrDoneAfterAnErrorOfTheClient) {
    client.send({PingReq{}, publish("a", "before"), brief("c"), PingReq{}, publish("a", "after"), subscribe(1, "a")});
    EXPECT_THAT(client.received(), version() == V5
                                       ? testing::Matcher<Lines>(ElementsAre("PINGRESP", "DISCONNECT 0x82", "closed"))
                                       : testing::Matcher<Lines>(ElementsAre("PINGRESP", "closed")));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH a 'before'"));
}

TEST_P(Disconnecting, NothingIsSentOrDoneAfterTheClientsDisconnect) {  // [MQTT-3.14.4-3] [MQTT3-3.14.4-3]
    client.send({publish("a", "before"), disconnect(), PingReq{}, publish("a", "after")});
    EXPECT_THAT(client.received(), ElementsAre("closed"));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH a 'before'"));
}

// Packets that only a server sends.
TEST_P(Disconnecting, PacketsOfAServerAreProtocolErrors) {  // [MQTT-4.13.1-1] [MQTT3-4.8.0-1]
    for (const auto& packet :
         {Packet{ConnAck{}}, Packet{SubAck{.packet_id = PacketId{1}, .reason_codes = {ReasonCode::Success}}},
          Packet{UnsubAck{.packet_id = PacketId{1}, .reason_codes = {ReasonCode::Success}}}, Packet{PingResp{}}}) {
        EXPECT_EQ(broker.connect(brief("x")).exchange(packet), ended(version(), "DISCONNECT 0x82"));
    }
}

// The session expiry interval would show in these lines.
TEST(Disconnect, TellsTheReasonAndNoSessionExpiry) {  // [MQTT-3.14.2-1] [MQTT-3.14.2-2] [MQTT-4.13.1-1]
    broker::Limits limits;
    limits.receive_maximum = 1;
    limits.packet_size_max = 100;
    limits.topic_alias_max = 1;
    Broker broker({.limits = limits});
    const auto ends_with = [&](const std::vector<Packet>& packets, std::string_view line) {
        auto client = broker.connect(lasting("c"));
        for (const auto& packet : packets) client.send(packet);
        const auto lines = client.received();
        ASSERT_GE(lines.size(), 2U);
        EXPECT_EQ(lines[lines.size() - 2], line);
        EXPECT_EQ(lines.back(), "closed");
    };
    ends_with({Connect{}}, "DISCONNECT 0x82");
    ends_with({publish("a/#", "x")}, "DISCONNECT 0x90");
    ends_with({publish("a", "x", ExactlyOnce, 1), publish("a", "x", ExactlyOnce, 2)}, "DISCONNECT 0x93");
    ends_with({with_alias(publish("a", "x"), 2)}, "DISCONNECT 0x94");
    ends_with({publish("a", std::string(100, 'x'))}, "DISCONNECT 0x95");

    auto client = broker.connect(lasting("c"));
    client.send_bytes({0xC1, 0});  // PINGREQ with a reserved flag.
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x81", "closed"));
}

// Whatever else is wrong with it: 0x84, for a version that is not known, is a code of CONNACK alone.
TEST(Disconnect, ASecondConnectIsAProtocolErrorWhateverItSays) {  // [MQTT-3.1.0-2]
    Broker broker;
    auto client = broker.connect("c");
    client.send_bytes({0x10, 10, 0, 4, 'M', 'Q', 'T', 'X', 9, 2, 0, 0});
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x82", "closed"));
}

TEST(Disconnect, LeavesOutTheOtherServerWhereTheClientTakesNoPacketSoLarge) {  // [MQTT-3.1.2-24]
    Broker broker;
    auto small = broker.connect(Connect{.client_id = "s", .maximum_packet_size = 24});
    auto large = broker.connect(Connect{.client_id = "l", .maximum_packet_size = 100});
    broker.redirect_clients({.server_reference = "mqtt://another.example"});
    EXPECT_THAT(small.received(), ElementsAre("DISCONNECT 0x9C", "closed"));
    EXPECT_THAT(large.received(), ElementsAre("DISCONNECT 0x9C server='mqtt://another.example'", "closed"));
}

TEST(Disconnect, LeavesOutAnotherServerWhoseNameIsLongerThanATextCanBe) {  // 1.5.4
    Broker broker;
    auto client = broker.connect("c");
    broker.redirect_clients({.server_reference = std::string(65'536, 's')});
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x9C", "closed"));
}

// What they send now cannot be answered any more, and must not be taken.
TEST(Shutdown, ReadsNothingMoreFromClients) {
    Broker broker;
    auto watcher = broker.subscriber("w", "#");
    auto client = broker.connect("c");
    broker.begin_shutdown();
    client.send(publish("a", "late", AtLeastOnce, 1));
    broker.shut_down();
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x8B", "closed"));
    EXPECT_THAT(watcher.received(), ElementsAre("DISCONNECT 0x8B", "closed"));
}

TEST_P(Disconnecting, ShutdownEndsEveryConnection) {  // [MQTT-3.14.2-1]
    auto silent = broker.open(version());
    broker.shut_down();
    EXPECT_EQ(client.received(), ended(version(), "DISCONNECT 0x8B"));
    EXPECT_THAT(watcher.received(), ElementsAre("DISCONNECT 0x8B", "closed"));
    EXPECT_THAT(silent.received(), ElementsAre("closed"));
}

}  // namespace
}  // namespace chappe::conformance
