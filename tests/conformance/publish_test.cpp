// PUBLISH: its properties on their way to subscribers, message expiry, topic aliases, subscription identifiers.

#include <map>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

// Everything that a broker forwards, with an order of user properties that sorting would change.
Publish full(std::string_view topic) {
    auto packet = publish(topic, "x");
    packet.properties = {.payload_format_indicator = 1,
                         .message_expiry_interval_seconds = {},
                         .content_type = "t/u",
                         .response_topic = "r/s",
                         .correlation_data = as_bytes(std::string_view("\0k\xFF", 3)),
                         .user_properties = {{"b", "1"}, {"a", "2"}, {"b", "1"}, {"", ""}}};
    return packet;
}

std::string full_line(std::string_view start) {
    return std::string(start) + " format=1 type='t/u' response='r/s' correlation='" + std::string("\0k\xFF", 3) +
           "' user=b:1 user=a:2 user=b:1 user=:";
}

// [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
TEST(Properties, ReachEverySubscriberUnchangedAndInOrder) {
    Broker broker;
    auto first = broker.subscriber("one", "a");
    auto second = broker.subscriber("two", "+");
    broker.subscriber(lasting("away"), "a", {.qos = AtLeastOnce}).drop();
    auto message = retained(full("a"));
    message.qos = AtLeastOnce;
    message.packet_id = PacketId{1};
    broker.connect("p").send(message);

    EXPECT_THAT(first.received(), ElementsAre(full_line("PUBLISH a 'x'")));
    EXPECT_THAT(second.received(), ElementsAre(full_line("PUBLISH a 'x'")));
    EXPECT_THAT(broker.open(lasting("away")).received(),
                ElementsAre("CONNACK 0x00 session_present", full_line("PUBLISH a 'x' qos=1 id=1")));
    EXPECT_THAT(broker.connect("late").exchange(subscribe(1, "a")),
                ElementsAre("SUBACK 1 0x00", full_line("PUBLISH a 'x' retain")));
}

// U+FEFF, which some software takes for a mark of the byte order, is part of the text.
TEST(Properties, ZeroWidthNoBreakSpaceIsKept) {  // [MQTT-1.5.4-3] [MQTT3-1.5.3-3] [MQTT-4.7.3-4] [MQTT3-4.7.3-4]
    Broker broker;
    auto all = broker.subscriber("all", "+");
    auto with = broker.subscriber(Connect{.version = V311, .client_id = "with"},
                                  "\xEF\xBB\xBF"
                                  "a");
    auto without = broker.subscriber("without", "a");
    auto message = publish(
        "\xEF\xBB\xBF"
        "a",
        "x");
    message.properties.content_type = "\xEF\xBB\xBFt";
    broker.connect("p").send(message);
    EXPECT_THAT(all.received(), ElementsAre("PUBLISH \xEF\xBB\xBF"
                                            "a 'x' type='\xEF\xBB\xBFt'"));
    EXPECT_THAT(with.received(), ElementsAre("PUBLISH \xEF\xBB\xBF"
                                             "a 'x'"));
    EXPECT_THAT(without.received(), IsEmpty());
}

