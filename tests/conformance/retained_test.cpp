// Retained messages, and RETAIN on what is forwarded.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Retained : public BothVersions {
protected:
    Lines subscribing(std::string_view filter, QoS qos = ExactlyOnce) {
        return broker.connect(brief("late")).exchange(subscribe(1, filter, qos));
    }

    Broker broker;
    Client publisher = broker.connect(brief("p"));
};
CHAPPE_BOTH_VERSIONS(Retained);

// [MQTT-3.3.1-5] [MQTT-3.3.1-9] [MQTT3-3.3.1-5] [MQTT3-3.3.1-6] [MQTT3-3.3.1-8]
TEST_P(Retained, SentToNewSubscribersWithTheirQoS) {
    publisher.send(retained(publish("zero", "x")));
    publisher.send(retained(publish("one", "y", AtLeastOnce, 1)));
    publisher.send({retained(publish("two", "z", ExactlyOnce, 2)), pubrel(2)});
    EXPECT_THAT(subscribing("zero"), ElementsAre("SUBACK 1 0x02", "PUBLISH zero 'x' retain"));
    EXPECT_THAT(subscribing("one"), ElementsAre("SUBACK 1 0x02", "PUBLISH one 'y' qos=1 id=1 retain"));
    EXPECT_THAT(subscribing("two"), ElementsAre("SUBACK 1 0x02", "PUBLISH two 'z' qos=2 id=1 retain"));
    EXPECT_THAT(subscribing("two", AtMostOnce), ElementsAre("SUBACK 1 0x00", "PUBLISH two 'z' retain"));
}

TEST_P(Retained, SentForEachTopicThatMatches) {  // [MQTT-3.3.1-9] [MQTT-3.3.2-3] [MQTT3-3.3.1-6] [MQTT3-3.3.2-3]
    publisher.send({retained(publish("a/b", "1")), retained(publish("a/c", "2")), retained(publish("a/c/d", "3"))});
    EXPECT_THAT(subscribing("a/+", AtMostOnce),
                testing::UnorderedElementsAre("SUBACK 1 0x00", "PUBLISH a/b '1' retain", "PUBLISH a/c '2' retain"));
    EXPECT_THAT(subscribing("a/#", AtMostOnce),
                testing::UnorderedElementsAre("SUBACK 1 0x00", "PUBLISH a/b '1' retain", "PUBLISH a/c '2' retain",
                                              "PUBLISH a/c/d '3' retain"));
    EXPECT_THAT(subscribing("b", AtMostOnce), ElementsAre("SUBACK 1 0x00"));
}

// [MQTT-3.3.1-5] [MQTT3-3.3.1-6] [MQTT3-3.3.1-7]
TEST_P(Retained, OnlyTheLastOfATopicCounts) {
    publisher.send(retained(publish("a", "old", AtLeastOnce, 1)));
    publisher.send(retained(publish("a", "new")));
    EXPECT_THAT(subscribing("a"), ElementsAre("SUBACK 1 0x02", "PUBLISH a 'new' retain"));
}

// [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT3-3.3.1-10] [MQTT3-3.3.1-11]
TEST_P(Retained, EmptyPayloadIsForwardedAndRemovesWhatIsThere) {
    auto live = broker.subscriber(brief("live"), "a");
    publisher.send({retained(publish("a", "x")), retained(publish("a", ""))});
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a ''"));
    EXPECT_THAT(subscribing("a"), ElementsAre("SUBACK 1 0x02"));
}

// [MQTT-3.3.1-8] [MQTT3-3.3.1-12]
TEST_P(Retained, MessageWithoutRetainNeitherStoresNorReplacesNorRemoves) {
    publisher.send({publish("never", "x"), retained(publish("a", "x")), publish("a", "y"), publish("a", "")});
    EXPECT_THAT(subscribing("never"), ElementsAre("SUBACK 1 0x02"));
    EXPECT_THAT(subscribing("a"), ElementsAre("SUBACK 1 0x02", "PUBLISH a 'x' retain"));
}

// [MQTT-3.3.1-12] [MQTT3-3.3.1-9]
TEST_P(Retained, ForwardedWithoutRetainToSubscriptionsThatExist) {
    auto live = broker.subscriber(brief("live"), "a");
    publisher.send({publish("a", "x"), retained(publish("a", "y"))});
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a 'y'"));
}

// A subscriber gets them as it takes them, however many there are.

class RetainedBacklog : public testing::Test {
protected:
    // Takes one message at a time.
    Client subscriber(std::string_view filter = "a/+") {
        auto client = broker.connect(narrow("s"));
        client.send(subscribe(1, filter, AtLeastOnce));
        return client;
    }
    static Connect narrow(std::string_view client_id) {
        auto connect = lasting(client_id);
        connect.receive_maximum = 1;
        return connect;
    }
    void retain(std::string_view topic, std::string_view content) {
        publisher.send(retained(publish(topic, content, AtLeastOnce, 1)));
    }
    void retain_many(int count) {
        for (int i = 0; i < count; ++i) publisher.send(retained(publish("a/" + std::to_string(i), payload)));
    }

