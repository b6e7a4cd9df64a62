// SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Subscribing : public BothVersions {
protected:
    // UNSUBACK has reason codes in 5.0 only.
    static std::string unsuback(std::string_view packet_id, std::string_view codes) {
        return "UNSUBACK " + std::string(packet_id) + (version() == V5 ? std::string(codes) : "");
    }

    Broker broker;
    Client publisher = broker.connect(brief("p"));
    Client client = broker.connect(lasting("c"));
};
CHAPPE_BOTH_VERSIONS(Subscribing);

class Unsubscribing : public Subscribing {};
CHAPPE_BOTH_VERSIONS(Unsubscribing);

// [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-2.2.1-6]
// [MQTT3-3.8.4-1] [MQTT3-3.8.4-2] [MQTT3-3.8.4-5] [MQTT3-3.9.3-1] [MQTT3-2.3.1-7]
TEST_P(Subscribing, IsAnsweredWithItsIdentifierAndACodeForEachFilterInOrder) {
    EXPECT_THAT(client.exchange(subscribe(65'535, "a")), ElementsAre("SUBACK 65535 0x00"));
    EXPECT_THAT(client.exchange(subscribe(2, {{"b", {.qos = ExactlyOnce}}, {"c", {}}, {"d/#", {.qos = AtLeastOnce}}})),
                ElementsAre("SUBACK 2 0x02 0x00 0x01"));
}

// [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] [MQTT3-3.8.4-4] [MQTT3-3.8.4-5] [MQTT3-3.9.3-1]
// [MQTT3-3.9.3-2]
TEST_P(Subscribing, OneFilterThatFailsLeavesTheOthers) {
    broker::Limits limits;
    limits.subscriptions_per_session_max = 2;
    Broker small({.limits = limits});
    auto subscriber = small.connect(brief("s"));
    EXPECT_THAT(subscriber.exchange(subscribe(1, {{"a", {}}, {"b", {}}, {"c", {}}, {"a", {.qos = AtLeastOnce}}})),
                ElementsAre(version() == V5 ? "SUBACK 1 0x00 0x00 0x97 0x01" : "SUBACK 1 0x00 0x00 0x80 0x01"));
    small.connect(brief("p")).send({publish("a", "1"), publish("b", "2"), publish("c", "3")});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1'", "PUBLISH b '2'"));
}

// [MQTT-3.8.4-5] [MQTT3-3.8.4-4]
TEST_P(Subscribing, SeveralFiltersCountAsSeveralSubscribes) {
    publisher.send({retained(publish("a", "1")), retained(publish("b", "2"))});
    EXPECT_THAT(client.exchange(subscribe(1, {{"a", {.qos = ExactlyOnce}}, {"b", {}}, {"a", {}}})),
                ElementsAre("SUBACK 1 0x02 0x00 0x00", "PUBLISH b '2' retain", "PUBLISH a '1' retain"));
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'x'"));
}

// [MQTT-3.8.4-8] [MQTT-3.8.4-7] [MQTT3-3.8.4-6]
TEST_P(Subscribing, MessagesComeWithTheLowerOfTheirQoSAndTheQoSGranted) {
    for (auto granted : {AtMostOnce, AtLeastOnce, ExactlyOnce}) {
        auto subscriber = broker.subscriber(brief("s"), "a", {.qos = granted});
        for (auto published : {AtMostOnce, AtLeastOnce, ExactlyOnce}) {
            publisher.send({publish("a", "x", published, 1), pubrel(1)});
            const auto packets = subscriber.packets();
            ASSERT_EQ(packets.size(), 1U);
            EXPECT_EQ(std::get<Publish>(packets[0]).qos, std::min(granted, published));
        }
    }
}

// [MQTT-3.3.4-2] [MQTT3-3.3.5-1]
TEST_P(Subscribing, TheHighestQoSOfOverlappingSubscriptionsCounts) {
    client.exchange(subscribe(1, {{"a/+", {}}, {"a/#", {.qos = ExactlyOnce}}, {"+/b", {.qos = AtLeastOnce}}}));
    publisher.send(publish("a/b", "x", ExactlyOnce, 1));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/b 'x' qos=2 id=1"));
}

// [MQTT-3.8.4-3] [MQTT-3.8.4-4] [MQTT3-3.8.4-3]
TEST_P(Subscribing, AgainReplacesTheSubscription) {
    publisher.send(retained(publish("a", "x")));
    EXPECT_THAT(client.exchange(subscribe(1, "a", ExactlyOnce)), ElementsAre("SUBACK 1 0x02", "PUBLISH a 'x' retain"));
    EXPECT_THAT(client.exchange(subscribe(2, "a", AtLeastOnce)), ElementsAre("SUBACK 2 0x01", "PUBLISH a 'x' retain"));
    publisher.send(publish("a", "y", ExactlyOnce, 1));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'y' qos=1 id=1"));
    EXPECT_THAT(client.exchange(unsubscribe(3, {"a"})), ElementsAre(unsuback("3", " 0x00")));
    publisher.send(publish("a", "z", ExactlyOnce, 2));
    EXPECT_THAT(client.received(), IsEmpty());
}

// [MQTT-3.8.4-4] [MQTT3-3.8.4-3]
TEST_P(Subscribing, AgainLosesNoMessage) {
    client.exchange(subscribe(1, "a", ExactlyOnce));
    publisher.send({publish("a", "1", ExactlyOnce, 1), pubrel(1)});
    client.drop();
    publisher.send({publish("a", "2", ExactlyOnce, 2), pubrel(2)});
    client = broker.connect(lasting("c"));
    client.send(subscribe(2, "a", AtLeastOnce));
    publisher.send({publish("a", "3", ExactlyOnce, 3), pubrel(3)});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '1' qos=2 id=1 dup", "PUBLISH a '2' qos=2 id=2",
                                               "SUBACK 2 0x01", "PUBLISH a '3' qos=1 id=3"));
}

// [MQTT-3.3.2-3] [MQTT3-3.3.2-3] [MQTT3-3.8.3-2]
TEST_P(Subscribing, OnlyWhatMatchesComes) {
    client.exchange(subscribe(1, {{"a/+/c", {}}, {"d/#", {}}, {"e", {}}}));
    publisher.send({publish("a/b/c", "yes"), publish("a/b", "no"), publish("a/b/c/d", "no"), publish("a//c", "yes"),
                    publish("d", "yes"), publish("d/e/f", "yes"), publish("dd", "no"), publish("e", "yes"),
                    publish("e/", "no"), publish("/e", "no"), publish("E", "no")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/b/c 'yes'", "PUBLISH a//c 'yes'", "PUBLISH d 'yes'",
                                               "PUBLISH d/e/f 'yes'", "PUBLISH e 'yes'"));
}

// [MQTT-4.7.2-1] [MQTT3-4.7.2-1]
TEST_P(Subscribing, WildcardsInFrontMatchNoTopicThatStartsWithADollar) {
    client.exchange(subscribe(1, {{"#", {}}, {"+/b", {}}, {"+/+", {}}}));
    auto named = broker.subscriber(brief("named"), "$a/#");
    publisher.send(publish("$a/b", "x"));
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_THAT(named.received(), ElementsAre("PUBLISH $a/b 'x'"));
    publisher.send(publish("a/$b", "x"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/$b 'x'"));
}

// U+00E9, and U+0065 with U+0301: the same letter to a reader, two topics to MQTT.
TEST_P(Subscribing, TopicsAreNotNormalized) {  // [MQTT-4.7.3-4] [MQTT3-4.7.3-4]
    client.exchange(subscribe(1, "caf\u00E9"));
    publisher.send(
        {publish("cafe\u0301", "no"), publish("caf\u00E9", "yes"), publish("CAF\u00C9", "no"), publish("cafe", "no")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH caf\u00E9 'yes'"));
}

// [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.11.3-1] [MQTT-3.11.3-2] [MQTT-2.2.1-6]
// [MQTT3-3.10.4-4] [MQTT3-3.10.4-5] [MQTT3-2.3.1-7]
TEST_P(Unsubscribing, IsAnsweredWithItsIdentifierAndACodeForEachFilterInOrder) {
    client.exchange(subscribe(1, {{"a", {}}, {"b", {}}}));
    EXPECT_THAT(client.exchange(unsubscribe(300, {"x", "a", "a", "b"})),
                ElementsAre(unsuback("300", " 0x11 0x00 0x11 0x00")));
    EXPECT_THAT(client.exchange(unsubscribe(301, {"a"})), ElementsAre(unsuback("301", " 0x11")));
}

// [MQTT-3.10.4-1] [MQTT3-3.10.4-1]
TEST_P(Unsubscribing, DeletesTheSubscriptionOfTheSameFilterAndNoOther) {
    client.exchange(subscribe(1, {{"a/+", {}}, {"a/b", {}}, {"A/b", {}}}));
    client.exchange(unsubscribe(2, {"a/#", "+/b", "a/b/", "a/b"}));
    publisher.send({publish("a/b", "still by a/+"), publish("A/b", "still")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a/b 'still by a/+'", "PUBLISH A/b 'still'"));
}

// [MQTT-3.10.4-2] [MQTT-3.10.4-6] [MQTT3-3.10.4-2] [MQTT3-3.10.4-6]
TEST_P(Unsubscribing, SeveralFiltersCountAsSeveralUnsubscribes) {
    client.exchange(subscribe(1, {{"a", {}}, {"b", {}}, {"c", {}}}));
    EXPECT_THAT(client.exchange(unsubscribe(2, {"a", "c"})), ElementsAre(unsuback("2", " 0x00 0x00")));
    publisher.send({publish("a", "x"), publish("b", "x"), publish("c", "x")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH b 'x'"));
}

// [MQTT-3.10.4-3] [MQTT3-3.10.4-3]
TEST_P(Unsubscribing, DeliveriesThatHaveBegunAreCompleted) {
    client.exchange(subscribe(1, "a", ExactlyOnce));
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=2 id=2"));
    EXPECT_THAT(client.exchange(unsubscribe(2, {"a"})), ElementsAre(unsuback("2", " 0x00")));
    client.drop();
    client = broker.connect(lasting("c"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '1' qos=1 id=1 dup", "PUBLISH a '2' qos=2 id=2 dup"));
    EXPECT_THAT(client.exchange(pubrec(2)), ElementsAre("PUBREL 2"));
}

// Options of 5.0.

TEST(NoLocal, KeepsAClientsOwnMessagesFromIt) {  // [MQTT-3.8.3-3]
    Broker broker;
    auto client = broker.connect("c");
    client.exchange(subscribe(1, {{"a", {.no_local = true}}, {"b", {}}}));
    client.send({publish("a", "own"), publish("b", "own")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH b 'own'"));
    broker.connect("other").send(publish("a", "other's"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'other's'"));
}

TEST(NoLocal, CountsForTheClientIdAcrossConnections) {  // [MQTT-3.8.3-3]
    Broker broker;
    auto client = broker.connect(lasting("c"));
    client.exchange(subscribe(1, "a", {.qos = AtLeastOnce, .no_local = true}));
    client.send(publish("a", "own", AtLeastOnce, 1));
    client.drop();
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

TEST(NoLocal, OnASharedSubscriptionIsAProtocolError) {  // [MQTT-3.8.3-4]
    Broker broker;
    EXPECT_THAT(broker.connect("c").exchange(subscribe(1, "$share/group/a", {.no_local = true})),
                ElementsAre("DISCONNECT 0x82", "closed"));
}

// Mosquitto's bridges say what they are with a bit in the protocol version. They get nothing back that they have
// published, and see which messages are retained: without that, two bridged brokers would send each other everything
// for ever, and retained messages would lose their flag on the way.
class Bridges : public testing::TestWithParam<ProtocolVersion> {
protected:
    Broker broker;
    Client bridge = broker.connect(Connect{.version = GetParam(), .bridge = true, .client_id = "bridge"});
    Client other = broker.connect("other");
};
INSTANTIATE_TEST_SUITE_P(Mqtt, Bridges, testing::Values(V5, V311, V31), [](const auto& version) {
    return version.param == V5 ? "5" : version.param == V311 ? "311" : "31";
});

TEST_P(Bridges, AreNotSentTheirOwnMessages) {
    bridge.send(subscribe(1, "#", AtLeastOnce));
    (void)bridge.received();
    bridge.send(publish("a", "own"));
    other.send(publish("a", "another's"));
    EXPECT_THAT(bridge.received(), ElementsAre("PUBLISH a 'another's'"));
}

TEST_P(Bridges, SeeWhatIsRetained) {
    bridge.send(subscribe(1, "#"));
    (void)bridge.received();
    other.send({retained(publish("a", "x")), publish("a", "y")});
    EXPECT_THAT(bridge.received(), ElementsAre("PUBLISH a 'x' retain", "PUBLISH a 'y'"));
}

TEST_P(Bridges, ShareASubscriptionLikeOthers) {  // [MQTT-3.8.3-4]
    bridge.send(subscribe(1, "$share/g/#", AtLeastOnce));
    (void)bridge.received();
    bridge.send(retained(publish("a", "own")));
    EXPECT_THAT(bridge.received(), ElementsAre("PUBLISH a 'own'"));
}

TEST_P(Bridges, AreMarkedByEachConnectionForItself) {
    auto client = broker.connect(Connect{.version = GetParam(), .client_id = "c"});
    client.send(subscribe(1, "a"));
    (void)client.received();
    client.send(retained(publish("a", "own")));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'own'"));
}

}  // namespace
}  // namespace chappe::conformance
