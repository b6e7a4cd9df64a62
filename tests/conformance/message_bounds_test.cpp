// The bounds of broker/limits.h for messages: those that wait, those that have been sent and not acknowledged, and
// those that are retained. As in bounds_test.cpp.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using broker::Bound;
using broker::DropReason;
using broker::WhenFull;
using testing::SizeIs;

// Messages under way.

TEST(Bounds, ReceiveMaximum) {  // [MQTT-3.3.4-7]
    Broker broker({.limits = {.receive_maximum = 1}});
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(publish("a", "x", ExactlyOnce, 1)), ElementsAre("PUBREC 1 0x10"));
    client.exchange(pubrel(1));
    EXPECT_THAT(client.exchange(publish("a", "x", ExactlyOnce, 2)), ElementsAre("PUBREC 2 0x10"));
    EXPECT_EQ(broker.reached(Bound::ReceiveMaximum), 0U);
    EXPECT_THAT(client.exchange(publish("a", "x", ExactlyOnce, 3)), ElementsAre("DISCONNECT 0x93", "closed"));
    EXPECT_EQ(broker.reached(Bound::ReceiveMaximum), 1U);
}

TEST(Bounds, Inflight) {
    Broker broker({.limits = {.inflight_max = 2}});
    auto subscriber = broker.subscriber("s", "a", AtLeastOnce);
    auto publisher = broker.connect("p");
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", AtLeastOnce, 2)});
    EXPECT_EQ(broker.reached(Bound::InflightMax), 0U);
    publisher.send(publish("a", "3", AtLeastOnce, 3));
    EXPECT_EQ(broker.reached(Bound::InflightMax), 1U);
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"));
    EXPECT_THAT(subscriber.exchange(puback(1)), ElementsAre("PUBLISH a '3' qos=1 id=3"));
}

// A session that is away, and what a full queue does (policy.when_full).
class FullQueue : public testing::Test {
protected:
    void fill(WhenFull when_full) {
        broker.configure({.queue_messages_max = 2}, {.when_full = when_full});
        broker.subscriber(lasting("s"), "a", {.qos = AtLeastOnce}).drop();
        EXPECT_THAT(send("1"), ElementsAre("PUBACK 1"));
        EXPECT_THAT(send("2"), ElementsAre("PUBACK 1"));
        EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 0U);
    }
    Lines send(std::string_view payload) { return publisher.exchange(publish("a", payload, AtLeastOnce, 1)); }

    Broker broker;
    Client publisher = broker.connect("p");
};

TEST_F(FullQueue, DropsTheOldest) {
    fill(WhenFull::DropOldest);
    EXPECT_THAT(send("3"), ElementsAre("PUBACK 1"));
    EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::QueueFull), 1U);
    auto client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '2' qos=1 id=1", "PUBLISH a '3' qos=1 id=2"));
    send("4");
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '4' qos=1 id=3"));
}

TEST_F(FullQueue, DropsTheNewest) {
    fill(WhenFull::DropNewest);
    EXPECT_THAT(send("3"), ElementsAre("PUBACK 1"));
    EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::QueueFull), 1U);
    EXPECT_THAT(broker.connect(lasting("s")).received(),
                ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"));
}

TEST_F(FullQueue, RejectsThePublish) {
    fill(WhenFull::Reject);
    EXPECT_THAT(send("3"), ElementsAre("PUBACK 1 0x97"));
    EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::Rejected), 1U);
    EXPECT_THAT(broker.connect(lasting("s")).received(),
                ElementsAre("PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"));
    EXPECT_THAT(send("4"), ElementsAre("PUBACK 1"));
}

TEST_F(FullQueue, EndsTheSession) {
    fill(WhenFull::EndSession);
    EXPECT_THAT(send("3"), ElementsAre("PUBACK 1"));
    EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::QueueFull), 1U);
    EXPECT_EQ(broker.dropped(DropReason::SessionEnded), 2U);
    EXPECT_THAT(broker.open(lasting("s")).received(), ElementsAre("CONNACK 0x00"));
}