    const std::string payload = std::string(100, 'x');
    Broker broker;
    Client publisher = broker.connect("p");
};

TEST_F(RetainedBacklog, SentOneAfterTheOther) {
    for (const auto* topic : {"a/1", "a/2", "a/3"}) retain(topic, "x");
    auto client = subscriber();
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain"));
    EXPECT_THAT(client.exchange(puback(1)), ElementsAre("PUBLISH a/2 'x' qos=1 id=2 retain"));
    EXPECT_THAT(client.exchange(puback(2)), ElementsAre("PUBLISH a/3 'x' qos=1 id=3 retain"));
    EXPECT_THAT(client.exchange(puback(3)), IsEmpty());
}

TEST_F(RetainedBacklog, WhatIsRetainedMeanwhileComesOnceAsAnOrdinaryMessage) {
    for (const auto* topic : {"a/1", "a/2", "a/3", "a/4"}) retain(topic, "x");
    auto client = subscriber();
    retain("a/2", "new");
    retain("a/3", "");
    retain("a/5", "new");
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain"));
    EXPECT_THAT(client.exchange(puback(1)), ElementsAre("PUBLISH a/4 'x' qos=1 id=2 retain"));
    EXPECT_THAT(client.exchange(puback(2)), ElementsAre("PUBLISH a/2 'new' qos=1 id=3"));
    EXPECT_THAT(client.exchange(puback(3)), ElementsAre("PUBLISH a/3 '' qos=1 id=4"));
    EXPECT_THAT(client.exchange(puback(4)), ElementsAre("PUBLISH a/5 'new' qos=1 id=5"));
    EXPECT_THAT(client.exchange(puback(5)), IsEmpty());
}

