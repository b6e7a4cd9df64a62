// Every bound of broker/limits.h: what just fits is taken, what is beyond it is answered, dropped or made to wait as
// the bound says and counted under the bound's name, and when there is room again all goes on. In the order of
// limits.h; those of messages are in message_bounds_test.cpp.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using broker::Bound;
using broker::DropReason;
using testing::SizeIs;

// Packets and topics.

TEST(Bounds, PacketSize) {  // [MQTT-3.2.2-15]
    Broker broker({.limits = {.packet_size_max = 50}});
    const std::size_t overhead = 6;  // Type and length, topic "a", properties.
    const std::string payload(50 - overhead, 'x');
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(publish("a", payload)), IsEmpty());
    EXPECT_EQ(broker.reached(Bound::PacketSizeMax), 0U);
    EXPECT_THAT(client.exchange(publish("a", payload + "x")), ElementsAre("DISCONNECT 0x95", "closed"));
    EXPECT_EQ(broker.reached(Bound::PacketSizeMax), 1U);
    EXPECT_THAT(broker.connect("c").exchange(publish("a", payload)), IsEmpty());
}

TEST(Bounds, ConnectPacketSize) {
    Broker broker({.limits = {.connect_packet_size_max = 30}});
    auto client = broker.connect(std::string(15, 'c'));  // Besides the identifier, CONNECT has 15 bytes.
    EXPECT_THAT(client.exchange(publish("a", std::string(100, 'x'), AtLeastOnce, 1)), ElementsAre("PUBACK 1 0x10"));
    EXPECT_EQ(broker.reached(Bound::ConnectPacketSizeMax), 0U);
    EXPECT_THAT(broker.open(Connect{.client_id = std::string(16, 'c')}).received(), ElementsAre("closed"));
    EXPECT_EQ(broker.reached(Bound::ConnectPacketSizeMax), 1U);
}

TEST(Bounds, TopicLength) {
    Broker broker({.limits = {.topic_length_max = 5}});
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(publish("abcde", "x", AtLeastOnce, 1)), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(client.exchange(subscribe(1, {{"abcde", {}}, {"abcdef", {}}})), ElementsAre("SUBACK 1 0x00 0x8F"));
    EXPECT_THAT(client.exchange(subscribe(2, "$share/g/a")), ElementsAre("SUBACK 2 0x8F"));  // With its share name.
    EXPECT_EQ(broker.reached(Bound::TopicLengthMax), 2U);
    EXPECT_THAT(client.exchange(publish("abcdef", "x", AtLeastOnce, 1)), ElementsAre("DISCONNECT 0x90", "closed"));
    EXPECT_EQ(broker.reached(Bound::TopicLengthMax), 3U);
}

TEST(Bounds, TopicLevels) {
    Broker broker({.limits = {.topic_levels_max = 3}});
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(publish("a/b/c", "x", AtLeastOnce, 1)), ElementsAre("PUBACK 1 0x10"));
    EXPECT_THAT(client.exchange(subscribe(1, {{"a/+/#", {}}, {"a/b/c/d", {}}})), ElementsAre("SUBACK 1 0x00 0x8F"));
    EXPECT_EQ(broker.reached(Bound::TopicLevelsMax), 1U);
    EXPECT_THAT(client.exchange(publish("a/b/c/d", "x", AtLeastOnce, 1)), ElementsAre("DISCONNECT 0x90", "closed"));
    EXPECT_EQ(broker.reached(Bound::TopicLevelsMax), 2U);
}