TEST_F(FullQueue, ListsWhatItDropped) {
    fill(WhenFull::DropNewest);
    broker.advance(10s);
    send("3");
    const auto drops = broker.drops();
    ASSERT_THAT(drops, SizeIs(1));
    EXPECT_EQ(drops[0].client_id, "s");
    EXPECT_EQ(drops[0].topic, "a");
    EXPECT_EQ(drops[0].reason, DropReason::QueueFull);
    EXPECT_EQ(drops[0].at, broker.now());
}

TEST_F(FullQueue, OfASharedSubscriptionHasTheSameBound) {
    broker.configure({.queue_messages_max = 2});
    broker.subscriber(lasting("s"), "$share/g/a", {.qos = AtLeastOnce}).drop();
    for (const auto* payload : {"1", "2", "3"}) send(payload);
    EXPECT_EQ(broker.reached(Bound::QueueMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::QueueFull), 1U);
    EXPECT_THAT(broker.connect(lasting("s")).received(),
                ElementsAre("PUBLISH a '2' qos=1 id=1", "PUBLISH a '3' qos=1 id=2"));
}

// A message of 1000 bytes and what the broker needs besides: two of them fit into this.
constexpr std::size_t two_messages = 2500;

TEST(Bounds, QueueBytes) {
    Broker broker({.limits = {.queue_bytes_max = two_messages}, .policy = {.when_full = WhenFull::Reject}});
    broker.subscriber(lasting("s"), "#", {.qos = AtLeastOnce}).drop();
    auto publisher = broker.connect("p");
    const auto send = [&] { return publisher.exchange(publish("a", std::string(1000, 'x'), AtLeastOnce, 1)); };
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
    EXPECT_EQ(broker.reached(Bound::QueueBytesMax), 0U);
    EXPECT_THAT(send(), ElementsAre("PUBACK 1 0x97"));
    EXPECT_EQ(broker.reached(Bound::QueueBytesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::Rejected), 1U);
    auto subscriber = broker.connect(lasting("s"));
    EXPECT_THAT(subscriber.received(), SizeIs(2));
    subscriber.send(puback(1));
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
}

TEST(Bounds, QueuedBytesOfAllSessions) {
    Broker broker({.limits = {.queued_bytes_total_max = two_messages}, .policy = {.when_full = WhenFull::DropNewest}});
    for (const auto* name : {"1", "2", "3"}) broker.subscriber(lasting(name), name, {.qos = AtLeastOnce}).drop();
    auto publisher = broker.connect("p");
    const auto send = [&](std::string_view topic) {
        publisher.send(publish(topic, std::string(1000, 'x'), AtLeastOnce, 1));
    };
    send("1");
    send("2");
    EXPECT_EQ(broker.reached(Bound::QueuedBytesTotalMax), 0U);
    send("3");
    EXPECT_EQ(broker.reached(Bound::QueuedBytesTotalMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::QueuesFull), 1U);
    EXPECT_THAT(broker.connect(lasting("1")).exchange(puback(1)), SizeIs(1));
    send("3");
    EXPECT_EQ(broker.reached(Bound::QueuedBytesTotalMax), 1U);
    EXPECT_THAT(broker.connect(lasting("3")).received(), SizeIs(1));
}

// What a client has not acknowledged is memory as well.
TEST(Bounds, QueueBytesWithWhatIsInFlight) {
    Broker broker({.limits = {.queue_bytes_max = two_messages}, .policy = {.when_full = WhenFull::Reject}});
    auto subscriber = broker.subscriber(lasting("s"), "#", {.qos = ExactlyOnce});
    auto publisher = broker.connect("p");
    const auto send = [&](QoS qos = AtLeastOnce) {
        return publisher.exchange(publish("a", std::string(1000, 'x'), qos, 1));
    };
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
    EXPECT_THAT(send(ExactlyOnce), ElementsAre("PUBREC 1"));
    publisher.exchange(pubrel(1));
    EXPECT_EQ(broker.reached(Bound::QueueBytesMax), 0U);
    EXPECT_THAT(send(), ElementsAre("PUBACK 1 0x97"));
    EXPECT_EQ(broker.reached(Bound::QueueBytesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::Rejected), 1U);
    subscriber.send(pubrec(2));  // The message of QoS 2 is needed no longer.
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
    subscriber.drop();
    EXPECT_THAT(send(), ElementsAre("PUBACK 1 0x97"));  // It stays until the client is back.
    subscriber = broker.connect(lasting("s"));
    EXPECT_THAT(subscriber.received(), SizeIs(3));
    subscriber.send({puback(1), puback(3)});
    EXPECT_THAT(send(), ElementsAre("PUBACK 1"));
}

