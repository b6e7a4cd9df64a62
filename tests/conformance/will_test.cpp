// Wills: when they are published, when not, and how.

#include <algorithm>
#include <vector>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

Will simple_will() { return {.topic = "will", .payload = as_bytes("lost")}; }

class Wills : public BothVersions {
protected:
    static Connect with(const Will& will) {
        auto connect = lasting("c");
        connect.will = will;
        return connect;
    }

    Broker broker;
    Client watcher = broker.subscriber("w", "will", ExactlyOnce);
};
CHAPPE_BOTH_VERSIONS(Wills);

// [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT3-3.1.2-8]
TEST_P(Wills, PublishedWhenTheConnectionIsLost) {
    auto client = broker.connect(with(simple_will()));
    EXPECT_THAT(watcher.received(), IsEmpty());
    client.drop();
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

// [MQTT-3.1.2-8] [MQTT3-3.1.2-8]
TEST_P(Wills, PublishedWhenTheBrokerEndsTheConnection) {
    broker.connect(with(simple_will())).send(with(simple_will()));  // A second CONNECT.
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

// [MQTT-3.1.2-8] [MQTT3-3.1.2-8]
TEST_P(Wills, PublishedWhenTheSessionIsTakenOver) {
    auto first = broker.connect(with(simple_will()));
    auto second = broker.connect(lasting("c"));
    EXPECT_FALSE(first.connected());
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

// [MQTT-3.1.2-10] [MQTT-3.14.4-3] [MQTT3-3.1.2-10] [MQTT3-3.14.4-3]
TEST_P(Wills, DeletedByDisconnect) {
    auto client = broker.connect(with(simple_will()));
    EXPECT_THAT(client.exchange(disconnect()), ElementsAre("closed"));
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.connect(lasting("c")).drop();
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// [MQTT-3.1.2-10] [MQTT3-3.1.2-10] [MQTT3-3.1.2-12]
TEST_P(Wills, PublishedOnceAndNotForTheNextConnection) {
    broker.connect(with(simple_will())).drop();
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    broker.connect(lasting("c")).drop();
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// [MQTT-3.1.2-12] [MQTT3-3.1.2-14]
TEST_P(Wills, HaveTheirQoS) {
    for (auto qos : {AtMostOnce, AtLeastOnce, ExactlyOnce}) {
        auto will = simple_will();
        will.qos = qos;
        broker.connect(with(will)).drop();
    }
    EXPECT_THAT(watcher.received(),
                ElementsAre("PUBLISH will 'lost'", "PUBLISH will 'lost' qos=1 id=1", "PUBLISH will 'lost' qos=2 id=2"));
}

// [MQTT-3.1.2-14] [MQTT3-3.1.2-16]
TEST_P(Wills, WithoutRetainAreNotRetained) {
    auto live = broker.subscriber(Connect{.client_id = "live"}, "will", {.retain_as_published = true});
    broker.connect(with(simple_will())).drop();
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH will 'lost'"));
    EXPECT_THAT(broker.connect("late").exchange(subscribe(1, "will")), ElementsAre("SUBACK 1 0x00"));
}

// [MQTT-3.1.2-15] [MQTT3-3.1.2-17]
TEST_P(Wills, WithRetainAreRetained) {
    auto live = broker.subscriber(Connect{.client_id = "live"}, "will", {.retain_as_published = true});
    auto will = simple_will();
    will.retain = true;
    broker.connect(with(will)).drop();
    EXPECT_THAT(live.received(), ElementsAre("PUBLISH will 'lost' retain"));
    EXPECT_THAT(broker.connect("late").exchange(subscribe(1, "will")),
                ElementsAre("SUBACK 1 0x00", "PUBLISH will 'lost' retain"));
}

// What 5.0 alone has: reasons in DISCONNECT, a delay, properties.

class Wills5 : public testing::Test {
protected:
    // A will that is sent `delay_interval_seconds` after the connection, or with the session where that ends before.
    static Connect delayed(std::uint32_t delay_interval_seconds, std::uint32_t session_expiry_interval_seconds) {
        Connect connect{.clean_start = false, .client_id = "c", .will = simple_will()};
        connect.will->delay_interval_seconds = delay_interval_seconds;
        connect.session_expiry_interval_seconds = session_expiry_interval_seconds;
        return connect;
    }

    Broker broker;
    Client watcher = broker.subscriber("w", "will");
};

TEST_F(Wills5, PublishedOnDisconnectWithAnyReasonButNormal) {  // [MQTT-3.1.2-8] [MQTT-3.14.4-3]
    for (auto reason : {ReasonCode::DisconnectWithWillMessage, ReasonCode::UnspecifiedError, ReasonCode::ProtocolError,
                        ReasonCode::PacketTooLarge, ReasonCode::AdministrativeAction}) {
        EXPECT_THAT(broker.connect(delayed(0, 0)).exchange(disconnect(reason)), ElementsAre("closed"));
        EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    }
}

TEST_F(Wills5, PublishedWhenTheDelayIsOver) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(10, 60)).drop();
    broker.advance(9'999ms);
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.advance(1ms);
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

TEST_F(Wills5, PublishedWithTheEndOfTheSessionWhereThatComesFirst) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(60, 10)).drop();
    broker.advance(9'999ms);
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.advance(1ms);
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

TEST_F(Wills5, PublishedAtOnceWhereTheSessionEndsWithTheConnection) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(60, 0)).drop();
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

TEST_F(Wills5, NotPublishedWhenTheSessionIsResumedWithinTheDelay) {  // [MQTT-3.1.2-8] [MQTT-3.1.3-9]
    broker.connect(delayed(10, 60)).drop();
    broker.advance(9s);
    auto again = broker.connect(lasting("c"));
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
    again.drop();
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// Also where the client is back before a busy broker has got to publishing it.
TEST_F(Wills5, PublishedWhenTheSessionIsResumedAfterTheDelay) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(10, 60)).drop();
    broker.oversleep(10s);
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

TEST_F(Wills5, NotPublishedWhenTheSessionIsTakenOverWithinTheDelay) {  // [MQTT-3.1.3-9]
    auto first = broker.connect(delayed(10, 60));
    auto second = broker.connect(lasting("c"));
    EXPECT_FALSE(first.connected());
    broker.advance(1h);
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// Clean Start ends the session of the will: this is no new connection to it.
TEST_F(Wills5, PublishedWhenCleanStartEndsTheSessionWithinTheDelay) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(10, 60)).drop();
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.open(Connect{.client_id = "c"});
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
}

// The server is about to stop: whoever is owed a will is still there to get it, on whichever shard, and nobody is
// later.
TEST(WillsAtTheEnd, ReachAllOthersBeforeTheirConnectionsAreClosed) {  // [MQTT-3.1.2-8]
    Broker broker;
    std::vector<Client> clients;
    for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8"}) {
        Connect connect{.client_id = name, .will = Will{.topic = "will", .payload = as_bytes(name)}};
        clients.push_back(broker.subscriber(connect, "will"));
    }
    broker.shut_down();
    for (const auto& client : clients) {
        auto lines = client.received();
        ASSERT_EQ(lines.size(), 8U + 2U);
        EXPECT_EQ(lines[8], "DISCONNECT 0x8B");
        lines.resize(8);
        std::ranges::sort(lines);
        EXPECT_THAT(lines, ElementsAre("PUBLISH will '1'", "PUBLISH will '2'", "PUBLISH will '3'", "PUBLISH will '4'",
                                       "PUBLISH will '5'", "PUBLISH will '6'", "PUBLISH will '7'", "PUBLISH will '8'"));
    }
}

TEST_F(Wills5, PublishedAtTheEndThoughDelayedWhereTheSessionEndsWithTheConnection) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(60, 0));
    broker.shut_down();
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'", "DISCONNECT 0x8B", "closed"));
}

