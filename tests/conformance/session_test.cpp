// How long a session lives, and what it keeps while its client is away.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

class Sessions : public BothVersions {};
CHAPPE_BOTH_VERSIONS(Sessions);

// [MQTT-4.5.0-1] [MQTT-3.1.2-23] [MQTT3-3.1.2-5] [MQTT3-4.5.0-1]
TEST_P(Sessions, KeepMessagesForEachClientThatIsAway) {
    Broker broker;
    broker.subscriber(lasting("one"), "a/+", {.qos = ExactlyOnce}).drop();
    broker.subscriber(lasting("two"), "a/b", {.qos = AtLeastOnce}).drop();
    broker.subscriber(lasting("other"), "b", {.qos = AtLeastOnce}).drop();
    auto online = broker.subscriber(brief("online"), "#");
    auto publisher = broker.connect(brief("p"));
    publisher.send({publish("a/b", "1", AtLeastOnce, 1), publish("a/b", "2", ExactlyOnce, 2)});
    EXPECT_THAT(online.received(), ElementsAre("PUBLISH a/b '1'", "PUBLISH a/b '2'"));
    publisher.send(disconnect());

    broker.advance(1h);
    EXPECT_THAT(
        broker.open(lasting("one")).received(),
        ElementsAre("CONNACK 0x00 session_present", "PUBLISH a/b '1' qos=1 id=1", "PUBLISH a/b '2' qos=2 id=2"));
    EXPECT_THAT(
        broker.open(lasting("two")).received(),
        ElementsAre("CONNACK 0x00 session_present", "PUBLISH a/b '1' qos=1 id=1", "PUBLISH a/b '2' qos=1 id=2"));
    EXPECT_THAT(broker.open(lasting("other")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// [MQTT-3.1.2-23] [MQTT3-3.1.2-4] [MQTT3-4.1.0-1]
TEST_P(Sessions, OutliveDisconnectAsWellAsALostNetwork) {
    Broker broker;
    broker.connect(lasting("c")).send(disconnect());
    broker.advance(3h);
    auto client = broker.open(lasting("c"));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present"));
    client.drop();
    broker.advance(3h);
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// [MQTT-4.1.0-2] [MQTT3-3.1.2-6]
TEST_P(Sessions, WithoutExpiryEndWithTheirConnection) {
    Broker broker;
    broker.subscriber(brief("c"), "a", {.qos = AtLeastOnce}).drop();
    broker.connect(brief("p")).send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00"));
}

// [MQTT-4.1.0-1] [MQTT3-4.1.0-1] [MQTT3-4.1.0-2]
TEST_P(Sessions, LiveAsLongAsTheirConnection) {
    Broker broker;
    auto client = broker.subscriber(brief("c"), "a");
    broker.advance(3h);
    broker.connect(brief("p")).send(publish("a", "x"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'x'"));
}

// [MQTT-3.3.1-5] [MQTT3-3.1.2-7]
TEST_P(Sessions, LeaveTheirRetainedMessagesBehind) {
    Broker broker;
    auto publisher = broker.connect(brief("p"));
    publisher.send(retained(publish("a", "x")));
    publisher.send(disconnect());
    broker.advance(1h);
    EXPECT_THAT(broker.connect(brief("c")).exchange(subscribe(1, "a")),
                ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain"));
}

// Session Expiry Interval, which 5.0 alone has.

Connect expiring_session(std::uint32_t seconds) {
    return {.clean_start = false, .client_id = "c", .session_expiry_interval_seconds = seconds};
}

TEST(SessionExpiry, CountsFromTheEndOfTheConnection) {  // [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT-3.1.2-23]
    Broker broker;
    auto client = broker.connect(expiring_session(10));
    broker.advance(100s);
    client.drop();
    broker.advance(9'999ms);
    client = broker.open(expiring_session(10));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present"));
    client.drop();
    broker.advance(10s);
    EXPECT_THAT(broker.open(expiring_session(10)).received(), ElementsAre("CONNACK 0x00"));
}

// Also where the client is back before a busy broker has got to ending the session.
TEST(SessionExpiry, IsOverWhenItIsOver) {  // [MQTT-3.1.2-23] [MQTT-3.2.2-3]
    Broker broker;
    broker.subscriber(expiring_session(10), "a", {.qos = AtLeastOnce}).drop();
    broker.oversleep(10s);
    auto client = broker.open(expiring_session(10));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00"));
    broker.connect("p").send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(client.received(), IsEmpty());
}

TEST(SessionExpiry, OfTheLastConnectionCounts) {  // [MQTT-4.1.0-2]
    Broker broker;
    broker.connect(expiring_session(10)).drop();
    auto client = broker.connect(expiring_session(100));
    client.drop();
    broker.advance(99s);
    client = broker.open(expiring_session(1));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present"));
    client.drop();
    broker.advance(1s);
    EXPECT_THAT(broker.open(expiring_session(1)).received(), ElementsAre("CONNACK 0x00"));
}

TEST(SessionExpiry, CanBeChangedByDisconnect) {  // [MQTT-4.1.0-2]
    Broker broker;
    auto leave = disconnect();
    leave.session_expiry_interval_seconds = 60;
    broker.connect(expiring_session(10)).send(leave);
    broker.advance(59s);
    auto client = broker.open(expiring_session(60));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present"));

    leave.session_expiry_interval_seconds = 0;
    client.send(leave);
    EXPECT_THAT(broker.open(expiring_session(60)).received(), ElementsAre("CONNACK 0x00"));
}

// 3.14.2.2.2 forbids to make a session last by DISCONNECT that CONNECT did not make last.
TEST(SessionExpiry, CannotBeMadeFromZeroByDisconnect) {  // [MQTT-4.13.1-1]
    Broker broker;
    auto leave = disconnect();
    leave.session_expiry_interval_seconds = 60;
    EXPECT_THAT(broker.connect(expiring_session(0)).exchange(leave), ElementsAre("DISCONNECT 0x82", "closed"));
    EXPECT_THAT(broker.open(expiring_session(0)).received(), ElementsAre("CONNACK 0x00"));
}

TEST(SessionExpiry, AllOnesMeansNever) {  // [MQTT-3.1.2-23]
    Broker broker;
    broker.connect(expiring_session(session_never_expires)).drop();
    broker.advance(3h);
    EXPECT_THAT(broker.open(expiring_session(0)).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// Whose a session is: a client identifier alone does not open what another user may read.

class SessionsOfUsers : public BothVersions {
protected:
    static Connect as(std::string_view user_name) {
        auto connect = lasting("c");
        connect.user_name = user_name;
        return connect;
    }

    Broker broker;
    Client publisher = broker.connect("p");
};
CHAPPE_BOTH_VERSIONS(SessionsOfUsers);

TEST_P(SessionsOfUsers, AreThereAgainForTheSameUser) {
    broker.subscriber(as("alice"), "a", {.qos = AtLeastOnce}).drop();
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(broker.open(as("alice")).received(),
                ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'x' qos=1 id=1"));
}

TEST_P(SessionsOfUsers, EndForAnotherUserWhileTheClientIsAway) {
    auto alice = as("alice");
    alice.will = Will{.topic = "will", .payload = as_bytes("alice's"), .delay_interval_seconds = 60};
    auto watcher = broker.subscriber("w", "will");
    broker.subscriber(alice, "a", {.qos = AtLeastOnce}).drop();
    publisher.send(publish("a", "for alice", AtLeastOnce, 1));

    auto bob = broker.open(as("bob"));
    EXPECT_THAT(bob.received(), ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.dropped(broker::DropReason::SessionEnded), 1U);
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'alice's'"));
    publisher.send(publish("a", "for alice", AtLeastOnce, 2));
    EXPECT_THAT(bob.received(), IsEmpty());
    EXPECT_THAT(broker.open(as("bob")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

TEST_P(SessionsOfUsers, EndForAnotherUserWhileTheClientIsConnected) {
    auto alice = broker.subscriber(as("alice"), "a", {.qos = ExactlyOnce});
    publisher.send(publish("a", "for alice", ExactlyOnce, 1));
    (void)alice.received();

    auto bob = broker.open(as("bob"));
    EXPECT_EQ(alice.received(), ended(version(), "DISCONNECT 0x8E"));
    EXPECT_THAT(bob.received(), ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.dropped(broker::DropReason::SessionEnded), 1U);
    publisher.send({pubrel(1), publish("a", "for alice", AtLeastOnce, 2)});
    EXPECT_THAT(bob.received(), IsEmpty());
}

TEST_P(SessionsOfUsers, WithoutANameAreThoseOfOneUser) {
    broker.subscriber(lasting("c"), "a").drop();
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
    EXPECT_THAT(broker.open(as("alice")).received(), ElementsAre("CONNACK 0x00"));
}

TEST_P(SessionsOfUsers, OfTheOperatorAreForTheOperatorOnly) {
    auto operators = broker.open_as_operator(lasting("c"));
    operators.send(subscribe(1, "$CONTROL/#", AtLeastOnce));
    operators.drop();
    EXPECT_THAT(broker.open_as_operator(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
    auto stranger = broker.open(lasting("c"));
    EXPECT_THAT(stranger.received(), ElementsAre("CONNACK 0x00"));
    publisher.send(publish("$CONTROL/chappe/v1/drops", "{}"));
    EXPECT_THAT(stranger.received(), IsEmpty());
    EXPECT_THAT(broker.open_as_operator(lasting("c")).received(), ElementsAre("CONNACK 0x00"));
}

}  // namespace
}  // namespace chappe::conformance