TEST(Bounds, QueueBytesDoNotStopAMessageThatIsAlone) {
    Broker broker({.limits = {.queue_bytes_max = 1024}});
    auto subscriber = broker.subscriber("s", "#", AtLeastOnce);
    auto publisher = broker.connect("p");
    for (std::uint16_t id = 1; id != 4; ++id) {
        publisher.send(publish("a", std::string(2000, 'x'), AtLeastOnce, 1));
        EXPECT_THAT(subscriber.received(), SizeIs(1));
        publisher.send(publish("a", std::string(2000, 'y'), AtLeastOnce, 1));
        EXPECT_THAT(subscriber.received(), IsEmpty());
        EXPECT_EQ(broker.dropped(DropReason::QueueFull), id);
        subscriber.send(puback(id));
    }
}

// A message of a shared subscription stays at its home until the member has acknowledged enough.
TEST(Bounds, QueueBytesWithWhatAMemberHasInFlight) {
    Broker broker({.limits = {.queue_bytes_max = two_messages}});
    auto member = broker.subscriber("s", "$share/g/a", AtLeastOnce);
    auto publisher = broker.connect("p");
    const auto send = [&] { publisher.send(publish("a", std::string(1000, 'x'), AtLeastOnce, 1)); };
    for (int i = 0; i < 4; ++i) send();
    EXPECT_THAT(member.received(), SizeIs(2));
    EXPECT_THAT(member.exchange(puback(1)), SizeIs(2));  // One more than fits: its place had been promised.
    send();
    EXPECT_THAT(member.exchange(puback(2)), SizeIs(1));
    EXPECT_THAT(member.exchange(puback(3)), IsEmpty());
    EXPECT_TRUE(broker.drops().empty());
}

TEST(Bounds, QueueBytesMakeRetainedMessagesWait) {
    Broker broker({.limits = {.queue_bytes_max = two_messages}});
    auto publisher = broker.connect("p");
    for (const auto* topic : {"a/1", "a/2", "a/3", "a/4"}) {
        publisher.send(retained(publish(topic, std::string(1000, 'x'), AtLeastOnce, 1)));
    }
    auto subscriber = broker.connect("s");
    EXPECT_THAT(subscriber.exchange(subscribe(1, "a/+", AtLeastOnce)), SizeIs(1 + 2));
    EXPECT_THAT(subscriber.exchange(puback(1)), SizeIs(1));
    EXPECT_THAT(subscriber.exchange(puback(2)), SizeIs(1));
    EXPECT_TRUE(broker.drops().empty());
}

TEST(Bounds, QueuedBytesOfAllSessionsLeaveAQuarterForWhatIsSentAtOnce) {
    Broker broker(
        {.limits = {.queued_bytes_total_max = 4 * two_messages}, .policy = {.when_full = WhenFull::DropNewest}});
    broker.subscriber(lasting("away"), "away", {.qos = AtLeastOnce}).drop();
    auto first = broker.subscriber("1", "1", AtLeastOnce);
    auto second = broker.subscriber("2", "2", AtLeastOnce);
    auto publisher = broker.connect("p");
    const auto send = [&](std::string_view topic) {
        publisher.send(publish(topic, std::string(1000, 'x'), AtLeastOnce, 1));
    };
    for (int i = 0; i < 10; ++i) send("away");
    EXPECT_EQ(broker.dropped(DropReason::QueuesFull), 1U);
    send("1");
    EXPECT_THAT(first.received(), SizeIs(1));
    send("2");
    EXPECT_THAT(second.received(), SizeIs(1));
    send("2");
    EXPECT_THAT(second.received(), IsEmpty());
    EXPECT_EQ(broker.dropped(DropReason::QueuesFull), 2U);
    first.send(puback(1));
    send("2");
    EXPECT_THAT(second.received(), SizeIs(1));
}

