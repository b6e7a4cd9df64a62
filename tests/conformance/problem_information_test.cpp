// Reason strings: where they are sent, and where they are left out because the client did not ask for them or because
// the packet would be too large for it. The broker never adds user properties of its own.

#include <optional>

#include "mqtt/encoder.h"
#include "tests/conformance/broker.h"
#include "tests/conformance/transcript.h"

namespace chappe::conformance {
namespace {

// Nothing may be done with the topic "secret".
class Secrets : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        if (question.topic == "secret") return {.allowed = false, .reason = "it would not be a secret any more"};
        return {};
    }
    bool restricts_receiving() const noexcept override { return true; }
};

// What makes the broker send a packet that says what is wrong, and that packet without its reason.
struct Provocation {
    std::string_view name;
    std::vector<Packet> packets;
    std::string_view answer;
};

std::vector<Provocation> provocations() {
    return {
        {"PubAck", {publish("secret", "x", AtLeastOnce, 1)}, "PUBACK 1 0x87"},
        {"PubRec", {publish("secret", "x", ExactlyOnce, 1)}, "PUBREC 1 0x87"},
        {"PubRel", {pubrec(1)}, "PUBREL 1 0x92"},
        {"PubComp", {pubrel(1)}, "PUBCOMP 1 0x92"},
        {"SubAck", {subscribe(1, "secret")}, "SUBACK 1 0x87"},
        {"UnsubAck", {unsubscribe(1, {"a/#/b"})}, "UNSUBACK 1 0x8F"},
        {"Disconnect", {Connect{}}, "DISCONNECT 0x82"},
    };
}

struct Answer {
    std::string line;
    std::size_t size;
    bool has_reason_string;
    bool has_user_properties;
};

template <class T>
concept HasReason = requires(const T& packet) {
    packet.reason_string;
    packet.user_properties;
};

Answer summary(const Packet& packet) {
    return std::visit(
        [&]<class T>(const T& read) -> Answer {
            Answer answer{describe(packet), encoded_size(packet, V5), false, false};
            if constexpr (HasReason<T>) {
                answer.has_reason_string = read.reason_string.has_value();
                answer.has_user_properties = !read.user_properties.empty();
            }
            return answer;
        },
        packet);
}

Answer provoke(const Provocation& provocation, const Connect& connect) {
    Secrets secrets;
    Broker broker({.permissions = &secrets});
    auto client = broker.connect(connect);
    for (const auto& packet : provocation.packets) client.send(packet);
    return summary(client.packets().at(0));
}

class ProblemInformation : public testing::TestWithParam<Provocation> {};
INSTANTIATE_TEST_SUITE_P(Mqtt, ProblemInformation, testing::ValuesIn(provocations()),
                         [](const auto& provocation) { return std::string(provocation.param.name); });

// [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.9.2-1] [MQTT-3.11.2-1] [MQTT-3.14.2-3]
TEST_P(ProblemInformation, ReasonStringIsLeftOutWhereThePacketWouldBeTooLarge) {
    const auto whole = provoke(GetParam(), Connect{.client_id = "c"});
    EXPECT_EQ(whole.line, GetParam().answer);
    ASSERT_TRUE(whole.has_reason_string);
    const auto size = static_cast<std::uint32_t>(whole.size);
    EXPECT_TRUE(provoke(GetParam(), Connect{.client_id = "c", .maximum_packet_size = size}).has_reason_string);
    const auto shorter = provoke(GetParam(), Connect{.client_id = "c", .maximum_packet_size = size - 1});
    EXPECT_EQ(shorter.line, whole.line);
    EXPECT_FALSE(shorter.has_reason_string);
    EXPECT_LT(shorter.size, whole.size);
}

// [MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.6.2-3] [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2] [MQTT-3.14.2-4]
TEST_P(ProblemInformation, UserPropertiesAreNotSent) {
    EXPECT_FALSE(provoke(GetParam(), Connect{.client_id = "c"}).has_user_properties);
    EXPECT_FALSE(provoke(GetParam(), Connect{.client_id = "c", .maximum_packet_size = 40}).has_user_properties);
}