TEST(Bounds, UserProperties) {
    Broker broker({.limits = {.user_properties_max = 2}});
    const UserProperties few = {{"a", "1"}, {"a", "2"}};
    const UserProperties many = {{"a", "1"}, {"a", "2"}, {"a", "3"}};
    const auto with = [](const UserProperties& properties) {
        auto packet = publish("a", "x", AtLeastOnce, 1);
        packet.properties.user_properties = properties;
        return packet;
    };
    Connect connect{.client_id = "c", .will = Will{.topic = "w"}};
    connect.user_properties = few;
    connect.will->properties.user_properties = few;
    auto client = broker.connect(connect);
    EXPECT_THAT(client.exchange(with(few)), ElementsAre("PUBACK 1 0x10"));
    EXPECT_EQ(broker.reached(Bound::UserPropertiesMax), 0U);
    EXPECT_THAT(client.exchange(with(many)), ElementsAre("DISCONNECT 0x97", "closed"));
    connect.user_properties = many;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x97", "closed"));
    connect.user_properties = few;
    connect.will->properties.user_properties = many;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x97", "closed"));
    EXPECT_EQ(broker.reached(Bound::UserPropertiesMax), 3U);
}

TEST(Bounds, FiltersPerPacket) {
    Broker broker({.limits = {.filters_per_packet_max = 2}});
    for (const auto version : {V5, V311}) {
        const Lines end = version == V5 ? Lines{"DISCONNECT 0x97", "closed"} : Lines{"closed"};
        auto client = broker.connect("c", version);
        EXPECT_THAT(client.exchange(subscribe(1, {{"a", {}}, {"b", {}}})), ElementsAre("SUBACK 1 0x00 0x00"));
        EXPECT_THAT(client.exchange(subscribe(2, {{"a", {}}, {"b", {}}, {"c", {}}})), ElementsAreArray(end));
        client = broker.connect("c", version);
        EXPECT_THAT(client.exchange(unsubscribe(1, {"a", "b", "c"})), ElementsAreArray(end));
    }
    EXPECT_EQ(broker.reached(Bound::FiltersPerPacketMax), 4U);
}

