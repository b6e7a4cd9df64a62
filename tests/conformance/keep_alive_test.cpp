// Keep alive: when silence ends a connection, and when it does not.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class KeepAlive : public BothVersions {
protected:
    static Connect client(std::uint16_t keep_alive_seconds) {
        auto connect = brief("c");
        connect.keep_alive_seconds = keep_alive_seconds;
        return connect;
    }
};
CHAPPE_BOTH_VERSIONS(KeepAlive);

// [MQTT-3.1.2-22] [MQTT-3.2.2-22] [MQTT3-3.1.2-24]
TEST_P(KeepAlive, SilenceForOneAndAHalfTimesEndsTheConnection) {
    Broker broker;
    auto watcher = broker.subscriber("w", "will");
    auto connect = client(10);
    connect.will = Will{.topic = "will", .payload = as_bytes("lost")};
    auto silent = broker.connect(connect);

    broker.advance(14'999ms);
    EXPECT_TRUE(silent.connected());
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.advance(1ms);
    EXPECT_EQ(silent.received(), ended(version(), "DISCONNECT 0x8D"));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

// [MQTT-3.1.2-22] [MQTT3-3.1.2-24]
TEST_P(KeepAlive, EveryPacketCounts) {
    Broker broker;
    auto alive = broker.connect(client(10));
    for (const auto& packet :
         {Packet{PingReq{}}, Packet{publish("a", "x")}, Packet{subscribe(1, "a")}, Packet{unsubscribe(2, {"a"})},
          Packet{publish("a", "x", ExactlyOnce, 3)}, Packet{pubrel(3)}}) {
        broker.advance(14s);
        alive.send(packet);
    }
    broker.advance(14s);
    EXPECT_TRUE(alive.connected());
    broker.advance(2s);
    EXPECT_FALSE(alive.connected());
}

// What the broker sends is no sign of life of the client.
TEST_P(KeepAlive, WhatTheBrokerSendsDoesNotCount) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]
    Broker broker;
    auto connect = client(10);
    auto silent = broker.subscriber(connect, "a");
    auto publisher = broker.connect("p");
    for (int second = 0; second < 14; ++second) {
        broker.advance(1s);
        publisher.send(publish("a", "x"));
    }
    EXPECT_TRUE(silent.connected());
    broker.advance(1s);
    EXPECT_FALSE(silent.connected());
}

TEST_P(KeepAlive, ZeroMeansForEver) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]
    Broker broker;
    auto silent = broker.connect(client(0));
    broker.advance(3h);
    EXPECT_TRUE(silent.connected());
}

TEST(ServerKeepAlive, IsToldWhereTheBoundIsLowerAndThenCounts) {  // [MQTT-3.1.2-22]
    broker::Limits limits;
    limits.keep_alive_max_seconds = 4;
    Broker broker({.limits = limits});
    for (auto asked : {std::uint16_t{0}, std::uint16_t{10}}) {
        auto silent = broker.open(Connect{.keep_alive_seconds = asked, .client_id = "c"});
        EXPECT_THAT(silent.received(), ElementsAre("CONNACK 0x00 keep_alive=4"));
        broker.advance(5'999ms);
        EXPECT_TRUE(silent.connected());
        broker.advance(1ms);
        EXPECT_THAT(silent.received(), ElementsAre("DISCONNECT 0x8D", "closed"));
    }
}

TEST(ServerKeepAlive, IsNotToldWhereTheClientsOwnIsKept) {  // [MQTT-3.2.2-22]
    broker::Limits limits;
    limits.keep_alive_max_seconds = 4;
    Broker broker({.limits = limits});
    EXPECT_THAT(broker.open(Connect{.keep_alive_seconds = 4, .client_id = "c"}).received(),
                ElementsAre("CONNACK 0x00"));
}

// Another shard has not emptied its mailbox, so this one reads nobody: what the client sends meanwhile does count, once
// it is read, and silence does not.
TEST_P(KeepAlive, TimeInWhichTheBrokerDoesNotReadDoesNotCount) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]
    Broker broker({.limits = {.mailbox_bytes_max = 4096}});
    for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8"}) {  // On both shards.
        static_cast<void>(broker.subscriber(Connect{.client_id = name}, "a"));
    }
    auto alive = broker.connect(client(10));
    broker.advance(5s);
    broker.hold_mail();
    for (int i = 0; i < 4; ++i) alive.send(publish("a", std::string(1000, 'x')));
    ASSERT_EQ(broker.reached(broker::Bound::MailboxBytesMax), 1U);
    broker.advance(100s);
    alive.send(PingReq{});
    EXPECT_TRUE(alive.connected());
    EXPECT_THAT(alive.received(), IsEmpty());
    broker.read_mail();
    EXPECT_THAT(alive.received(), ElementsAre("PINGRESP"));

    broker.advance(14'999ms);
    EXPECT_TRUE(alive.connected());
    broker.advance(1ms);
    EXPECT_FALSE(alive.connected());
}

TEST_P(KeepAlive, SilenceIsCountedOnWhereTheBrokerReadsAgain) {  // [MQTT-3.1.2-22] [MQTT3-3.1.2-24]
    Broker broker({.limits = {.mailbox_bytes_max = 4096}});
    for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        static_cast<void>(broker.subscriber(Connect{.client_id = name}, "a"));
    }
    auto silent = broker.connect(client(10));
    broker.hold_mail();
    for (int i = 0; i < 4; ++i) silent.send(publish("a", std::string(1000, 'x')));
    broker.advance(100s);
    broker.read_mail();
    broker.advance(14s);
    EXPECT_TRUE(silent.connected());
    broker.advance(1s);
    EXPECT_FALSE(silent.connected());
}

}  // namespace
}  // namespace chappe::conformance