TEST_F(RetainedBacklog, MessagesOfQoS0DoNotWaitForAcknowledgements) {
    retain("a/1", "x");
    publisher.send(retained(publish("a/2", "y")));
    retain("a/3", "z");
    auto client = subscriber();
    EXPECT_THAT(client.received(),
                ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain", "PUBLISH a/2 'y' retain"));
    EXPECT_THAT(client.exchange(puback(1)), ElementsAre("PUBLISH a/3 'z' qos=1 id=2 retain"));
}

TEST_F(RetainedBacklog, GoesOnAfterAReconnection) {
    for (const auto* topic : {"a/1", "a/2", "a/3"}) retain(topic, "x");
    auto client = subscriber();
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain"));
    client.send(puback(1));
    client.drop();
    client = broker.connect(narrow("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/2 'x' qos=1 id=2 dup retain"));
    EXPECT_THAT(client.exchange(puback(2)), ElementsAre("PUBLISH a/3 'x' qos=1 id=3 retain"));
    EXPECT_THAT(client.exchange(puback(3)), IsEmpty());
}

TEST_F(RetainedBacklog, EndsWithItsSubscription) {  // [MQTT-3.10.4-2]
    for (const auto* topic : {"a/1", "a/2", "b/1"}) retain(topic, "x");
    auto client = subscriber();
    client.send({subscribe(2, "b/+", AtLeastOnce), unsubscribe(3, {"a/+"})});
    EXPECT_THAT(client.received(),
                ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain", "SUBACK 2 0x01", "UNSUBACK 3 0x00"));
    EXPECT_THAT(client.exchange(puback(1)), ElementsAre("PUBLISH b/1 'x' qos=1 id=2 retain"));
    EXPECT_THAT(client.exchange(puback(2)), IsEmpty());
}

TEST_F(RetainedBacklog, StartsAnewWithItsSubscriptionAndDoesNotPileUp) {
    retain_many(2000);  // More than are sent to a client that does not read.
    auto client = broker.connect("s");
    client.stop_reading();
    for (int i = 0; i < 300; ++i) client.send(subscribe(1, "a/#"));
    client.read_again();
    EXPECT_THAT(client.received(), testing::SizeIs(testing::AllOf(testing::Ge(300 + 2000), testing::Le(300 + 4000))));
}

TEST_F(RetainedBacklog, IsNotLostWhenItsSubscriptionIsReplaced) {  // [MQTT-3.8.4-4]
    for (const auto* topic : {"a/1", "a/2"}) retain(topic, "x");
    auto client = subscriber();
    client.send(identified(subscribe(2, "a/+", {.qos = AtLeastOnce, .retain_handling = RetainHandling::SendIfNew}), 7));
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain", "SUBACK 2 0x01"));
    EXPECT_THAT(client.exchange(puback(1)), ElementsAre("PUBLISH a/2 'x' qos=1 id=2 retain subscription=7"));
}

TEST_F(RetainedBacklog, HasAnEndToWhatItMayDoAtOnce) {
    retain_many(5000);
    auto client = broker.connect("s");
    broker.hold_mail();  // So there are no further rounds.
    client.send(subscribe(1, "a/+/none"));
    client.send(subscribe(1, "a/4999"));
    EXPECT_THAT(client.received(), ElementsAre("SUBACK 1 0x00", "SUBACK 1 0x00"));
    broker.read_mail();
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/4999 '" + payload + "' retain"));
}

// It is no longer retained, and who subscribes later does not get it either.
TEST_F(RetainedBacklog, DoesNotIncludeWhatHasExpired) {  // [MQTT-3.3.2-5]
    for (const auto* topic : {"a/1", "a/2"})
        publisher.send(retained(expiring(publish(topic, "x", AtLeastOnce, 1), 10)));
    auto before = subscriber();
    EXPECT_THAT(before.received(), ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain expiry=10"));
    broker.advance(20s);
    EXPECT_THAT(before.exchange(puback(1)), IsEmpty());
    EXPECT_THAT(broker.connect("after").exchange(subscribe(1, "a/+")), ElementsAre("SUBACK 1 0x00"));
}

// Subscription options of 5.0.

TEST(RetainAsPublished, ForwardsRetainAsItCame) {  // [MQTT-3.3.1-13]
    Broker broker;
    auto live = broker.subscriber(Connect{.client_id = "live"}, "a", {.retain_as_published = true});
    broker.connect("p").send({publish("a", "x"), retained(publish("a", "y")), publish("a", "z")});
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a 'y' retain", "PUBLISH a 'z'"));
}

// [MQTT-3.8.3-3]
class RetainedNoLocal : public testing::Test {
protected:
    static Lines subscribing(const Client& subscriber, bool no_local = true) {
        return subscriber.exchange(subscribe(1, "a/+", {.no_local = no_local}));
    }

    Broker broker;
    Client client = broker.connect("c");
};

TEST_F(RetainedNoLocal, HidesWhatTheClientHasPublishedItself) {
    client.send(retained(publish("a/1", "mine")));
    broker.connect("other").send(retained(publish("a/2", "another's")));
    EXPECT_THAT(subscribing(client), ElementsAre("SUBACK 1 0x00", "PUBLISH a/2 'another's' retain"));
    EXPECT_THAT(subscribing(client, false),
                ElementsAre("SUBACK 1 0x00", "PUBLISH a/1 'mine' retain", "PUBLISH a/2 'another's' retain"));
    EXPECT_THAT(subscribing(broker.connect("third")),
                ElementsAre("SUBACK 1 0x00", "PUBLISH a/1 'mine' retain", "PUBLISH a/2 'another's' retain"));
}

TEST_F(RetainedNoLocal, GoesByTheClientIdentifierAndNotBySession) {
    client.send(retained(publish("a/1", "mine")));
    client.drop();
    client = broker.connect("c");
    EXPECT_THAT(subscribing(client), ElementsAre("SUBACK 1 0x00"));
}

TEST_F(RetainedNoLocal, HidesTheClientsOwnWill) {
    client = broker.connect(
        Connect{.client_id = "c", .will = Will{.topic = "a/will", .payload = as_bytes("x"), .retain = true}});
    client.drop();
    EXPECT_THAT(subscribing(broker.connect("c")), ElementsAre("SUBACK 1 0x00"));
    EXPECT_THAT(subscribing(broker.connect("other")), ElementsAre("SUBACK 1 0x00", "PUBLISH a/will 'x' retain"));
}

class RetainHandlingOption : public testing::Test {
protected:
    RetainHandlingOption() { broker.connect("p").send(retained(publish("a", "x"))); }

    Lines subscribing(RetainHandling retain_handling) {
        return client.exchange(subscribe(1, "a", {.retain_handling = retain_handling}));
    }

    Broker broker;
    Client client = broker.connect("c");
};

TEST_F(RetainHandlingOption, SendSendsEachTime) {  // [MQTT-3.3.1-9] [MQTT-3.8.4-4]
    EXPECT_THAT(subscribing(RetainHandling::Send), ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain"));
    EXPECT_THAT(subscribing(RetainHandling::Send), ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain"));
}

TEST_F(RetainHandlingOption, SendIfNewSendsForANewSubscriptionOnly) {  // [MQTT-3.3.1-10]
    EXPECT_THAT(subscribing(RetainHandling::SendIfNew), ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain"));
    EXPECT_THAT(subscribing(RetainHandling::SendIfNew), ElementsAre("SUBACK 1 0x00"));
    client.exchange(unsubscribe(2, {"a"}));
    EXPECT_THAT(subscribing(RetainHandling::SendIfNew), ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain"));
}

TEST_F(RetainHandlingOption, DoNotSendNeverSends) {  // [MQTT-3.3.1-11]
    EXPECT_THAT(subscribing(RetainHandling::DoNotSend), ElementsAre("SUBACK 1 0x00"));
    EXPECT_THAT(subscribing(RetainHandling::DoNotSend), ElementsAre("SUBACK 1 0x00"));
}

}  // namespace
}  // namespace chappe::conformance