TEST(Bounds, ClientIdLength) {  // [MQTT-3.1.3-8] [MQTT3-3.1.3-9]
    Broker broker({.limits = {.client_id_length_max = 30}});
    const std::string longest(30, 'c');
    const auto longer = longest + "c";
    EXPECT_THAT(broker.open(Connect{.client_id = longest}).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_THAT(broker.open(Connect{}).received(), ElementsAre(testing::StartsWith("CONNACK 0x00 client_id=")));
    EXPECT_EQ(broker.reached(Bound::ClientIdLengthMax), 0U);
    EXPECT_THAT(broker.open(Connect{.client_id = longer}).received(), ElementsAre("CONNACK 0x85", "closed"));
    EXPECT_THAT(broker.open(Connect{.version = V311, .client_id = longer}).received_bytes(),
                ElementsAre(0x20, 2, 0, 2));
    EXPECT_EQ(broker.reached(Bound::ClientIdLengthMax), 2U);
}

TEST(Bounds, TopicOfAWill) {
    Broker broker({.limits = {.topic_length_max = 5, .topic_levels_max = 2}});
    auto connect = Connect{.client_id = "c", .will = Will{.topic = "abcdef"}};
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x90", "closed"));
    connect.will->topic = "a/b/c";
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x90", "closed"));
    EXPECT_EQ(broker.reached(Bound::TopicLengthMax), 1U);
    EXPECT_EQ(broker.reached(Bound::TopicLevelsMax), 1U);
}

// Connections.

TEST(Bounds, Connections) {
    Broker broker({.limits = {.connections_max = 2}});
    auto first = broker.connect("1");
    auto second = broker.connect("2");
    EXPECT_EQ(broker.reached(Bound::ConnectionsMax), 0U);
    EXPECT_THAT(broker.open(Connect{.client_id = "3"}).received(), ElementsAre("CONNACK 0x89", "closed"));
    EXPECT_EQ(broker.reached(Bound::ConnectionsMax), 1U);
    first.drop();
    EXPECT_THAT(broker.open(Connect{.client_id = "3"}).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.reached(Bound::ConnectionsMax), 1U);
}

TEST(Bounds, ConnectionsFarBeyondAreNotAnswered) {
    Broker broker({.limits = {.connections_max = 2}});
    std::vector<Client> silent;
    for (int i = 0; i < 2 + 64; ++i) silent.push_back(broker.open());
    EXPECT_TRUE(silent.back().connected());
    EXPECT_THAT(broker.open().received(), ElementsAre("closed"));
    EXPECT_EQ(broker.reached(Bound::ConnectionsMax), 65U);
}

TEST(Bounds, OfConnectionsAndSessionsDoNotKeepTheOperatorOut) {
    Broker broker({.limits = {.connections_max = 2, .sessions_max = 1}});
    auto client = broker.connect("1");
    std::vector<Client> silent;
    for (int i = 0; i < 1 + 64; ++i) silent.push_back(broker.open());
    EXPECT_THAT(broker.open().received(), ElementsAre("closed"));
    EXPECT_THAT(broker.open_as_operator(Connect{.client_id = "o"}).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.reached(Bound::ConnectionsMax), 65U);
    EXPECT_EQ(broker.reached(Bound::SessionsMax), 0U);
}

TEST(Bounds, ConnectionsBeforeLogin) {
    Broker broker({.limits = {.connections_before_login_max = 2}});
    auto first = broker.open();
    auto second = broker.open();
    EXPECT_EQ(broker.reached(Bound::ConnectionsBeforeLoginMax), 0U);
    auto client = broker.connect("c");  // The one that has waited longest goes for it.
    EXPECT_THAT(first.received(), ElementsAre("closed"));
    EXPECT_EQ(broker.reached(Bound::ConnectionsBeforeLoginMax), 1U);
    auto third = broker.open();  // Who has logged in does not count.
    EXPECT_TRUE(second.connected());
    EXPECT_EQ(broker.reached(Bound::ConnectionsBeforeLoginMax), 1U);
    EXPECT_THAT(broker.open_as_operator(Connect{.client_id = "o"}).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_TRUE(second.connected());
    EXPECT_TRUE(client.connected());
    second.drop();
    auto fourth = broker.open();
    EXPECT_TRUE(third.connected());
    EXPECT_EQ(broker.reached(Bound::ConnectionsBeforeLoginMax), 1U);
}

TEST(Bounds, ConnectsOfOneClient) {
    Broker broker({.limits = {.client_connects_per_minute_max = 2, .flapping_wait_seconds = 20}});
    auto first = broker.connect("c");
    auto second = broker.connect("c");
    EXPECT_EQ(broker.reached(Bound::ClientConnectsPerMinuteMax), 1U);
    EXPECT_THAT(broker.open(Connect{.client_id = "c"}).received(), ElementsAre("CONNACK 0x9F", "closed"));
    EXPECT_THAT(broker.open(Connect{.version = V311, .client_id = "c"}).received(),
                ElementsAre("CONNACK 0x88", "closed"));
    EXPECT_EQ(broker.reached(Bound::FlappingWaitSeconds), 2U);
    EXPECT_TRUE(second.connected());  // Who is there may stay.
    EXPECT_THAT(broker.open_as_operator(Connect{.client_id = "c"}).received(), ElementsAre("CONNACK 0x00"));
    broker.advance(20s);
    EXPECT_TRUE(broker.connect("c").connected());
}

TEST(Bounds, ConnectsThatAreRefusedOrEndInOrderDoNotCount) {
    Broker broker({.limits = {.topic_length_max = 5, .client_connects_per_minute_max = 2}});
    for (int i = 0; i != 10; ++i) {
        auto client = broker.connect("c");
        client.send(disconnect());
        auto refused = broker.open(Connect{.client_id = "c", .will = Will{.topic = "too long"}});
        EXPECT_FALSE(refused.connected());
        auto unnamed = broker.connect("");
    }
    EXPECT_EQ(broker.reached(Bound::ClientConnectsPerMinuteMax), 0U);
    EXPECT_EQ(broker.reached(Bound::FlappingWaitSeconds), 0U);
}

TEST(Bounds, ConnectTimeout) {
    Broker broker({.limits = {.connect_timeout_seconds = 5}});
    auto in_time = broker.open();
    auto silent = broker.open();
    broker.advance(4s);
    EXPECT_THAT(in_time.exchange(Connect{.client_id = "c"}), ElementsAre("CONNACK 0x00"));
    EXPECT_THAT(silent.received(), IsEmpty());
    broker.advance(1s);
    EXPECT_THAT(silent.received(), ElementsAre("closed"));
    EXPECT_TRUE(in_time.connected());
    EXPECT_EQ(broker.reached(Bound::ConnectTimeoutSeconds), 1U);
}

TEST(Bounds, KeepAlive) {  // [MQTT-3.1.2-21]
    Broker broker({.limits = {.keep_alive_max_seconds = 10}});
    EXPECT_THAT(broker.open(Connect{.keep_alive_seconds = 10, .client_id = "a"}).received(),
                ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.reached(Bound::KeepAliveMaxSeconds), 0U);
    auto longer = broker.open(Connect{.keep_alive_seconds = 11, .client_id = "b"});
    auto none = broker.open(Connect{.keep_alive_seconds = 0, .client_id = "c"});
    EXPECT_THAT(longer.received(), ElementsAre("CONNACK 0x00 keep_alive=10"));
    EXPECT_THAT(none.received(), ElementsAre("CONNACK 0x00 keep_alive=10"));
    EXPECT_EQ(broker.reached(Bound::KeepAliveMaxSeconds), 2U);
    broker.advance(15s);
    EXPECT_THAT(none.received(), ElementsAre("DISCONNECT 0x8D", "closed"));
}

TEST(Bounds, UnsentBytesDropWhatASubscriberOfQoS0DoesNotRead) {
    Broker broker({.limits = {.unsent_bytes_max = 4096}});
    auto slow = broker.subscriber("slow", "a");
    auto publisher = broker.connect("p");
    slow.stop_reading();
    for (int i = 0; i < 5; ++i) publisher.send(publish("a", std::string(1000, 'x')));  // Four of them are 4028 bytes.
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 0U);
    for (int i = 0; i < 100; ++i) publisher.send(publish("a", "y"));
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 100U);
    EXPECT_EQ(broker.dropped(DropReason::UnsentFull), 100U);
    slow.read_again();
    EXPECT_THAT(slow.received(), SizeIs(5));
    publisher.send(publish("a", "z"));
    EXPECT_THAT(slow.received(), ElementsAre("PUBLISH a 'z'"));
}

