// Shared subscriptions: who gets a message, and who must not.

#include "tests/conformance/every_strategy.h"

namespace chappe::conformance {
namespace {

class SharedSubscriptions : public testing::Test {
protected:
    Client member(std::string_view client_id, QoS qos) {
        return broker.subscriber(lasting(client_id), "$share/group/a", {.qos = qos});
    }

    Broker broker;
    Client publisher = broker.connect("p");
};

TEST_F(SharedSubscriptions, GiveEachMessageToOneMember) {  // [MQTT-4.8.2-3]
    auto first = member("one", AtMostOnce);
    auto second = member("two", AtMostOnce);
    for (int i = 0; i < 10; ++i) publisher.send(publish("a", "x"));
    const auto of_first = first.received().size();
    EXPECT_EQ(of_first + second.received().size(), 10U);
    EXPECT_EQ(of_first, 5U);  // Round robin.
}

TEST_F(SharedSubscriptions, GiveEachMemberTheQoSThatItWasGranted) {  // [MQTT-4.8.2-3]
    auto zero = member("zero", AtMostOnce);
    auto one = member("one", AtLeastOnce);
    auto two = member("two", ExactlyOnce);
    for (std::uint16_t i = 1; i <= 9; ++i) publisher.send(publish("a", "x", ExactlyOnce, i));
    EXPECT_THAT(zero.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a 'x'", "PUBLISH a 'x'"));
    EXPECT_THAT(one.received(),
                ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'x' qos=1 id=2", "PUBLISH a 'x' qos=1 id=3"));
    EXPECT_THAT(two.received(),
                ElementsAre("PUBLISH a 'x' qos=2 id=1", "PUBLISH a 'x' qos=2 id=2", "PUBLISH a 'x' qos=2 id=3"));
}

TEST_F(SharedSubscriptions, QoS2ThatHasBegunIsCompletedWithTheSameMember) {  // [MQTT-4.8.2-4]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    auto other = member("two", ExactlyOnce);
    chosen.drop();
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());

    chosen = broker.connect(lasting("one"));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1 dup"));
    EXPECT_THAT(chosen.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(other.received(), IsEmpty());
}

TEST_F(SharedSubscriptions, QoS2ThatHasBegunGoesToNobodyElseWhenTheMembersSessionEnds) {  // [MQTT-4.8.2-5]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    auto other = member("two", ExactlyOnce);
    chosen.drop();
    broker.connect("one");  // Clean start ends the session.
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());
}

// It is not there any more when its will is published, whether its session ends, waits, or goes on elsewhere.
TEST_F(SharedSubscriptions, AMembersOwnWillGoesToWhoIsThere) {
    const Will will{.topic = "a", .payload = as_bytes("gone"), .qos = AtLeastOnce};
    for (const std::string name : {"1", "2", "3", "4"}) {  // On both shards.
        const auto filter = "$share/" + name + "/a";       // Likewise.
        auto connect = lasting(name);
        connect.will = will;
        auto waits = broker.subscriber(connect, filter, {.qos = AtLeastOnce});
        waits.drop();
        connect.clean_start = false;
        auto goes_on = broker.open(connect);
        EXPECT_THAT(goes_on.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'gone' qos=1 id=1"));
        goes_on.send(puback(1));
        auto taken_over = broker.open(connect);
        EXPECT_THAT(taken_over.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'gone' qos=1 id=2"));
        connect.clean_start = true;
        auto ends = broker.open(connect);
        EXPECT_THAT(ends.received(), ElementsAre("CONNACK 0x00"));
        ends.send(disconnect());
    }
}

TEST_F(SharedSubscriptions, RefusedByOneMemberGoesToNoOther) {  // [MQTT-4.8.2-6]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    publisher.send(publish("a", "y", ExactlyOnce, 2));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'y' qos=2 id=2"));
    auto other = member("two", ExactlyOnce);
    chosen.send({puback(1, ReasonCode::UnspecifiedError), pubrec(2, ReasonCode::UnspecifiedError)});
    chosen.drop();
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());
    EXPECT_THAT(broker.open(lasting("one")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// PUBREC comes again after PUBREL, and now with an error: the exchange is over.
TEST_F(SharedSubscriptions, RefusedAfterItWasReleasedGivesTheMembersPlaceFree) {
    auto connect = lasting("one");
    connect.receive_maximum = 1;
    auto chosen = broker.subscriber(connect, "$share/group/a", {.qos = ExactlyOnce});
    publisher.send({publish("a", "x", ExactlyOnce, 1), publish("a", "y", ExactlyOnce, 2)});
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    EXPECT_THAT(chosen.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(chosen.exchange(pubrec(1, ReasonCode::UnspecifiedError)), ElementsAre("PUBLISH a 'y' qos=2 id=2"));
}

class OwnWills : public EveryStrategy {
protected:
    static Connect with_will(std::string_view client_id, std::uint32_t expiry_interval_seconds) {
        auto connect = lasting(client_id);
        connect.session_expiry_interval_seconds = expiry_interval_seconds;
        connect.will = {.topic = "a", .payload = as_bytes("lost"), .qos = AtLeastOnce};
        return connect;
    }

    Broker broker{{.policy = policy()}};
};
CHAPPE_EVERY_STRATEGY(OwnWills);

TEST_P(OwnWills, OfTheOnlyMemberWaitForIt) {
    for (const auto name : names) {
        broker.subscriber(with_will(name, 3600), "$share/group/a", {.qos = AtLeastOnce}).drop();
        auto again = broker.connect(lasting(name));
        EXPECT_THAT(again.received(), ElementsAre("PUBLISH a 'lost' qos=1 id=1")) << name;
        again.send({puback(1), unsubscribe(2, {"$share/group/a"})});
    }
}

TEST_P(OwnWills, OfTheOnlyMemberWaitForTheConnectionThatTakesItOver) {
    for (const auto name : names) {
        auto first = broker.subscriber(with_will(name, 3600), "$share/group/a", {.qos = AtLeastOnce});
        auto again = broker.connect(lasting(name));
        EXPECT_THAT(again.received(), ElementsAre("PUBLISH a 'lost' qos=1 id=1")) << name;
        again.send({puback(1), unsubscribe(2, {"$share/group/a"})});
    }
}

TEST_P(OwnWills, OfAMemberWhoseSessionEndsGoToAnother) {
    auto other = broker.subscriber("other", "$share/group/a", AtLeastOnce);
    for (const auto name : names) {
        broker.subscriber(with_will(name, 0), "$share/group/a", {.qos = AtLeastOnce}).drop();
        EXPECT_EQ(other.received().size(), 1U) << name;
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

}  // namespace
}  // namespace chappe::conformance
