// CONNECT and CONNACK: what is accepted, what is refused and how.

#include "tests/conformance/broker.h"
#include "tests/conformance/transcript.h"

namespace chappe::conformance {
namespace {

class Connecting : public BothVersions {};
CHAPPE_BOTH_VERSIONS(Connecting);

// [MQTT-3.1.0-1] [MQTT-3.14.0-1] [MQTT3-3.1.0-1] [MQTT3-4.8.0-1]
TEST_P(Connecting, ClosesWithoutAWordWhenTheFirstPacketIsNotConnect) {
    Broker broker;
    for (const auto& first : {Packet{PingReq{}}, Packet{publish("a", "x")}, Packet{subscribe(1, "a")},
                              Packet{puback(1)}, Packet{disconnect()}}) {
        auto client = broker.open(version());
        EXPECT_THAT(client.exchange(first), ElementsAre("closed")) << describe(first);
    }
}

// [MQTT-3.1.0-2] [MQTT3-3.1.0-2]
TEST_P(Connecting, SecondConnectEndsTheConnection) {
    Broker broker;
    auto client = broker.connect(brief("c"));
    EXPECT_EQ(client.exchange(brief("c")), ended(version(), "DISCONNECT 0x82"));
}

// [MQTT-3.1.4-5] [MQTT-3.2.0-1] [MQTT3-3.1.4-4] [MQTT3-3.2.0-1]
TEST_P(Connecting, AcceptedConnectIsAnsweredWithConnackFirst) {
    Broker broker;
    auto client = broker.open(version());
    client.send({brief("c"), subscribe(1, "a"), PingReq{}});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00", "SUBACK 1 0x00", "PINGRESP"));
}

// [MQTT-3.2.0-1] [MQTT3-3.2.0-1]
TEST_P(Connecting, ConnackComesBeforeTheMessagesThatWait) {
    Broker broker;
    broker.subscriber(lasting("c"), "a", {.qos = AtLeastOnce}).drop();
    broker.connect(brief("p")).send(publish("a", "x", AtLeastOnce, 1));
    EXPECT_THAT(broker.open(lasting("c")).received(),
                ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'x' qos=1 id=1"));
}

// [MQTT-3.2.2-1]
TEST_P(Connecting, AcknowledgeFlagsHaveSessionPresentAndNothingElse) {
    Broker broker;
    auto first = broker.open(lasting("c"));
    EXPECT_EQ(first.received_bytes().at(2), 0);
    first.drop();
    EXPECT_EQ(broker.open(lasting("c")).received_bytes().at(2), 1);
}

// [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT3-3.1.2-6] [MQTT3-3.1.4-3] [MQTT3-3.2.2-1]
TEST_P(Connecting, CleanStartThrowsTheSessionAway) {
    Broker broker;
    broker.subscriber(lasting("c"), "a", {.qos = AtLeastOnce}).drop();
    auto publisher = broker.connect(brief("p"));
    publisher.send(publish("a", "queued", AtLeastOnce, 1));

    auto again = broker.open(brief("c"));
    EXPECT_THAT(again.received(), ElementsAre("CONNACK 0x00"));
    publisher.send(publish("a", "live"));
    EXPECT_THAT(again.received(), IsEmpty());
}

// [MQTT-3.1.2-5] [MQTT-3.2.2-3] [MQTT3-3.1.2-4] [MQTT3-3.2.2-2]
TEST_P(Connecting, ResumesTheSessionThatExists) {
    Broker broker;
    broker.subscriber(lasting("c"), "a").drop();
    auto again = broker.open(lasting("c"));
    EXPECT_THAT(again.received(), ElementsAre("CONNACK 0x00 session_present"));
    broker.connect(brief("p")).send(publish("a", "x"));
    EXPECT_THAT(again.received(), ElementsAre("PUBLISH a 'x'"));
}

// [MQTT-3.1.2-6] [MQTT-3.2.2-3] [MQTT3-3.1.2-4] [MQTT3-3.2.2-3]
TEST_P(Connecting, MakesASessionWhereThereIsNone) {
    Broker broker;
    auto client = broker.open(lasting("c"));
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00"));
    client.drop();
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// [MQTT-3.1.3-2] [MQTT3-3.1.3-2]
TEST_P(Connecting, SessionsAreFoundByTheClientId) {
    Broker broker;
    broker.subscriber(lasting("one"), "a").drop();
    EXPECT_THAT(broker.open(lasting("two")).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_THAT(broker.open(lasting("One")).received(), ElementsAre("CONNACK 0x00"));
    EXPECT_THAT(broker.open(lasting("one")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// [MQTT-3.1.3-5] [MQTT3-3.1.3-5]
TEST_P(Connecting, ClientIdsOfUpTo23LettersAndDigitsAreAccepted) {
    constexpr std::string_view characters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    Broker broker;
    for (std::size_t length = 1; length <= 23; ++length) {
        for (std::size_t at = 0; at + length <= characters.size(); at += length) {
            auto client = broker.open(brief(characters.substr(at, length)));
            EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00")) << characters.substr(at, length);
        }
    }
}

// [MQTT-3.1.4-3] [MQTT3-3.1.4-2]
TEST_P(Connecting, SecondConnectionOfAClientClosesTheFirst) {
    Broker broker;
    auto first = broker.connect(lasting("c"));
    auto second = broker.open(lasting("c"));
    EXPECT_EQ(first.received(), ended(version(), "DISCONNECT 0x8E"));
    EXPECT_THAT(second.received(), ElementsAre("CONNACK 0x00 session_present"));
    EXPECT_THAT(second.exchange(PingReq{}), ElementsAre("PINGRESP"));
}

// [MQTT-3.2.0-2]
TEST_P(Connecting, ConnackComesOnce) {
    Broker broker;
    auto client = broker.open(brief("c"));
    client.send(subscribe(1, "a", ExactlyOnce));
    client.send(publish("a", "x", ExactlyOnce, 2));
    client.send({pubrel(2), pubrec(1), pubcomp(1), PingReq{}, disconnect()});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x00", "SUBACK 1 0x02", "PUBLISH a 'x' qos=2 id=1", "PUBREC 2",
                                               "PUBCOMP 2", "PUBREL 1", "PINGRESP", "closed"));
}

// [MQTT-3.12.4-1] [MQTT3-3.12.4-1]
TEST_P(Connecting, PingIsAnswered) {
    Broker broker;
    EXPECT_THAT(broker.connect(brief("c")).exchange(PingReq{}), ElementsAre("PINGRESP"));
}

// A CONNECT whose protocol name is not MQTT, or whose version is none that is served.

std::vector<std::uint8_t> connect_bytes(std::string_view name, std::uint8_t protocol_version) {
    std::string bytes = {0x10, 0, 0, static_cast<char>(name.size())};
    bytes.append(name).append({static_cast<char>(protocol_version), 0x02, 0, 0});
    if (protocol_version >= 5) bytes.push_back(0);  // No properties.
    bytes.append({0, 1, 'c'});
    bytes[1] = static_cast<char>(bytes.size() - 2);
    return {bytes.begin(), bytes.end()};
}

// What the broker answers, read as `version` has it.
Lines answer_to(const std::vector<std::uint8_t>& connect, ProtocolVersion version) {
    Broker broker;
    auto client = broker.open(version);
    client.send_bytes(connect);
    return client.received();
}

// Nobody knows what a client of another protocol understands: it gets the four bytes that all versions of MQTT share.
TEST(ProtocolName, OtherThanMqttIsRefused) {  // [MQTT-3.1.2-1] [MQTT3-3.1.2-1]
    EXPECT_THAT(answer_to(connect_bytes("MQTX", 5), V311), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("MQTX", 4), V311), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("mqtt", 5), V311), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("MQIsdp", 4), V311), ElementsAre("CONNACK 0x84", "closed"));
}

TEST(ProtocolVersion, OtherThanThoseServedIsRefused) {  // [MQTT-3.1.2-2] [MQTT3-3.1.2-2]
    EXPECT_THAT(answer_to(connect_bytes("MQTT", 6), V5), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("MQTT", 127), V5), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("MQTT", 2), V311), ElementsAre("CONNACK 0x84", "closed"));
    EXPECT_THAT(answer_to(connect_bytes("MQTT", 0), V311), ElementsAre("CONNACK 0x84", "closed"));
}

TEST(ProtocolVersion, IsRefusedWithReturnCode1Before5) {  // [MQTT3-3.1.2-2] [MQTT-3.2.2-8]
    Broker broker;
    auto client = broker.open();
    client.send_bytes(connect_bytes("MQTT", 2));
    EXPECT_THAT(client.received_bytes(), ElementsAre(0x20, 2, 0, 1));
}

// A client that brings no id.

// [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]
TEST(EmptyClientId, GetsOneThatNoOtherSessionHasAndThatIsItsOwn) {
    Broker broker;
    auto first = broker.open(lasting(""));
    auto second = broker.open(lasting(""));
    auto first_id = std::string(*std::get<ConnAck>(first.packets().at(0)).assigned_client_id);
    auto second_id = std::string(*std::get<ConnAck>(second.packets().at(0)).assigned_client_id);
    EXPECT_NE(first_id, "");
    EXPECT_NE(second_id, "");
    EXPECT_NE(first_id, second_id);

    first.drop();
    EXPECT_THAT(broker.open(lasting(first_id)).received(), ElementsAre("CONNACK 0x00 session_present"));
}

TEST(EmptyClientId, IsAcceptedFrom311WithCleanSession) {  // [MQTT3-3.1.3-6]
    Broker broker;
    auto first = broker.subscriber(Connect{.version = V311}, "a");
    auto second = broker.subscriber(Connect{.version = V311}, "b");
    second.send({publish("a", "x"), publish("b", "y")});
    EXPECT_THAT(first.received(), ElementsAre("PUBLISH a 'x'"));
    EXPECT_THAT(second.received(), ElementsAre("PUBLISH b 'y'"));
}

// [MQTT3-3.1.3-7] [MQTT3-3.1.3-8] [MQTT3-3.1.3-9] [MQTT3-3.2.2-4] [MQTT3-3.2.2-5]
TEST(EmptyClientId, IsRefusedFrom311WithoutCleanSession) {
    Broker broker;
    auto client = broker.open(Connect{.version = V311, .clean_start = false});
    EXPECT_THAT(client.received_bytes(), ElementsAre(0x20, 2, 0, 2));
    EXPECT_FALSE(client.connected());
}

// A refusal: what it leaves, and what it does not do.

Connect refused(std::string_view client_id) {
    auto connect = lasting(client_id);
    connect.authentication_method = "none that is known";
    return connect;
}

// [MQTT-3.1.4-2] [MQTT-3.2.2-6] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-4.12.0-1] [MQTT-4.13.2-1]
TEST(Refusal, HasNoSessionPresentAndEndsTheConnection) {
    Broker broker;
    broker.connect(lasting("c")).drop();
    EXPECT_THAT(broker.open(refused("c")).received(), ElementsAre("CONNACK 0x8C", "closed"));
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

TEST(Refusal, NothingAfterTheConnectIsProcessed) {  // [MQTT-3.1.4-6]
    Broker broker;
    auto watcher = broker.subscriber("w", "#");
    auto client = broker.open();
    client.send({refused("c"), publish("a", "x"), retained(publish("b", "y")), PingReq{}});
    EXPECT_THAT(client.received(), ElementsAre("CONNACK 0x8C", "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
    EXPECT_THAT(watcher.exchange(subscribe(2, "b")), ElementsAre("SUBACK 2 0x00"));
}

TEST(Refusal, NothingAfterTheConnectIsProcessedFrom311Either) {  // [MQTT3-3.1.4-5]
    Broker broker;
    auto watcher = broker.subscriber("w", "#");
    auto client = broker.open(V311);
    client.send({Connect{.version = V311, .clean_start = false}, publish("a", "x"), PingReq{}});
    EXPECT_THAT(client.received_bytes(), ElementsAre(0x20, 2, 0, 2));
    EXPECT_FALSE(client.connected());
    EXPECT_THAT(watcher.received(), IsEmpty());
}

TEST(Refusal, MalformedConnectIsToldTo5AndNotTo311) {  // [MQTT-3.1.4-1] [MQTT3-3.1.4-1] [MQTT3-3.2.2-6]
    auto connect = connect_bytes("MQTT", 5);
    connect[9] |= 0x01;  // The reserved flag.
    EXPECT_THAT(answer_to(connect, V5), ElementsAre("CONNACK 0x81", "closed"));
    connect = connect_bytes("MQTT", 4);
    connect[9] |= 0x01;
    EXPECT_THAT(answer_to(connect, V311), ElementsAre("closed"));
}

}  // namespace
}  // namespace chappe::conformance