TEST(Bounds, UnsentBytesKeepQoS1InTheQueue) {
    Broker broker({.limits = {.inflight_max = 1000}});
    auto slow = broker.subscriber("slow", "a", AtLeastOnce);
    auto publisher = broker.connect("p");
    slow.stop_reading();
    const std::string payload(64 * 1024, 'x');
    for (int i = 0; i < 10; ++i) publisher.send(publish("a", payload, AtLeastOnce, 1));
    EXPECT_THAT(slow.received(), IsEmpty());
    publisher.send(publish("a", "last", AtLeastOnce, 1));
    slow.read_again();
    EXPECT_THAT(slow.received(), SizeIs(11));
    EXPECT_TRUE(broker.drops().empty());
}

TEST(Bounds, UnsentBytesStopReadingWhoDoesNotReadAcknowledgements) {
    Broker broker({.limits = {.unsent_bytes_max = 40}});
    auto subscriber = broker.subscriber("s", "a", AtLeastOnce);
    auto publisher = broker.connect("p");
    publisher.stop_reading();
    const auto send = [&](int count) {
        for (int i = 0; i < count; ++i) publisher.send(publish("a", "x", AtLeastOnce, 1));
    };
    send(10);  // PUBACK has four bytes.
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 0U);
    send(10);
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 1U);
    EXPECT_THAT(subscriber.received(), SizeIs(11));
    publisher.read_again();
    EXPECT_THAT(subscriber.received(), SizeIs(9));
    EXPECT_THAT(publisher.received(), SizeIs(20));
}