TEST_F(Wills5, NotPublishedAtTheEndWhereTheSessionGoesOnLonger) {  // [MQTT-3.1.2-8]
    broker.connect(delayed(60, 60));
    broker.shut_down();
    EXPECT_THAT(watcher.received(), ElementsAre("DISCONNECT 0x8B", "closed"));
}

TEST_F(Wills5, KeepTheirPropertiesAndTheOrderOfUserProperties) {  // [MQTT-3.1.3-10]
    auto connect = delayed(0, 0);
    connect.will->properties = {.payload_format_indicator = 1,
                                .message_expiry_interval_seconds = 60,
                                .content_type = "t",
                                .response_topic = "r",
                                .correlation_data = as_bytes("k"),
                                .user_properties = {{"b", "1"}, {"a", "2"}, {"b", "1"}, {"a", "3"}}};
    broker.connect(connect).drop();
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost' format=1 expiry=60 type='t' response='r' "
                                                "correlation='k' user=b:1 user=a:2 user=b:1 user=a:3"));
}

// What goes with the session is not owed to it any more, so nothing is lost.
TEST_F(Wills5, OfASessionThatEndsAreNotOwedToItself) {
    for (const auto& connect : {delayed(0, 0), delayed(10, 10), delayed(60, 10)}) {
        broker.subscriber(connect, "will", {.qos = AtLeastOnce}).drop();
        broker.advance(10s);
        EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'lost'"));
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

}  // namespace
}  // namespace chappe::conformance