TEST(Bounds, MailboxBytesStopReadingPublishers) {
    Broker broker({.limits = {.mailbox_bytes_max = 4096}});
    std::vector<Client> subscribers;  // On both shards.
    for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8"})
        subscribers.push_back(broker.subscriber(name, "a"));
    auto publisher = broker.connect("p");
    broker.hold_mail();
    for (int i = 0; i < 3; ++i) publisher.send(publish("a", std::string(1000, 'x')));
    EXPECT_EQ(broker.reached(Bound::MailboxBytesMax), 0U);
    publisher.send(publish("a", std::string(1000, 'x')));
    EXPECT_EQ(broker.reached(Bound::MailboxBytesMax), 1U);
    for (int i = 0; i < 10; ++i) EXPECT_THAT(publisher.exchange(PingReq{}), IsEmpty());
    broker.read_mail();
    EXPECT_THAT(publisher.received(), SizeIs(10));
    for (const auto& subscriber : subscribers) EXPECT_THAT(subscriber.received(), SizeIs(4));
}

// Copies of one packet whose acknowledgements wait.
TEST(Bounds, ReceiveMaximumHoldsForCopiesThatWait) {
    Broker broker({.limits = {.receive_maximum = 3}, .policy = {.when_full = broker::WhenFull::Reject}});
    std::vector<Client> subscribers;  // On both shards.
    for (const auto* name : {"1", "2", "3", "4", "5", "6", "7", "8"})
        subscribers.push_back(broker.subscriber(name, "a"));
    auto client = broker.connect("p", V311);
    const auto copy = dup(publish("a", "x", ExactlyOnce, 1));
    for (int i = 0; i < 10; ++i) client.send({copy, copy, copy});  // They are answered, and take one place in all.
    EXPECT_THAT(client.received(), SizeIs(30));
    client.send(pubrel(1));
    EXPECT_THAT(client.received(), ElementsAre("PUBCOMP 1"));
    broker.hold_mail();
    client.send({copy, copy, copy});
    EXPECT_TRUE(client.connected());
    client.send(copy);
    EXPECT_FALSE(client.connected());
}

// Retained messages.

TEST(Bounds, RetainedMessages) {
    Broker broker({.limits = {.retained_messages_max = 1}});
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(retained(publish("a", "1", AtLeastOnce, 1))), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(client.exchange(retained(publish("a", "2", AtLeastOnce, 1))), ElementsAre("PUBACK 1 0x10"));
    EXPECT_EQ(broker.reached(Bound::RetainedMessagesMax), 0U);
    EXPECT_THAT(client.exchange(retained(publish("b", "3", AtLeastOnce, 1))), ElementsAre("PUBACK 1 0x97"));
    EXPECT_EQ(broker.reached(Bound::RetainedMessagesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::RetainedFull), 1U);
    client.exchange(retained(publish("a", "", AtLeastOnce, 1)));
    EXPECT_THAT(client.exchange(retained(publish("b", "3", AtLeastOnce, 1))), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(client.exchange(subscribe(1, "#")), ElementsAre("SUBACK 1 0x00", "PUBLISH b '3' retain"));
}

TEST(Bounds, RetainedBytes) {
    Broker broker({.limits = {.retained_bytes_max = two_messages}});
    auto client = broker.connect("c");
    const auto retain = [&](std::string_view topic) {
        return client.exchange(retained(publish(topic, std::string(1000, 'x'), AtLeastOnce, 1)));
    };
    EXPECT_THAT(retain("a"), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(retain("b"), ElementsAre("PUBACK 1 0x10"));
    EXPECT_EQ(broker.reached(Bound::RetainedBytesMax), 0U);
    EXPECT_THAT(retain("c"), ElementsAre("PUBACK 1 0x97"));
    EXPECT_EQ(broker.reached(Bound::RetainedBytesMax), 1U);
    EXPECT_EQ(broker.dropped(DropReason::RetainedFull), 1U);
    client.exchange(retained(publish("a", "", AtLeastOnce, 1)));
    EXPECT_THAT(retain("c"), ElementsAre("PUBACK 1 0x10"));
}

}  // namespace
}  // namespace chappe::conformance