// It is slow, not dead: its pings and acknowledgements go on to be read.
TEST(Bounds, UnsentBytesDoNotStopReadingWhoIsSlowToReadMessages) {
    Broker broker({.limits = {.unsent_bytes_max = 40}});
    auto subscriber = broker.subscriber(Connect{.keep_alive_seconds = 10, .client_id = "s"}, "a", {.qos = AtLeastOnce});
    subscriber.stop_reading();
    auto publisher = broker.connect("p");
    for (int i = 0; i < 10; ++i) publisher.send(publish("a", "a text of some length", AtLeastOnce, 1));
    for (int i = 0; i < 3; ++i) {
        broker.advance(8s);
        subscriber.send(PingReq{});
    }
    EXPECT_TRUE(subscriber.connected());
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 0U);
    subscriber.read_again();
    EXPECT_THAT(subscriber.received(), SizeIs(10 + 3));
}

TEST(Bounds, UnsentBytesOfAllConnections) {
    Broker broker({.limits = {.unsent_bytes_total_max = 250'000}});
    auto first = broker.subscriber("1", "1");
    auto second = broker.subscriber("2", "2", AtLeastOnce);
    auto reader = broker.subscriber("3", "3");
    auto publisher = broker.connect("p");
    const std::string payload(100'000, 'x');
    const auto send = [&](std::string_view topic) { publisher.send(publish(topic, payload, AtLeastOnce, 1)); };
    first.stop_reading();
    second.stop_reading();
    send("1");
    send("2");
    send("1");
    EXPECT_EQ(broker.reached(Bound::UnsentBytesTotalMax), 0U);
    send("1");
    send("1");
    EXPECT_EQ(broker.reached(Bound::UnsentBytesTotalMax), 2U);
    EXPECT_EQ(broker.dropped(DropReason::UnsentFull), 2U);
    send("2");  // Waits in the queue.
    publisher.send({publish("3", "x"), publish("3", "y"), publish("3", "z")});
    EXPECT_THAT(reader.received(), SizeIs(3));  // For those who read there is room.
    second.read_again();
    EXPECT_THAT(second.received(), SizeIs(2));
    send("1");
    first.read_again();
    EXPECT_THAT(first.received(), SizeIs(3));
    EXPECT_EQ(broker.dropped(DropReason::UnsentFull), 2U);
}

TEST(Bounds, UnsentBytesOfAllConnectionsCountAMessageOnce) {
    Broker broker({.limits = {.unsent_bytes_total_max = 250'000}});
    std::vector<Client> subscribers;
    for (int i = 0; i != 10; ++i) {
        subscribers.push_back(broker.subscriber(std::to_string(i), "a"));
        subscribers.back().stop_reading();
    }
    auto other = broker.subscriber("other", "b");
    other.stop_reading();
    auto publisher = broker.connect("p");
    for (const auto* topic : {"a", "a", "b"}) publisher.send(publish(topic, std::string(100'000, 'x')));
    EXPECT_EQ(broker.reached(Bound::UnsentBytesTotalMax), 0U);
    publisher.send(publish("a", "x"));
    EXPECT_EQ(broker.reached(Bound::UnsentBytesTotalMax), 10U);
    for (const auto& subscriber : subscribers) subscriber.drop();
    auto last = broker.subscriber("last", "a");
    publisher.send({publish("a", "x"), publish("a", "y")});
    EXPECT_THAT(last.received(), SizeIs(2));
}

TEST(Bounds, UnsentBytesOfAllConnectionsStopReadingWhoDoesNotReadAcknowledgements) {
    Broker broker({.limits = {.unsent_bytes_total_max = 250'000}});
    auto slow = broker.subscriber("slow", "a");
    slow.stop_reading();
    auto publisher = broker.connect("p");
    for (int i = 0; i != 3; ++i) publisher.send(publish("a", std::string(100'000, 'x')));
    publisher.stop_reading();
    for (int i = 0; i != 10'000; ++i) publisher.send(PingReq{});
    EXPECT_EQ(broker.reached(Bound::UnsentBytesTotalMax), 1U);
    publisher.read_again();
    EXPECT_THAT(publisher.received(), SizeIs(10'000));
    EXPECT_EQ(broker.reached(Bound::UnsentBytesMax), 0U);
}

// [MQTT-4.13.2-1]
TEST(Bounds, UnfinishedPacketsOfAllClients) {
    Broker broker({.limits = {.unfinished_bytes_total_max = 90'000}});
    Buffer packet;
    const std::string payload(60'000, 'x');
    encode(publish("a", payload), V5, packet);
    const auto beginning = packet.bytes().first(50'000);
    auto first = broker.connect("1");
    first.send_bytes(beginning);
    auto second = broker.connect("2");
    second.send_bytes(beginning);
    EXPECT_THAT(second.received(), ElementsAre("DISCONNECT 0x97", "closed"));
    EXPECT_EQ(broker.reached(Bound::UnfinishedBytesTotalMax), 1U);

    first.send_bytes(packet.bytes().subspan(beginning.size()));
    auto third = broker.connect("3");
    third.send_bytes(beginning);  // What the first took is free again.
    EXPECT_TRUE(third.connected());
    third.drop();
    auto fourth = broker.connect("4");
    fourth.send_bytes(beginning);
    EXPECT_TRUE(fourth.connected());
    auto small = broker.connect("5");  // Small packets may come in pieces however much the others take.
    small.send_bytes({0xC0});
    small.send_bytes({0x00});
    EXPECT_THAT(small.received(), ElementsAre("PINGRESP"));
}

TEST(Bounds, TopicAliases) {  // [MQTT-3.2.2-17] [MQTT-3.1.2-26]
    Broker broker({.limits = {.topic_alias_max = 2}});
    auto client = broker.subscriber(Connect{.client_id = "c", .topic_alias_maximum = 5}, "+");
    client.send({with_alias(publish("a", "1"), 1), with_alias(publish("b", "2"), 2), publish("c", "3")});
    EXPECT_THAT(client.received(),
                ElementsAre("PUBLISH a '1' alias=1", "PUBLISH b '2' alias=2", "PUBLISH c '3' alias=1"));
    EXPECT_EQ(broker.reached(Bound::TopicAliasMax), 0U);
    EXPECT_THAT(client.exchange(with_alias(publish("d", "4"), 3)), ElementsAre("DISCONNECT 0x94", "closed"));
    EXPECT_EQ(broker.reached(Bound::TopicAliasMax), 1U);
}

// Sessions.

TEST(Bounds, Sessions) {
    Broker broker({.limits = {.sessions_max = 2}});
    broker.connect(lasting("away")).drop();
    auto second = broker.connect("2");
    EXPECT_EQ(broker.reached(Bound::SessionsMax), 0U);
    EXPECT_THAT(broker.open(Connect{.client_id = "3"}).received(), ElementsAre("CONNACK 0x97", "closed"));
    EXPECT_EQ(broker.reached(Bound::SessionsMax), 1U);
    EXPECT_THAT(broker.open(lasting("away")).received(), ElementsAre("CONNACK 0x00 session_present"));
    second.drop();
    EXPECT_THAT(broker.open(Connect{.client_id = "3"}).received(), ElementsAre("CONNACK 0x00"));
}

TEST(Bounds, SessionsBytes) {
    Broker broker({.limits = {.sessions_bytes_max = 100'000}});
    const std::string payload(60'000, 'x');
    auto connect = lasting("c");
    connect.will = Will{.topic = "a", .payload = as_bytes(payload), .delay_interval_seconds = 60};
    auto client = broker.connect(connect);
    EXPECT_EQ(broker.reached(Bound::SessionsBytesMax), 0U);
    connect.client_id = "d";
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x97", "closed"));
    EXPECT_EQ(broker.reached(Bound::SessionsBytesMax), 1U);
    auto other = broker.connect(lasting("d"));
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x97", "closed"));  // Nothing has changed.
    EXPECT_TRUE(other.connected());
    connect.client_id = "c";
    client = broker.connect(connect);  // In place of what it has.
    client.drop();
    broker.connect(Connect{.client_id = "c"}).drop();
    connect.client_id = "d";
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00 session_present"));
    EXPECT_EQ(broker.reached(Bound::SessionsBytesMax), 2U);
    connect.client_id = "e";
    connect.version = V311;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x88", "closed"));  // Server unavailable.
    EXPECT_EQ(broker.reached(Bound::SessionsBytesMax), 3U);
}

TEST(Bounds, SessionsBytesWithoutWills) {
    Broker broker({.limits = {.sessions_bytes_max = 100'000}});
    std::vector<Client> clients;
    std::size_t accepted = 0;
    for (int i = 0; i < 200; ++i) {
        const auto client_id = std::to_string(i) + std::string(1000, 'c');
        clients.push_back(broker.open(Connect{.client_id = client_id}));
        if (clients.back().connected()) ++accepted;
    }
    EXPECT_GT(accepted, 20U);
    EXPECT_LT(accepted, 50U);
    EXPECT_EQ(broker.reached(Bound::SessionsBytesMax), 200 - accepted);
    for (const auto& client : clients) client.drop();
    EXPECT_THAT(broker.open(Connect{.client_id = "c"}).received(), ElementsAre("CONNACK 0x00"));
}

TEST(Bounds, SessionExpiry) {
    Broker broker({.limits = {.session_expiry_max_seconds = 10}});
    Connect connect{.clean_start = false, .client_id = "c", .session_expiry_interval_seconds = 10};
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_EQ(broker.reached(Bound::SessionExpiryMaxSeconds), 0U);
    connect.session_expiry_interval_seconds = 11;
    auto client = broker.open(connect);
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present expiry=10"));
    EXPECT_EQ(broker.reached(Bound::SessionExpiryMaxSeconds), 1U);
    auto goodbye = disconnect();
    goodbye.session_expiry_interval_seconds = 1000;
    client.send(goodbye);
    EXPECT_EQ(broker.reached(Bound::SessionExpiryMaxSeconds), 2U);
    broker.advance(10s);
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00 expiry=10"));
}

TEST(Bounds, SessionExpiryOfOlderClients) {
    Broker broker({.limits = {.session_expiry_max_seconds = 10}});
    broker.connect(lasting("c", V311)).drop();
    EXPECT_EQ(broker.reached(Bound::SessionExpiryMaxSeconds), 1U);
    broker.advance(9s);
    auto client = broker.open(lasting("c", V311));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00 session_present"));
    client.drop();
    broker.advance(10s);
    EXPECT_THAT(broker.open(lasting("c", V311)).received(), ElementsAre("CONNACK 0x00"));
}

TEST(Bounds, WillDelay) {
    Broker broker({.limits = {.will_delay_max_seconds = 5}});
    auto watcher = broker.subscriber("w", "will");
    auto connect = lasting("c");
    connect.will = Will{.topic = "will", .payload = as_bytes("x"), .delay_interval_seconds = 5};
    broker.connect(connect).drop();
    EXPECT_EQ(broker.reached(Bound::WillDelayMaxSeconds), 0U);
    connect.will->delay_interval_seconds = 60;
    broker.connect(connect).drop();
    EXPECT_EQ(broker.reached(Bound::WillDelayMaxSeconds), 1U);
    broker.advance(4s);
    EXPECT_THAT(watcher.received(), IsEmpty());
    broker.advance(1s);
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH will 'x'"));
}

TEST(Bounds, SubscriptionsOfOneSession) {
    Broker broker({.limits = {.subscriptions_per_session_max = 2}});
    auto client = broker.connect("c");
    EXPECT_THAT(client.exchange(subscribe(1, {{"a", {}}, {"b", {}}})), ElementsAre("SUBACK 1 0x00 0x00"));
    EXPECT_EQ(broker.reached(Bound::SubscriptionsPerSessionMax), 0U);
    EXPECT_THAT(client.exchange(subscribe(2, {{"c", {}}, {"a", {.qos = AtLeastOnce}}})),
                ElementsAre("SUBACK 2 0x97 0x01"));  // What is there may be changed.
    EXPECT_EQ(broker.reached(Bound::SubscriptionsPerSessionMax), 1U);
    client.exchange(unsubscribe(3, {"a"}));
    EXPECT_THAT(client.exchange(subscribe(4, "c")), ElementsAre("SUBACK 4 0x00"));
}

TEST(Bounds, SubscriptionsOfAllSessions) {
    Broker broker({.limits = {.subscriptions_max = 3}});
    auto first = broker.subscriber("1", "a");
    auto second = broker.connect("2");
    EXPECT_THAT(second.exchange(subscribe(1, {{"a", {}}, {"$share/g/b", {}}})), ElementsAre("SUBACK 1 0x00 0x00"));
    EXPECT_EQ(broker.reached(Bound::SubscriptionsMax), 0U);
    EXPECT_THAT(second.exchange(subscribe(2, "c")), ElementsAre("SUBACK 2 0x97"));
    EXPECT_THAT(first.exchange(subscribe(2, "$share/g/b")), ElementsAre("SUBACK 2 0x97"));  // Each member counts.
    EXPECT_EQ(broker.reached(Bound::SubscriptionsMax), 2U);
    first.exchange(unsubscribe(3, {"a"}));
    EXPECT_THAT(first.exchange(subscribe(4, "$share/g/b")), ElementsAre("SUBACK 4 0x00"));
    EXPECT_THAT(first.exchange(subscribe(5, "c")), ElementsAre("SUBACK 5 0x97"));
    first.drop();
    EXPECT_THAT(second.exchange(subscribe(6, "c")), ElementsAre("SUBACK 6 0x00"));
}

TEST(Bounds, SubscriptionBytes) {
    Broker broker({.limits = {.subscription_bytes_max = 20'000}});
    auto client = broker.connect("c");
    std::string deep = "+";  // Of a kilobyte, and some 40 kilobytes as nodes of the topic tree.
    while (deep.size() < 1000) deep += "/a";
    EXPECT_THAT(client.exchange(subscribe(1, "small")), ElementsAre("SUBACK 1 0x00"));
    const auto subscribe_to_deep = [&] { return client.exchange(subscribe(2, deep)); };
    broker.configure({.topic_levels_max = 1000, .subscription_bytes_max = 20'000});
    EXPECT_THAT(subscribe_to_deep(), ElementsAre("SUBACK 2 0x00"));
    EXPECT_EQ(broker.reached(Bound::SubscriptionBytesMax), 0U);
    EXPECT_THAT(client.exchange(subscribe(3, "other")), ElementsAre("SUBACK 3 0x97"));
    EXPECT_THAT(subscribe_to_deep(), ElementsAre("SUBACK 2 0x00"));  // It is there already.
    EXPECT_EQ(broker.reached(Bound::SubscriptionBytesMax), 1U);
    client.exchange(unsubscribe(4, {deep}));
    EXPECT_THAT(client.exchange(subscribe(5, "other")), ElementsAre("SUBACK 5 0x00"));
}

TEST(Bounds, SubscriptionBytesAreGivenBackWithTheSession) {
    Broker broker({.limits = {.subscription_bytes_max = 1500}});
    const std::string name(400, 'n');
    for (int round = 0; round < 10; ++round) {
        auto client = broker.connect("c");
        EXPECT_THAT(client.exchange(subscribe(1, {{"$share/" + name + "/a", {}}, {"b", {}}})),
                    ElementsAre("SUBACK 1 0x00 0x00"));
        client.drop();
    }
}

}  // namespace
}  // namespace chappe::conformance
