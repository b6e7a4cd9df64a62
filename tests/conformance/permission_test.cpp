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

}  // namespace
}  // namespace chappe::conformance
