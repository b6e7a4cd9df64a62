// Receive Maximum and Maximum Packet Size, both ways.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class SendQuota : public testing::Test {
protected:
    static Connect subscription(std::uint16_t receive_maximum) {
        auto connect = lasting("s");
        connect.receive_maximum = receive_maximum;
        return connect;
    }

    void publish_messages(std::uint16_t first, std::uint16_t last, QoS qos) {
        for (auto i = first; i <= last; ++i) {
            publisher.send(publish("a", std::to_string(i), qos, i));
            publisher.send(pubrel(i));
        }
    }

    Broker broker;
    Client subscriber = broker.subscriber(subscription(2), "#", {.qos = ExactlyOnce});
    Client publisher = broker.connect("p");
};

TEST_F(SendQuota, BoundsWhatIsUnacknowledged) {  // [MQTT-3.3.4-9] [MQTT-4.9.0-1] [MQTT-4.9.0-2]
    publish_messages(1, 5, AtLeastOnce);
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"));
    EXPECT_THAT(subscriber.exchange(puback(2)), ElementsAre("PUBLISH a '3' qos=1 id=3"));
    EXPECT_THAT(subscriber.exchange(puback(1)), ElementsAre("PUBLISH a '4' qos=1 id=4"));
    subscriber.send({puback(3), puback(4)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '5' qos=1 id=5"));
}

TEST_F(SendQuota, ComesBackWithPubcompAndNotWithPubrec) {  // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
    publish_messages(1, 3, ExactlyOnce);
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=2 id=1", "PUBLISH a '2' qos=2 id=2"));
    EXPECT_THAT(subscriber.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(subscriber.exchange(pubcomp(1)), ElementsAre("PUBLISH a '3' qos=2 id=3"));
}

TEST_F(SendQuota, ComesBackWithPubrecThatRefuses) {  // [MQTT-3.3.4-9]
    publish_messages(1, 3, ExactlyOnce);
    EXPECT_THAT(subscriber.received(), testing::SizeIs(2));
    EXPECT_THAT(subscriber.exchange(pubrec(1, ReasonCode::UnspecifiedError)), ElementsAre("PUBLISH a '3' qos=2 id=3"));
}

TEST_F(SendQuota, IsNotRaisedByAnAcknowledgementOfNothing) {  // [MQTT-4.9.0-2]
    publish_messages(1, 5, AtLeastOnce);
    EXPECT_THAT(subscriber.received(), testing::SizeIs(2));
    subscriber.send({puback(9), puback(9)});
    EXPECT_THAT(subscriber.received(), IsEmpty());
    EXPECT_THAT(subscriber.exchange(puback(1)), ElementsAre("PUBLISH a '3' qos=1 id=3"));
    EXPECT_THAT(subscriber.exchange(puback(1)), IsEmpty());
}

TEST_F(SendQuota, DelaysNothingElse) {  // [MQTT-3.3.4-10] [MQTT-4.9.0-3]
    publish_messages(1, 5, ExactlyOnce);
    EXPECT_THAT(subscriber.received(), testing::SizeIs(2));
    EXPECT_THAT(subscriber.exchange(PingReq{}), ElementsAre("PINGRESP"));
    EXPECT_THAT(subscriber.exchange(subscribe(2, "b")), ElementsAre("SUBACK 2 0x00"));
    EXPECT_THAT(subscriber.exchange(unsubscribe(3, {"b"})), ElementsAre("UNSUBACK 3 0x00"));
    EXPECT_THAT(subscriber.exchange(publish("c", "x", ExactlyOnce, 4)), ElementsAre("PUBREC 4"));
    EXPECT_THAT(subscriber.exchange(pubrel(4)), ElementsAre("PUBCOMP 4"));
    publisher.send(publish("d", "QoS 0 has no quota"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH d 'QoS 0 has no quota'"));
    EXPECT_THAT(subscriber.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
}

TEST_F(SendQuota, IsThatOfTheNewConnectionWhenTheSessionIsResumed) {  // [MQTT-3.3.4-9] [MQTT-4.9.0-1]
    publish_messages(1, 5, AtLeastOnce);
    subscriber.drop();
    subscriber = broker.connect(subscription(1));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1 dup"));
    EXPECT_THAT(subscriber.exchange(puback(1)), ElementsAre("PUBLISH a '2' qos=1 id=2 dup"));
    EXPECT_THAT(subscriber.exchange(puback(2)), ElementsAre("PUBLISH a '3' qos=1 id=3"));
    subscriber.drop();
    subscriber = broker.connect(subscription(10));
    EXPECT_THAT(subscriber.received(),
                ElementsAre("PUBLISH a '3' qos=1 id=3 dup", "PUBLISH a '4' qos=1 id=4", "PUBLISH a '5' qos=1 id=5"));
}

TEST(ReceiveMaximum, OfTheBrokerIsEnforced) {  // [MQTT-3.3.4-7] [MQTT-4.9.0-3]
    broker::Limits limits;
    limits.receive_maximum = 2;
    Broker broker({.limits = limits});
    auto publisher = broker.open(Connect{.client_id = "p"});
    EXPECT_EQ(std::get<ConnAck>(publisher.packets().at(0)).receive_maximum, 2);
    publisher.send({publish("a", "1", ExactlyOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    EXPECT_THAT(publisher.received(), ElementsAre("PUBREC 1 0x10", "PUBREC 2 0x10"));
    EXPECT_THAT(publisher.exchange(dup(publish("a", "2", ExactlyOnce, 2))), ElementsAre("PUBREC 2"));
    EXPECT_THAT(publisher.exchange(pubrel(1)), ElementsAre("PUBCOMP 1"));
    EXPECT_THAT(publisher.exchange(publish("a", "3", ExactlyOnce, 3)), ElementsAre("PUBREC 3 0x10"));
    EXPECT_THAT(publisher.exchange(publish("a", "4", ExactlyOnce, 4)), ElementsAre("DISCONNECT 0x93", "closed"));
}

TEST(ReceiveMaximum, OfTheBrokerComesBackWithPubrecThatRefuses) {  // [MQTT-3.3.4-7] [MQTT-4.3.3-9]
    broker::Limits limits;
    limits.receive_maximum = 1;
    limits.queue_messages_max = 1;
    Broker broker({.limits = limits, .policy = {.when_full = broker::WhenFull::Reject}});
    broker.subscriber(lasting("s"), "full", {.qos = AtLeastOnce}).drop();
    auto publisher = broker.connect("p");
    publisher.exchange(publish("full", "1", AtLeastOnce, 1));
    for (std::uint16_t i = 2; i <= 4; ++i) {
        EXPECT_THAT(publisher.exchange(publish("full", "x", ExactlyOnce, i)),
                    ElementsAre("PUBREC " + std::to_string(i) + " 0x97"));
    }
}

TEST(ReceiveMaximum, CountsWhatIsSentAgainOnAnotherConnection) {  // [MQTT-3.3.4-7] [MQTT-4.9.0-1]
    broker::Limits limits;
    limits.receive_maximum = 2;
    Broker broker({.limits = limits});
    auto publisher = broker.connect(lasting("p"));
    publisher.exchange(publish("a", "1", ExactlyOnce, 1));
    publisher.drop();
    publisher = broker.connect(lasting("p"));
    const auto again = dup(publish("a", "1", ExactlyOnce, 1));
    EXPECT_THAT(publisher.exchange(again), ElementsAre("PUBREC 1"));
    EXPECT_THAT(publisher.exchange(again),
                ElementsAre("PUBREC 1"));  // It is the same one message, however often it comes.
    EXPECT_THAT(publisher.exchange(publish("a", "2", ExactlyOnce, 2)), ElementsAre("PUBREC 2 0x10"));
    EXPECT_THAT(publisher.exchange(pubrel(1)), ElementsAre("PUBCOMP 1"));
    EXPECT_THAT(publisher.exchange(publish("a", "3", ExactlyOnce, 3)), ElementsAre("PUBREC 3 0x10"));
    EXPECT_THAT(publisher.exchange(publish("a", "4", ExactlyOnce, 4)), ElementsAre("DISCONNECT 0x93", "closed"));
}

TEST(ReceiveMaximum, GivesBackASlotForEachPubcompAsTheClientCounts) {  // [MQTT-4.9.0-2]
    broker::Limits limits;
    limits.receive_maximum = 2;
    Broker broker({.limits = limits});
    auto publisher = broker.connect(lasting("p"));
    publisher.exchange(publish("a", "1", ExactlyOnce, 1));
    publisher.exchange(pubrel(1));
    publisher.drop();
    publisher = broker.connect(lasting("p"));
    publisher.exchange(publish("a", "2", ExactlyOnce, 2));
    EXPECT_THAT(publisher.exchange(pubrel(1)), ElementsAre("PUBCOMP 1 0x92"));  // Its PUBCOMP was lost.
    publisher.send({publish("a", "3", ExactlyOnce, 3), publish("a", "4", ExactlyOnce, 4)});
    EXPECT_THAT(publisher.received(), ElementsAre("PUBREC 3 0x10", "PUBREC 4 0x10"));
}

TEST(Announced, HoldsForTheConnectionWhenAReloadLowersIt) {  // [MQTT-3.3.4-7] [MQTT-3.2.2-15] [MQTT-3.2.2-17]
    Broker broker;
    auto old = broker.connect("old");
    broker::Limits lower;
    lower.receive_maximum = 1;
    lower.packet_size_max = 1024;
    lower.topic_alias_max = 1;
    broker.configure(lower);
    const std::string large(2000, 'x');
    old.send({publish("a", large, ExactlyOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    old.send({with_alias(publish("a", "3"), 2), publish("a", "4", ExactlyOnce, 4)});
    EXPECT_THAT(old.received(), ElementsAre("PUBREC 1 0x10", "PUBREC 2 0x10", "PUBREC 4 0x10"));

    EXPECT_THAT(broker.connect("new").exchange(publish("a", large)), ElementsAre("DISCONNECT 0x95", "closed"));
    EXPECT_THAT(broker.connect("new").exchange(with_alias(publish("a", "3"), 2)),
                ElementsAre("DISCONNECT 0x94", "closed"));
    auto client = broker.connect("new");
    client.send({publish("a", "1", ExactlyOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    EXPECT_THAT(client.received(), ElementsAre("PUBREC 1 0x10", "DISCONNECT 0x93", "closed"));
}

// A PUBLISH to this client of just `size` bytes: type, length, topic "a", identifier, no properties, payload.
constexpr std::size_t publish_overhead = 1 + 1 + 3 + 2 + 1;

TEST(MaximumPacketSize, OfTheClientIsKept) {  // [MQTT-3.1.2-24]
    Broker broker;
    auto subscriber =
        broker.subscriber(Connect{.client_id = "c", .maximum_packet_size = 50}, "a", {.qos = AtLeastOnce});
    auto publisher = broker.connect("p");
    const std::string fits(50 - publish_overhead, 'x');
    publisher.send(publish("a", fits, AtLeastOnce, 1));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '" + fits + "' qos=1 id=1"));
    publisher.send(publish("a", fits + "x", AtLeastOnce, 1));
    EXPECT_THAT(subscriber.received(), IsEmpty());
}

// An alias makes the first packet of a topic longer, also by what its lengths take. The harness looks at the size.
TEST(MaximumPacketSize, LeavesRoomForAnAlias) {     // [MQTT-3.1.2-24]
    constexpr std::uint32_t largest = 2 + 127 + 2;  // With the alias, Remaining Length takes a second byte.
    Broker broker;
    auto publisher = broker.connect("p");
    std::size_t arrived = 0;
    for (std::size_t size = largest - 20; size != largest; ++size) {
        const Connect connect{.client_id = "c", .maximum_packet_size = largest, .topic_alias_maximum = 1};
        auto subscriber = broker.subscriber(connect, "a");
        publisher.send(publish("a", std::string(size, 'x')));
        arrived += subscriber.packets().size();
    }
    EXPECT_GT(arrived, 10U);
}

// [MQTT-3.1.2-25]
TEST(MaximumPacketSize, WhatIsTooLargeCountsAsDelivered) {
    Broker broker;
    Connect connect{.client_id = "c", .receive_maximum = 1, .maximum_packet_size = 50};
    auto subscriber = broker.subscriber(connect, "#", {.qos = ExactlyOnce});
    auto other = broker.subscriber("other", "#");
    auto publisher = broker.connect("p");
    const std::string large(100, 'x');
    for (auto qos : {AtMostOnce, AtLeastOnce, ExactlyOnce}) {
        publisher.send({publish("a", large, qos, 1), pubrel(1)});
        publisher.send(publish("b", "small", AtLeastOnce, 2));
        auto packets = subscriber.packets();
        ASSERT_EQ(packets.size(), 1U);
        EXPECT_EQ(std::get<Publish>(packets[0]).topic, "b");
        subscriber.send(puback(std::get<Publish>(packets[0]).packet_id.value));
    }
    EXPECT_THAT(other.received(), testing::SizeIs(6));
    EXPECT_TRUE(subscriber.connected());
}

TEST(MaximumPacketSize, CountsWhatWaitedForAnotherConnectionToo) {  // [MQTT-3.1.2-24] [MQTT-3.1.2-25]
    Broker broker;
    auto connect = lasting("c");
    broker.subscriber(connect, "#", {.qos = ExactlyOnce}).drop();
    auto publisher = broker.connect("p");
    publisher.send({publish("a", std::string(100, 'x'), AtLeastOnce, 1), publish("b", "small", AtLeastOnce, 2)});
    connect.maximum_packet_size = 50;
    EXPECT_THAT(broker.open(connect).received(),
                ElementsAre("CONNACK 0x00 session_present", testing::StartsWith("PUBLISH b 'small' qos=1")));
}

TEST(MaximumPacketSize, OfTheBrokerIsEnforced) {  // [MQTT-3.2.2-15]
    broker::Limits limits;
    limits.packet_size_max = 50;
    Broker broker({.limits = limits});
    auto client = broker.open(Connect{.client_id = "c"});
    EXPECT_EQ(std::get<ConnAck>(client.packets().at(0)).maximum_packet_size, 50);
    EXPECT_THAT(client.exchange(publish("a", std::string(50 - publish_overhead, 'x'), AtLeastOnce, 1)),
                ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(client.exchange(publish("a", std::string(51 - publish_overhead, 'x'), AtLeastOnce, 1)),
                ElementsAre("DISCONNECT 0x95", "closed"));
}

}  // namespace
}  // namespace chappe::conformance
