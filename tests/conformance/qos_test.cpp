// The three qualities of service, as sender and as receiver, within a connection and across two.

#include <set>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Delivery : public BothVersions {
protected:
    // Drops the subscriber's connection and resumes its session. CONNACK has been taken.
    void reconnect() {
        subscriber.drop();
        subscriber = broker.connect(lasting("s"));
    }

    Broker broker;
    Client subscriber = broker.subscriber(lasting("s"), "#", {.qos = ExactlyOnce});
    Client publisher = broker.connect(lasting("p"));
};
class FromPublisher : public Delivery {};
CHAPPE_BOTH_VERSIONS(FromPublisher);

class ToSubscriber : public Delivery {};
CHAPPE_BOTH_VERSIONS(ToSubscriber);

// [MQTT-3.3.4-1] [MQTT-2.2.1-5] [MQTT-4.3.2-4] [MQTT-4.3.3-8] [MQTT3-3.3.4-1] [MQTT3-2.3.1-6] [MQTT3-4.3.2-2]
// [MQTT3-4.3.3-2]
TEST_P(FromPublisher, IsAnsweredAsItsQoSSays) {
    EXPECT_THAT(publisher.exchange(publish("a", "0")), IsEmpty());
    EXPECT_THAT(publisher.exchange(publish("a", "1", AtLeastOnce, 65'535)), ElementsAre("PUBACK 65535"));
    EXPECT_THAT(publisher.exchange(publish("a", "2", ExactlyOnce, 300)), ElementsAre("PUBREC 300"));
    EXPECT_THAT(publisher.exchange(pubrel(300)), ElementsAre("PUBCOMP 300"));
    EXPECT_THAT(subscriber.received(),
                ElementsAre("PUBLISH a '0'", "PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=2 id=2"));
}

// [MQTT-4.3.2-5] [MQTT3-4.3.2-2]
TEST_P(FromPublisher, QoS1WithAnIdentifierAcknowledgedBeforeIsANewMessage) {
    EXPECT_THAT(publisher.exchange(publish("a", "x", AtLeastOnce, 5)), ElementsAre("PUBACK 5"));
    EXPECT_THAT(publisher.exchange(publish("a", "y", AtLeastOnce, 5)), ElementsAre("PUBACK 5"));
    EXPECT_THAT(publisher.exchange(dup(publish("a", "z", AtLeastOnce, 5))), ElementsAre("PUBACK 5"));
    EXPECT_THAT(subscriber.received(),
                ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'y' qos=1 id=2", "PUBLISH a 'z' qos=1 id=3"));
}

// [MQTT-4.3.3-10] [MQTT-4.3.3-11] [MQTT-4.3.3-12] [MQTT3-4.3.3-2]
TEST_P(FromPublisher, QoS2IsDeliveredOnceUntilItIsReleased) {
    EXPECT_THAT(publisher.exchange(publish("a", "x", ExactlyOnce, 5)), ElementsAre("PUBREC 5"));
    EXPECT_THAT(publisher.exchange(dup(publish("a", "x", ExactlyOnce, 5))), ElementsAre("PUBREC 5"));
    EXPECT_THAT(publisher.exchange(publish("a", "x", ExactlyOnce, 5)), ElementsAre("PUBREC 5"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));

    EXPECT_THAT(publisher.exchange(pubrel(5)), ElementsAre("PUBCOMP 5"));
    EXPECT_THAT(publisher.exchange(publish("a", "y", ExactlyOnce, 5)), ElementsAre("PUBREC 5"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'y' qos=2 id=2"));
}

// [MQTT-4.3.3-10] [MQTT-4.1.0-1] [MQTT3-4.3.3-2] [MQTT3-4.1.0-1]
TEST_P(FromPublisher, QoS2IsDeliveredOnceAcrossConnections) {
    EXPECT_THAT(publisher.exchange(publish("a", "x", ExactlyOnce, 5)), ElementsAre("PUBREC 5"));
    publisher.drop();
    publisher = broker.connect(lasting("p"));
    EXPECT_THAT(publisher.exchange(dup(publish("a", "x", ExactlyOnce, 5))), ElementsAre("PUBREC 5"));
    publisher.drop();
    publisher = broker.connect(lasting("p"));
    EXPECT_THAT(publisher.exchange(pubrel(5)), ElementsAre("PUBCOMP 5"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
}

TEST_P(FromPublisher, PubrelIsAnsweredAlsoTheSecondTime) {  // [MQTT-4.3.3-11] [MQTT3-4.3.3-2]
    publisher.exchange(publish("a", "x", ExactlyOnce, 5));
    EXPECT_THAT(publisher.exchange(pubrel(5)), ElementsAre("PUBCOMP 5"));
    EXPECT_THAT(publisher.exchange(pubrel(5)), ElementsAre(version() == V5 ? "PUBCOMP 5 0x92" : "PUBCOMP 5"));
}

// [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2] [MQTT3-3.3.1-3] [MQTT3-4.3.2-1] [MQTT3-4.3.3-1]
TEST_P(ToSubscriber, DupOfThePublisherIsNotHandedOn) {
    publisher.send({dup(publish("a", "1", AtLeastOnce, 1)), dup(publish("a", "2", ExactlyOnce, 2))});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=2 id=2"));
}

// [MQTT-4.3.1-1] [MQTT-3.3.1-2] [MQTT-2.2.1-2] [MQTT3-4.3.1-1] [MQTT3-3.3.1-2] [MQTT3-2.3.1-5]
TEST_P(ToSubscriber, QoS0HasNeitherDupNorIdentifier) {
    publisher.send(publish("a", "x"));
    EXPECT_EQ(subscriber.received_bytes(), version() == V5 ? std::vector<std::uint8_t>({0x30, 5, 0, 1, 'a', 0, 'x'})
                                                           : std::vector<std::uint8_t>({0x30, 4, 0, 1, 'a', 'x'}));
}

// [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] [MQTT3-2.3.1-1] [MQTT3-2.3.1-4] [MQTT3-4.3.2-1] [MQTT3-4.3.3-1]
TEST_P(ToSubscriber, EachNewMessageHasAnIdentifierThatIsNotInUse) {
    for (std::uint16_t i = 1; i <= 50; ++i)
        publisher.send(publish("a", "x", i % 2 == 0 ? AtLeastOnce : ExactlyOnce, i));
    std::set<std::uint16_t> in_use;
    for (const auto& packet : subscriber.packets()) {
        const auto id = std::get<Publish>(packet).packet_id.value;
        EXPECT_NE(id, 0);
        EXPECT_TRUE(in_use.insert(id).second) << id;
    }
    EXPECT_EQ(in_use.size(), 50);
}

// [MQTT-3.3.1-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-4.4.0-1] [MQTT-4.6.0-5] [MQTT3-3.3.1-1] [MQTT3-4.4.0-1]
// [MQTT3-4.6.0-6]
TEST_P(ToSubscriber, WhatIsUnacknowledgedIsSentAgainInOrderWhenTheSessionIsResumed) {
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("b", "2", ExactlyOnce, 2),
                    publish("c", "3", AtLeastOnce, 3), publish("d", "4", ExactlyOnce, 4),
                    publish("e", "5", AtLeastOnce, 5)});
    EXPECT_THAT(subscriber.received(), testing::SizeIs(5));
    subscriber.send(puback(3));
    for (int i = 0; i < 3; ++i) {
        reconnect();
        EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1 dup", "PUBLISH b '2' qos=2 id=2 dup",
                                                       "PUBLISH d '4' qos=2 id=4 dup", "PUBLISH e '5' qos=1 id=5 dup"));
    }
}

// [MQTT-4.4.0-1] [MQTT-4.3.2-3] [MQTT3-4.3.2-1]
TEST_P(ToSubscriber, NothingIsSentAgainWithinAConnection) {
    publisher.send(
        {publish("a", "1", AtLeastOnce, 1), publish("a", "2", ExactlyOnce, 2), publish("a", "3", ExactlyOnce, 3)});
    EXPECT_THAT(subscriber.received(), testing::SizeIs(3));
    EXPECT_THAT(subscriber.exchange(pubrec(3)), ElementsAre("PUBREL 3"));
    broker.advance(1h);
    EXPECT_THAT(subscriber.received(), IsEmpty());
}

// [MQTT-4.3.3-4] [MQTT-4.3.3-5] [MQTT-4.3.3-6] [MQTT-4.4.0-1] [MQTT-2.2.1-5] [MQTT3-4.3.3-1] [MQTT3-4.4.0-1]
// [MQTT3-2.3.1-6]
TEST_P(ToSubscriber, PubrelIsSentAgainAndThePublishNotOncePubrecHasCome) {
    publisher.send(publish("a", "x", ExactlyOnce, 9));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    EXPECT_THAT(subscriber.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    reconnect();
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBREL 1"));
    EXPECT_THAT(subscriber.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(subscriber.exchange(pubcomp(1)), IsEmpty());
    reconnect();
    EXPECT_THAT(subscriber.received(), IsEmpty());
}

TEST_P(ToSubscriber, PubrelsGoInTheOrderOfThePubrecs) {  // [MQTT3-4.6.0-6]
    publisher.send(
        {publish("a", "1", ExactlyOnce, 1), publish("a", "2", ExactlyOnce, 2), publish("a", "3", ExactlyOnce, 3)});
    EXPECT_THAT(subscriber.received(), testing::SizeIs(3));
    subscriber.send({pubrec(2), pubrec(3), pubrec(1)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBREL 2", "PUBREL 3", "PUBREL 1"));
    reconnect();
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBREL 2", "PUBREL 3", "PUBREL 1"));
}

// [MQTT3-4.6.0-6]
TEST_P(FromPublisher, AcknowledgementsGoInTheOrderOfThePublish) {
    publisher.send(
        {publish("a", "1", AtLeastOnce, 3), publish("a", "2", ExactlyOnce, 1), publish("a", "3", AtLeastOnce, 2)});
    EXPECT_THAT(publisher.received(), ElementsAre("PUBACK 3", "PUBREC 1", "PUBACK 2"));
}

TEST_P(ToSubscriber, WhatIsAcknowledgedIsNotSentAgain) {  // [MQTT-4.3.2-3] [MQTT3-4.3.2-1]
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", AtLeastOnce, 2)});
    subscriber.send({puback(1), puback(2)});
    reconnect();
    (void)subscriber.received();
    reconnect();
    EXPECT_THAT(subscriber.received(), IsEmpty());
}

// [MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT3-4.6.0-5] [MQTT3-4.6.0-6]
TEST_P(ToSubscriber, MessagesKeepTheirOrder) {
    auto second = broker.connect(brief("second"));
    for (auto qos : {AtMostOnce, AtLeastOnce, ExactlyOnce}) {
        Lines sent;
        for (int i = 0; i < 100; ++i) {
            sent.push_back(std::to_string(i));
            (i % 3 == 0 ? second : publisher).send(publish("a", sent.back(), qos, static_cast<std::uint16_t>(i + 1)));
            (i % 3 == 0 ? second : publisher).send(pubrel(static_cast<std::uint16_t>(i + 1)));
            (void)second.received();
        }
        Lines got;
        while (got.size() < sent.size()) {
            const auto packets = subscriber.packets();
            ASSERT_FALSE(packets.empty());
            for (const auto& packet : packets) {
                if (const auto* message = std::get_if<Publish>(&packet)) {
                    got.emplace_back(as_text(message->payload));
                    if (qos == AtLeastOnce) subscriber.send(puback(message->packet_id.value));
                    if (qos == ExactlyOnce)
                        subscriber.send({pubrec(message->packet_id.value), pubcomp(message->packet_id.value)});
                }
            }
        }
        EXPECT_EQ(got, sent);
        (void)subscriber.received();
    }
}

// What 5.0 adds: reason codes in acknowledgements, and message expiry.

class Delivery5 : public testing::Test {
protected:
    void reconnect() {
        subscriber.drop();
        subscriber = broker.connect(subscription());
    }

    static Connect subscription() {
        auto connect = lasting("s");
        connect.receive_maximum = 1;
        return connect;
    }

    Broker broker;
    Client subscriber = broker.subscriber(subscription(), "#", {.qos = ExactlyOnce});
    Client publisher = broker.connect("p");
};

TEST_F(Delivery5, RefusedBySubscriberIsAcknowledged) {  // [MQTT-4.4.0-2]
    publisher.send(
        {publish("a", "1", AtLeastOnce, 1), publish("a", "2", ExactlyOnce, 2), publish("a", "3", AtLeastOnce, 3)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1"));
    EXPECT_THAT(subscriber.exchange(puback(1, ReasonCode::NotAuthorized)), ElementsAre("PUBLISH a '2' qos=2 id=2"));
    EXPECT_THAT(subscriber.exchange(pubrec(2, ReasonCode::QuotaExceeded)), ElementsAre("PUBLISH a '3' qos=1 id=3"));
    reconnect();
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '3' qos=1 id=3 dup"));
}

TEST_F(Delivery5, MessageExpiryDoesNotCountOnceTheMessageWasSent) {  // [MQTT-4.3.3-7]
    publisher.send(expiring(publish("a", "x", ExactlyOnce, 1), 10));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1 expiry=10"));
    broker.advance(1h);
    reconnect();
    EXPECT_THAT(subscriber.received(), ElementsAre(testing::StartsWith("PUBLISH a 'x' qos=2 id=1 dup")));
    EXPECT_THAT(subscriber.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
}

TEST_F(Delivery5, MessageExpiryDoesNotEndTheReceipt) {  // [MQTT-4.3.3-13]
    subscriber.drop();
    EXPECT_THAT(publisher.exchange(expiring(publish("a", "x", ExactlyOnce, 7), 10)), ElementsAre("PUBREC 7"));
    broker.advance(1h);
    EXPECT_THAT(publisher.exchange(dup(expiring(publish("a", "x", ExactlyOnce, 7), 10))), ElementsAre("PUBREC 7"));
    EXPECT_THAT(publisher.exchange(pubrel(7)), ElementsAre("PUBCOMP 7"));
    subscriber = broker.connect(subscription());
    EXPECT_THAT(subscriber.received(), IsEmpty());
}

// [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
TEST_F(Delivery5, AcknowledgementsTellWhatTheyFound) {
    auto alone = broker.connect("alone");
    EXPECT_THAT(alone.exchange(pubrel(9)), ElementsAre("PUBCOMP 9 0x92"));
    EXPECT_THAT(alone.exchange(pubrec(9)), ElementsAre("PUBREL 9 0x92"));
    subscriber.send(unsubscribe(2, {"#"}));
    EXPECT_THAT(alone.exchange(publish("a", "x", AtLeastOnce, 1)), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(alone.exchange(publish("a", "x", ExactlyOnce, 2)), ElementsAre("PUBREC 2 0x10"));
    EXPECT_THAT(alone.exchange(pubrel(2)), ElementsAre("PUBCOMP 2"));
}

// A publisher that is told that its message was not queued: reject on a full queue.

broker::Limits one_message_per_queue() {
    broker::Limits limits;
    limits.queue_messages_max = 1;
    return limits;
}

// [MQTT-4.3.3-9] [MQTT-3.4.2-1] [MQTT-3.5.2-1]
TEST(Rejected, MessageMayComeAgainUnderItsIdentifierAndIsNewThen) {
    Broker broker({.limits = one_message_per_queue(), .policy = {.when_full = broker::WhenFull::Reject}});
    broker.subscriber(lasting("s"), "#", {.qos = ExactlyOnce}).drop();
    auto publisher = broker.connect("p");
    EXPECT_THAT(publisher.exchange(publish("a", "1", AtLeastOnce, 1)), ElementsAre("PUBACK 1"));
    EXPECT_THAT(publisher.exchange(publish("a", "2", AtLeastOnce, 1)), ElementsAre("PUBACK 1 0x97"));
    EXPECT_THAT(publisher.exchange(publish("a", "3", ExactlyOnce, 2)), ElementsAre("PUBREC 2 0x97"));

    auto subscriber = broker.connect(lasting("s"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1"));
    EXPECT_THAT(publisher.exchange(publish("a", "4", ExactlyOnce, 2)), ElementsAre("PUBREC 2"));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '4' qos=2 id=2"));
    EXPECT_THAT(publisher.exchange(pubrel(2)), ElementsAre("PUBCOMP 2"));
}

TEST(Rejected, PublisherOf311LosesItsConnection) {  // [MQTT3-4.8.0-2] [MQTT3-3.3.5-2]
    Broker broker({.limits = one_message_per_queue(), .policy = {.when_full = broker::WhenFull::Reject}});
    broker.subscriber(lasting("s"), "#", {.qos = ExactlyOnce}).drop();
    auto publisher = broker.connect("p", V311);
    EXPECT_THAT(publisher.exchange(publish("a", "1", AtLeastOnce, 1)), ElementsAre("PUBACK 1"));
    EXPECT_THAT(publisher.exchange(publish("a", "2", AtLeastOnce, 2)), ElementsAre("closed"));
}

}  // namespace
}  // namespace chappe::conformance
