// What a client hears that may not publish or subscribe.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

// Nothing may be done with the topic "secret".
class Secrets : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        return {.allowed = question.topic != "secret", .reason = "it is a secret"};
    }
    bool restricts_receiving() const noexcept override { return false; }
};

class NotAllowed : public BothVersions {
protected:
    Secrets secrets;
    Broker broker{{.permissions = &secrets}};
    Client watcher = broker.subscriber("w", "#");
    Client client = broker.connect(brief("c"));
};
CHAPPE_BOTH_VERSIONS(NotAllowed);

// [MQTT3-3.3.5-2] [MQTT-3.4.2-1] [MQTT-4.3.2-4]
TEST_P(NotAllowed, PublishOfQoS1IsRefusedOrEndsTheConnection) {
    EXPECT_THAT(client.exchange(publish("secret", "x", AtLeastOnce, 1)),
                ElementsAre(version() == V5 ? "PUBACK 1 0x87" : "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// [MQTT3-3.3.5-2] [MQTT-3.5.2-1] [MQTT-4.3.3-9]
TEST_P(NotAllowed, PublishOfQoS2IsRefusedOrEndsTheConnection) {
    EXPECT_THAT(client.exchange(publish("secret", "x", ExactlyOnce, 1)),
                ElementsAre(version() == V5 ? "PUBREC 1 0x87" : "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
    if (version() == V311) return;
    EXPECT_THAT(client.exchange(publish("open", "y", ExactlyOnce, 1)), ElementsAre("PUBREC 1"));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH open 'y'"));
}

TEST_P(NotAllowed, PublishOfQoS0IsNotDelivered) {
    EXPECT_THAT(client.exchange(publish("secret", "x")), IsEmpty());
    EXPECT_THAT(watcher.received(), IsEmpty());
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
}

// [MQTT-3.8.4-7] [MQTT-3.9.3-2] [MQTT3-3.8.4-5] [MQTT3-3.9.3-2]
TEST_P(NotAllowed, SubscribeGetsAFailureForThatFilter) {
    EXPECT_THAT(client.exchange(subscribe(1, {{"open", {}}, {"secret", {}}})),
                ElementsAre(version() == V5 ? "SUBACK 1 0x00 0x87" : "SUBACK 1 0x00 0x80"));
}

TEST_P(NotAllowed, WillIsNotPublished) {
    auto connect = brief("with a will");
    connect.will = Will{.topic = "secret", .payload = as_bytes("x")};
    broker.connect(connect).drop();
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// Receiving is permitted until it is forbidden.
class Revocable : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        return {.allowed = !revoked || question.access != broker::Access::Receive};
    }
    bool restricts_receiving() const noexcept override { return true; }

    bool revoked = false;
};

class RevokedWhileWaiting : public BothVersions {
protected:
    [[nodiscard]] std::uint64_t dropped() const { return broker.dropped(broker::DropReason::NotAuthorized); }

    Revocable permissions;
    Broker broker{{.permissions = &permissions}};
    Client publisher = broker.connect("p");
};
CHAPPE_BOTH_VERSIONS(RevokedWhileWaiting);

TEST_P(RevokedWhileWaiting, QueuedMessagesAreNotSent) {
    broker.subscriber(lasting("s"), "a", {.qos = AtLeastOnce}).drop();
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", AtLeastOnce, 2)});
    permissions.revoked = true;
    auto client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_EQ(dropped(), 2U);
    permissions.revoked = false;
    publisher.send(publish("a", "3", AtLeastOnce, 3));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '3' qos=1 id=1"));
    EXPECT_EQ(dropped(), 2U);
}

TEST_P(RevokedWhileWaiting, RetainedMessagesAreNotSent) {
    for (const auto* topic : {"a/1", "a/2", "a/3"}) publisher.send(retained(publish(topic, "x", AtLeastOnce, 1)));
    broker.configure({.inflight_max = 1});
    auto client = broker.connect(brief("s"));
    EXPECT_THAT(client.exchange(subscribe(1, "a/+", AtLeastOnce)),
                ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain"));
    permissions.revoked = true;
    EXPECT_THAT(client.exchange(puback(1)), IsEmpty());
    EXPECT_EQ(dropped(), 2U);
}

// Of QoS 2 the exchange goes on without the message, for the client may know its packet identifier: it would take the
// next message of that identifier for this one.
TEST_P(RevokedWhileWaiting, UnacknowledgedMessagesAreNotSentAgain) {  // [MQTT-2.2.1-4] [MQTT-4.3.3-5]
    auto client = broker.subscriber(lasting("s"), "a", {.qos = ExactlyOnce});
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    publisher.send(publish("a", "3", ExactlyOnce, 3));
    client.send(pubrec(3));
    client.drop();

    permissions.revoked = true;
    client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBREL 3", "PUBREL 2"));
    EXPECT_EQ(dropped(), 2U);
    permissions.revoked = false;
    client.send({pubcomp(3), pubcomp(2)});
    publisher.send(publish("a", "4", ExactlyOnce, 4));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '4' qos=2 id=4"));
    EXPECT_EQ(dropped(), 2U);
}

TEST_P(RevokedWhileWaiting, WithheldMessageOfAnExchangeIsNotSentWhenPermittedAgain) {
    auto client = broker.subscriber(lasting("s"), "a", {.qos = ExactlyOnce});
    publisher.send(publish("a", "1", ExactlyOnce, 1));
    client.drop();
    permissions.revoked = true;
    broker.connect(lasting("s")).drop();
    permissions.revoked = false;
    client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBREL 1"));
    EXPECT_THAT(client.exchange(pubcomp(1)), IsEmpty());
    EXPECT_EQ(dropped(), 1U);
}

}  // namespace
}  // namespace chappe::conformance
