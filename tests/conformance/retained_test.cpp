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

TEST(RetainedExpiry, IsALossForWhoHasSubscribedBefore) {  // [MQTT-3.3.2-5]
    Broker broker({.limits = {.inflight_max = 1}});
    auto publisher = broker.connect("p");
    for (const auto* topic : {"a/1", "a/2"})
        publisher.send(retained(expiring(publish(topic, "x", AtLeastOnce, 1), 10)));
    auto before = broker.subscriber("before", "a/+", AtLeastOnce);
    broker.advance(20s);
    EXPECT_THAT(before.exchange(puback(1)), IsEmpty());
    EXPECT_EQ(broker.dropped(broker::DropReason::Expired), 1U);
    EXPECT_THAT(broker.connect("after").exchange(subscribe(1, "a/+")), ElementsAre("SUBACK 1 0x00"));
    EXPECT_EQ(broker.dropped(broker::DropReason::Expired), 1U);
}

// Subscription options of 5.0.

TEST(RetainAsPublished, ForwardsRetainAsItCame) {  // [MQTT-3.3.1-13]
    Broker broker;
    auto live = broker.subscriber(Connect{.client_id = "live"}, "a", {.retain_as_published = true});
    broker.connect("p").send({publish("a", "x"), retained(publish("a", "y")), publish("a", "z")});
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a 'y' retain", "PUBLISH a 'z'"));
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
