// The bytes of what the broker sends, where the standard asks for one form of several.

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using Octets = std::vector<std::uint8_t>;

Octets bytes_after(const Client& client, const Packet& packet) {
    (void)client.received();
    client.send(packet);
    return client.received_bytes();
}

class Wire : public BothVersions {};
CHAPPE_BOTH_VERSIONS(Wire);

// [MQTT-2.1.3-1] [MQTT3-2.2.2-1]
TEST_P(Wire, ReservedFlagsHaveTheirValues) {
    Broker broker;
    auto client = broker.open(brief("c"));
    const auto first_byte = [&](const Packet& packet) { return bytes_after(client, packet).at(0); };
    EXPECT_EQ(client.received_bytes().at(0), 0x20);
    EXPECT_EQ(first_byte(subscribe(1, "a", ExactlyOnce)), 0x90);
    EXPECT_EQ(first_byte(publish("b", "x", AtLeastOnce, 1)), 0x40);
    EXPECT_EQ(first_byte(publish("b", "x", ExactlyOnce, 2)), 0x50);
    EXPECT_EQ(first_byte(pubrel(2)), 0x70);
    EXPECT_EQ(first_byte(publish("a", "x")), 0x30);
    client.send(publish("a", "x", ExactlyOnce, 3));
    EXPECT_EQ(first_byte(pubrec(1)), 0x62);
    EXPECT_EQ(first_byte(unsubscribe(4, {"a"})), 0xB0);
    EXPECT_EQ(first_byte(PingReq{}), 0xD0);
}

TEST(Wire5, NoPropertiesAreALengthOfZero) {  // [MQTT-2.2.2-1]
    Broker broker;
    auto client = broker.connect("c");
    EXPECT_EQ(bytes_after(client, subscribe(1, "a")), Octets({0x90, 4, 0, 1, 0, 0}));
    EXPECT_EQ(bytes_after(client, publish("a", "x")), Octets({0x30, 5, 0, 1, 'a', 0, 'x'}));
    EXPECT_EQ(bytes_after(client, unsubscribe(2, {"a"})), Octets({0xB0, 4, 0, 2, 0, 0}));
}

TEST(Wire5, LengthsTakeAsFewBytesAsTheyNeed) {  // [MQTT-1.5.5-1]
    Broker broker;
    auto client = broker.subscriber("c", "a");
    for (auto [payload_size, length_bytes] :
         {std::pair<std::size_t, std::size_t>{123, 1}, {124, 2}, {16'379, 2}, {16'380, 3}}) {
        const auto bytes = bytes_after(client, publish("a", std::string(payload_size, 'x')));
        EXPECT_EQ(bytes.size(), 1 + length_bytes + 4 + payload_size);
    }
}

// A broker that waited for the four bytes of a length would not answer the first.
TEST(Wire5, OverlongLengthsAreMalformed) {  // [MQTT-1.5.5-1]
    Broker broker;
    auto client = broker.connect("c");
    client.send_bytes({0xC0, 0x80, 0x00});
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x81", "closed"));
}

}  // namespace
}  // namespace chappe::conformance