TEST(MessageExpiry, IsCountedDownWhileTheMessageWaits) {  // [MQTT-3.3.2-6]
    Broker broker;
    auto online = broker.subscriber("online", "a");
    broker.subscriber(lasting("away"), "a", {.qos = AtLeastOnce}).drop();
    broker.connect("p").send(retained(expiring(publish("a", "x", AtLeastOnce, 1), 10)));
    EXPECT_THAT(online.received(), ElementsAre("PUBLISH a 'x' expiry=10"));

    broker.advance(4s);
    EXPECT_THAT(broker.open(lasting("away")).received(),
                ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'x' qos=1 id=1 expiry=6"));
    EXPECT_THAT(broker.connect("late").exchange(subscribe(1, "a")),
                ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain expiry=6"));
}

TEST(MessageExpiry, DeletesTheCopiesWhoseDeliveryHasNotBegun) {  // [MQTT-3.3.2-5]
    Broker broker;
    broker.subscriber(lasting("away"), "a", {.qos = AtLeastOnce}).drop();
    auto publisher = broker.connect("p");
    publisher.send(retained(expiring(publish("a", "x", AtLeastOnce, 1), 10)));
    publisher.send(publish("a", "y", AtLeastOnce, 2));
    broker.advance(9s);
    EXPECT_THAT(broker.connect("early").exchange(subscribe(1, "a")),
                ElementsAre("SUBACK 1 0x00", "PUBLISH a 'x' retain expiry=1"));
    broker.advance(1s);
    EXPECT_THAT(broker.open(lasting("away")).received(),
                ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'y' qos=1 id=1"));
    EXPECT_THAT(broker.connect("late").exchange(subscribe(1, "a")), ElementsAre("SUBACK 1 0x00"));
}

TEST(MessageExpiry, DeletesWhatWaitsForTheQuotaAndDoesNotStopWhatFollows) {  // [MQTT-3.3.2-5]
    Broker broker;
    auto subscriber = broker.subscriber(Connect{.client_id = "c", .receive_maximum = 1}, "a", {.qos = AtLeastOnce});
    auto publisher = broker.connect("p");
    publisher.send({publish("a", "1", AtLeastOnce, 1), expiring(publish("a", "2", AtLeastOnce, 2), 10),
                    publish("a", "3", AtLeastOnce, 3)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1' qos=1 id=1"));
    broker.advance(10s);
    EXPECT_THAT(subscriber.exchange(puback(1)), ElementsAre("PUBLISH a '3' qos=1 id=2"));
}

class TopicAliases : public testing::Test {
protected:
    static broker::Limits limits() {
        broker::Limits limits;
        limits.topic_alias_max = 3;
        return limits;
    }

    Broker broker{{.limits = limits()}};
};

TEST_F(TopicAliases, OfTheClientAreAcceptedUpToTheMaximum) {  // [MQTT-3.3.2-12]
    auto publisher = broker.open(Connect{.client_id = "p"});
    EXPECT_EQ(std::get<ConnAck>(publisher.packets().at(0)).topic_alias_maximum, 3);
    auto subscriber = broker.subscriber("c", "#");
    publisher.send({with_alias(publish("a", "1"), 1), with_alias(publish("b", "2"), 2),
                    with_alias(publish("c", "3"), 3), with_alias(publish("", "4"), 1), with_alias(publish("", "5"), 2),
                    with_alias(publish("", "6"), 3)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1'", "PUBLISH b '2'", "PUBLISH c '3'", "PUBLISH a '4'",
                                                   "PUBLISH b '5'", "PUBLISH c '6'"));
}

TEST_F(TopicAliases, OfTheClientCanBeGivenANewTopic) {  // [MQTT-3.3.2-12]
    auto publisher = broker.connect("p");
    auto subscriber = broker.subscriber("c", "#");
    publisher.send(
        {with_alias(publish("a", "1"), 1), with_alias(publish("b", "2"), 1), with_alias(publish("", "3"), 1)});
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a '1'", "PUBLISH b '2'", "PUBLISH b '3'"));
}

TEST_F(TopicAliases, OfTheClientAboveTheMaximumEndTheConnection) {  // [MQTT-3.2.2-17] [MQTT-3.3.2-9] [MQTT-3.3.2-8]
    EXPECT_THAT(broker.connect("p").exchange(with_alias(publish("a", "x"), 4)),
                ElementsAre("DISCONNECT 0x94", "closed"));
    EXPECT_THAT(broker.connect("p").exchange(with_alias(publish("a", "x"), 0xFFFF)),
                ElementsAre("DISCONNECT 0x94", "closed"));
    auto zero = broker.connect("p");
    zero.send_bytes({0x30, 8, 0, 1, 'a', 3, 0x23, 0, 0, 'x'});
    EXPECT_THAT(zero.received(), ElementsAre("DISCONNECT 0x94", "closed"));
}

TEST(TopicAlias, AnyEndsTheConnectionWhereTheBrokerAllowsNone) {  // [MQTT-3.2.2-18]
    broker::Limits limits;
    limits.topic_alias_max = 0;
    Broker broker({.limits = limits});
    auto publisher = broker.open(Connect{.client_id = "p"});
    EXPECT_EQ(std::get<ConnAck>(publisher.packets().at(0)).topic_alias_maximum, 0);
    EXPECT_THAT(publisher.exchange(with_alias(publish("a", "x"), 1)), ElementsAre("DISCONNECT 0x94", "closed"));
}

TEST_F(TopicAliases, OfTheClientEndWithTheConnection) {  // [MQTT-3.3.2-7]
    auto publisher = broker.connect(lasting("p"));
    publisher.send(with_alias(publish("a", "x"), 1));
    publisher.drop();
    publisher = broker.connect(lasting("p"));
    EXPECT_THAT(publisher.exchange(with_alias(publish("", "y"), 1)), ElementsAre("DISCONNECT 0x82", "closed"));
}

// Topics as a subscriber reads them, aliases resolved; fails where an alias is not allowed or not known.
class Resolver {
public:
    explicit Resolver(std::uint16_t alias_maximum) : alias_maximum_(alias_maximum) {}

    Lines topics(const std::vector<Packet>& packets) {
        Lines topics;
        for (const auto& packet : packets) {
            const auto& publish = std::get<Publish>(packet);
            if (publish.topic_alias) {
                EXPECT_GE(*publish.topic_alias, 1);
                EXPECT_LE(*publish.topic_alias, alias_maximum_);
                if (publish.topic.empty()) ++topics_left_out;
                auto& known = known_[*publish.topic_alias];
                if (!publish.topic.empty()) known = publish.topic;
                topics.push_back(known);
            } else {
                topics.emplace_back(publish.topic);
            }
            EXPECT_NE(topics.back(), "");
        }
        return topics;
    }

    int topics_left_out = 0;

private:
    std::uint16_t alias_maximum_;
    std::map<std::uint16_t, std::string> known_;
};

TEST_F(TopicAliases, OfTheBrokerStayWithinTheMaximumOfTheClient) {  // [MQTT-3.1.2-26] [MQTT-3.3.2-11]
    auto publisher = broker.connect("p");
    for (auto maximum : {std::uint16_t{1}, std::uint16_t{2}, std::uint16_t{100}}) {
        auto subscriber = broker.subscriber(Connect{.client_id = "c", .topic_alias_maximum = maximum}, "#");
        Lines sent;
        for (int i = 0; i < 20; ++i) {
            sent.push_back("topic/" + std::to_string(i / 3 % 5));  // Three in a row, so that an alias is worth it.
            publisher.send(publish(sent.back(), "x"));
        }
        Resolver resolver(maximum);
        EXPECT_EQ(resolver.topics(subscriber.packets()), sent);
        EXPECT_GT(resolver.topics_left_out, 0);
        subscriber.drop();
    }
}

TEST_F(TopicAliases, OfTheBrokerAreNotSentToAClientThatAllowsNone) {  // [MQTT-3.1.2-27]
    auto publisher = broker.connect("p");
    auto subscriber = broker.subscriber("c", "#");
    for (int i = 0; i < 20; ++i) publisher.send(publish("topic", "x"));
    EXPECT_THAT(subscriber.received(), testing::AllOf(testing::SizeIs(20), testing::Each("PUBLISH topic 'x'")));
}

TEST_F(TopicAliases, OfTheBrokerEndWithTheConnection) {  // [MQTT-3.3.2-7]
    auto connect = lasting("c");
    connect.topic_alias_maximum = 3;
    auto subscriber = broker.subscriber(connect, "#");
    auto publisher = broker.connect("p");
    for (int i = 0; i < 3; ++i) publisher.send(publish("topic", "x"));
    subscriber.drop();
    subscriber = broker.connect(connect);
    for (int i = 0; i < 3; ++i) publisher.send(publish("topic", "x"));
    EXPECT_THAT(Resolver(3).topics(subscriber.packets()), testing::Each("topic"));
}

TEST(SubscriptionIdentifiers, OfAllThatMatchGoWithTheOneCopy) {  // [MQTT-3.3.4-3] [MQTT-3.3.4-4]
    Broker broker;
    auto client = broker.connect("c");
    client.exchange(identified(subscribe(1, "a/+"), 7));
    client.exchange(identified(subscribe(2, "a/#"), 268'435'455));
    client.exchange(subscribe(3, "+/b"));
    client.exchange(identified(subscribe(4, "other"), 9));
    broker.connect("p").send(publish("a/b", "x"));
    EXPECT_THAT(client.received(),
                ElementsAre(testing::AnyOf("PUBLISH a/b 'x' subscription=7 subscription=268435455",
                                           "PUBLISH a/b 'x' subscription=268435455 subscription=7")));
}

TEST(SubscriptionIdentifiers, GoWithRetainedAndWithQueuedMessages) {  // [MQTT-3.3.4-3]
    Broker broker;
    auto publisher = broker.connect("p");
    publisher.send(retained(publish("a", "x", AtLeastOnce, 1)));
    auto client = broker.connect(lasting("c"));
    EXPECT_THAT(client.exchange(identified(subscribe(1, "a", AtLeastOnce), 7)),
                ElementsAre("SUBACK 1 0x01", "PUBLISH a 'x' qos=1 id=1 retain subscription=7"));
    client.send(puback(1));
    client.drop();
    publisher.send(publish("a", "y", AtLeastOnce, 2));
    EXPECT_THAT(broker.open(lasting("c")).received(),
                ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'y' qos=1 id=2 subscription=7"));
}

TEST(SubscriptionIdentifiers, AreReplacedWithTheirSubscription) {  // [MQTT-3.3.4-3] [MQTT-3.8.4-3]
    Broker broker;
    auto client = broker.connect("c");
    auto publisher = broker.connect("p");
    client.exchange(identified(subscribe(1, "a"), 7));
    client.exchange(identified(subscribe(2, "a"), 8));
    publisher.send(publish("a", "x"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'x' subscription=8"));
    client.exchange(subscribe(3, "a"));
    publisher.send(publish("a", "y"));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'y'"));
}

// A shared subscription and one that is not give a client two copies.
TEST(SubscriptionIdentifiers, OfSeveralCopiesAreThoseOfEach) {  // [MQTT-3.3.4-5]
    Broker broker;
    auto client = broker.connect("c");
    client.exchange(identified(subscribe(1, "a"), 7));
    client.exchange(identified(subscribe(2, "$share/group/a"), 8));
    broker.connect("p").send(publish("a", "x"));
    EXPECT_THAT(client.received(),
                testing::UnorderedElementsAre("PUBLISH a 'x' subscription=7", "PUBLISH a 'x' subscription=8"));
}

TEST(SubscriptionIdentifiers, AreNotAcceptedFromAClient) {  // [MQTT-3.3.4-6]
    Broker broker;
    auto message = publish("a", "x");
    message.subscription_identifiers = {7};
    EXPECT_THAT(broker.connect("p").exchange(message), ElementsAre("DISCONNECT 0x82", "closed"));
}

// The properties of 5.0 take a byte more than the packet has that came from a client of 3.1.1, or from a feature.
TEST(LargestPublish, IsDroppedForASubscriberThatItIsTooLargeFor) {  // 2.1.4
    Broker broker;
    auto subscriber = broker.subscriber("s", "a", AtLeastOnce);
    const std::vector<std::uint8_t> payload(remaining_length_max - 2 - 1);  // With topic "a".
    for (const auto qos : {AtMostOnce, AtLeastOnce}) {
        broker.publish(broker::Message::create({.topic = "a", .payload = payload, .qos = qos}));
    }
    EXPECT_EQ(broker.dropped(broker::DropReason::PacketTooLarge), 2U);
    subscriber.send(publish("a", "small", AtLeastOnce, 1));
    EXPECT_THAT(subscriber.received(), ElementsAre("PUBLISH a 'small' qos=1 id=2", "PUBACK 1"));
}

}  // namespace
}  // namespace chappe::conformance