TEST_P(ProblemInformation, IsLeftOutWhereTheClientDoesNotAskForIt) {  // [MQTT-3.1.2-29]
    const auto answer = provoke(GetParam(), Connect{.client_id = "c", .request_problem_information = false});
    EXPECT_EQ(answer.line, GetParam().answer);
    EXPECT_EQ(answer.has_reason_string, GetParam().name == "Disconnect");
    EXPECT_FALSE(answer.has_user_properties);
}

// CONNACK, which comes before anything is agreed on.

Answer refusal(std::optional<std::uint32_t> maximum_packet_size) {
    Broker broker;
    auto client = broker.open(Connect{
        .client_id = "c", .maximum_packet_size = maximum_packet_size, .authentication_method = "none that is known"});
    return summary(client.packets().at(0));
}

TEST(ProblemInformationOfConnack, IsLeftOutWhereThePacketWouldBeTooLarge) {  // [MQTT-3.2.2-19] [MQTT-3.2.2-20]
    const auto whole = refusal({});
    EXPECT_EQ(whole.line, "CONNACK 0x8C");
    EXPECT_TRUE(whole.has_reason_string);
    EXPECT_FALSE(whole.has_user_properties);
    const auto size = static_cast<std::uint32_t>(whole.size);
    EXPECT_TRUE(refusal(size).has_reason_string);
    EXPECT_FALSE(refusal(size - 1).has_reason_string);
    EXPECT_EQ(refusal(5).size, 5U);
}

// What has to be sent, and is too large all the same: the connection ends.

TEST(TooLargeForTheClient, ConnackIsARefusalOrNothing) {  // [MQTT-3.1.2-24]
    Broker broker;
    broker.connect(lasting("c")).drop();
    auto connect = lasting("c");
    connect.maximum_packet_size = 5;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x95", "closed"));
    connect.maximum_packet_size = 4;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("closed"));
    EXPECT_THAT(broker.open(lasting("c")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

TEST(TooLargeForTheClient, SubackAndUnsubackEndTheConnection) {  // [MQTT-3.1.2-24]
    Broker broker;
    const Connect connect{.client_id = "c", .maximum_packet_size = 30};
    const std::vector<Subscribe::Entry> entries(26, {"a", {}});
    EXPECT_THAT(broker.connect(connect).exchange(subscribe(1, entries)), ElementsAre("DISCONNECT 0x95", "closed"));
    const std::vector<std::string_view> filters(26, "a");
    EXPECT_THAT(broker.connect(connect).exchange(unsubscribe(1, filters)), ElementsAre("DISCONNECT 0x95", "closed"));
    EXPECT_THAT(broker.connect(connect).exchange(unsubscribe(1, {"a"})), ElementsAre("UNSUBACK 1 0x11"));
}

TEST(ResponseInformation, IsSentToWhoAsksForItOnly) {  // [MQTT-3.1.2-28]
    Broker broker;
    EXPECT_THAT(broker.open(Connect{.client_id = "c", .request_response_information = true}).received(),
                ElementsAre("CONNACK 0x00 response='response/c/'"));
    EXPECT_THAT(broker.open(Connect{.client_id = "c"}).received(), ElementsAre("CONNACK 0x00"));
}

TEST(ResponseInformation, IsLeftOutWhereItWouldBeLongerThanATextCanBe) {  // 1.5.4
    Broker broker({.limits = {.client_id_length_max = 65'535}});
    const std::string_view around = "response//";
    const std::string longest(65'535 - around.size(), 'c');
    Connect connect{.client_id = longest, .request_response_information = true};
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00 response='response/" + longest + "/'"));
    const auto longer = longest + "c";
    connect.client_id = longer;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00"));
    connect.maximum_packet_size = 0xFFFF'FFFF;
    EXPECT_THAT(broker.open(connect).received(), ElementsAre("CONNACK 0x00"));
}

}  // namespace
}  // namespace chappe::conformance
