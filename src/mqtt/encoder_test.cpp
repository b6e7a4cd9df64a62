// What the packet cases cannot show: sizes, fields that a version does not have, properties handed on as bytes.

#include "mqtt/encoder.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "mqtt/decoder.h"
#include "tests/packet_cases/notation.h"

namespace chappe::mqtt {
namespace {

using cases::bytes_of;

std::string encoded(const Packet& packet, ProtocolVersion version) {
    Buffer buffer;
    encode(packet, version, buffer);
    return std::string(as_text(buffer.bytes()));
}

TEST(VariableByteInteger, TakesNoMoreBytesThanItNeeds) {  // [MQTT-1.5.5-1]
    struct Row {
        std::uint32_t value;
        std::string_view bytes;
    };
    const std::array<Row, 8> rows = {{{0, {"\x00", 1}},
                                      {127, "\x7F"},
                                      {128, "\x80\x01"},
                                      {16'383, "\xFF\x7F"},
                                      {16'384, "\x80\x80\x01"},
                                      {2'097'151, "\xFF\xFF\x7F"},
                                      {2'097'152, "\x80\x80\x80\x01"},
                                      {268'435'455, "\xFF\xFF\xFF\x7F"}}};
    for (const auto& row : rows) {
        std::array<std::uint8_t, 4> bytes{};
        const auto size = static_cast<std::size_t>(write_variable_byte_integer(row.value, bytes.data()) - bytes.data());
        EXPECT_EQ(as_text(Bytes(bytes).first(size)), row.bytes) << row.value;
        EXPECT_EQ(variable_byte_integer_size(row.value), size) << row.value;
    }
}

TEST(Encode, AppendsToTheBuffer) {
    Buffer buffer;
    encode(PingReq{}, ProtocolVersion::V5, buffer);
    encode(PubAck{.packet_id = {7}}, ProtocolVersion::V5, buffer);
    EXPECT_EQ(as_text(buffer.bytes()), bytes_of("C0 {} 40 { 0007 }"));
}

TEST(EncodedSize, IsBeyondEveryLimitWhereATextIsTooLong) {
    const std::string text(65'536, 'x');
    const auto longest = std::string_view(text).substr(1);
    ConnAck packet{.response_information = longest};
    EXPECT_LT(encoded_size(packet, ProtocolVersion::V5), 66'000U);
    packet.response_information = text;
    EXPECT_GT(encoded_size(packet, ProtocolVersion::V5), packet_size_limit);
    packet = {.authentication_data = as_bytes(text)};
    EXPECT_GT(encoded_size(packet, ProtocolVersion::V5), packet_size_limit);
}

TEST(Encode, LongPackets) {
    for (const std::size_t size : {123, 124, 16'379, 16'380, 2'097'147, 2'097'148}) {
        const std::string text(size, 'x');
        const Publish publish{.topic = "a", .payload = as_bytes(text)};
        const auto bytes = encoded(publish, ProtocolVersion::V5);
        EXPECT_EQ(encoded_size(publish, ProtocolVersion::V5), bytes.size());
        const auto found = frame(as_bytes(bytes), packet_size_limit);
        ASSERT_TRUE(found.has_value() && found->has_value()) << size;
        EXPECT_EQ((*found)->size, bytes.size());
        EXPECT_TRUE(*decode(**found, ProtocolVersion::V5, Sender::Client) == Packet(publish));
    }
}

TEST(Encode, LongProperties) {
    const std::string text(65'535, 'x');
    const PubAck puback{.packet_id = {1}, .reason_string = text, .user_properties = {{text, text}, {text, ""}}};
    const auto bytes = encoded(puback, ProtocolVersion::V5);
    EXPECT_TRUE(*decode(**frame(as_bytes(bytes), packet_size_limit), ProtocolVersion::V5, Sender::Client) ==
                Packet(puback));
}

TEST(Encode, LeavesOutWhatEarlierVersionsDoNotHave) {
    const Publish publish{.qos = QoS::AtLeastOnce,
                          .topic = "a",
                          .packet_id = {1},
                          .topic_alias = 5,
                          .subscription_identifiers = {1},
                          .properties = {.content_type = "c"},
                          .payload = as_bytes("x")};
    EXPECT_EQ(encoded(publish, ProtocolVersion::V311), bytes_of("32 { s'a' 0001 'x' }"));
    const PubAck puback{.packet_id = {1}, .reason_code = ReasonCode::QuotaExceeded, .reason_string = "full"};
    EXPECT_EQ(encoded(puback, ProtocolVersion::V311), bytes_of("40 { 0001 }"));
    const Subscribe subscribe{.packet_id = {1},
                              .entries = {{"a", {.qos = QoS::AtLeastOnce, .no_local = true}}},
                              .subscription_identifier = 1};
    EXPECT_EQ(encoded(subscribe, ProtocolVersion::V311), bytes_of("82 { 0001 s'a' 01 }"));
    const UnsubAck unsuback{.packet_id = {1}, .reason_codes = {ReasonCode::NoSubscriptionExisted}};
    EXPECT_EQ(encoded(unsuback, ProtocolVersion::V311), bytes_of("B0 { 0001 }"));
    const Disconnect disconnect{.reason_code = ReasonCode::UnspecifiedError};
    EXPECT_EQ(encoded(disconnect, ProtocolVersion::V311), bytes_of("E0 {}"));
    const Connect connect{.version = ProtocolVersion::V311, .client_id = "a", .receive_maximum = 3};
    EXPECT_EQ(encoded(connect, ProtocolVersion::V5), bytes_of("10 { s'MQTT' 04 02 0000 s'a' }"));
}

TEST(Encode, TurnsFailuresInSubackInto80) {  // [MQTT3-3.9.3-2]
    const SubAck suback{.packet_id = {1},
                        .reason_codes = {ReasonCode::GrantedQoS2, ReasonCode::NotAuthorized,
                                         ReasonCode::TopicFilterInvalid, ReasonCode::QuotaExceeded}};
    EXPECT_EQ(encoded(suback, ProtocolVersion::V311), bytes_of("90 { 0001 02 80 80 80 }"));
    EXPECT_EQ(encoded(suback, ProtocolVersion::V31), bytes_of("90 { 0001 02 80 80 80 }"));
}

TEST(Encode, TurnsReasonCodesOfConnackIntoReturnCodes) {
    const auto return_code = [](ReasonCode reason) {
        return encoded(ConnAck{.reason_code = reason, .reason_string = "x"}, ProtocolVersion::V311);
    };
    EXPECT_EQ(return_code(ReasonCode::Success), bytes_of("20 { 00 00 }"));
    EXPECT_EQ(return_code(ReasonCode::UnsupportedProtocolVersion), bytes_of("20 { 00 01 }"));
    EXPECT_EQ(return_code(ReasonCode::ServerBusy), bytes_of("20 { 00 03 }"));
    EXPECT_EQ(return_code(ReasonCode::BadUserNameOrPassword), bytes_of("20 { 00 04 }"));
    EXPECT_EQ(return_code(ReasonCode::Banned), bytes_of("20 { 00 05 }"));
    EXPECT_EQ(return_code(ReasonCode::MalformedPacket), bytes_of("20 { 00 03 }"));
    EXPECT_EQ(encoded(ConnAck{.session_present = true}, ProtocolVersion::V31), bytes_of("20 { 00 00 }"));
}

Publish publish_with_everything() {
    return {.qos = QoS::AtLeastOnce,
            .topic = "a",
            .packet_id = {1},
            .topic_alias = 5,
            .subscription_identifiers = {1, 200},
            .properties = {.payload_format_indicator = 1,
                           .message_expiry_interval_seconds = 60,
                           .content_type = "c",
                           .response_topic = "r",
                           .correlation_data = as_bytes("d"),
                           .user_properties = {{"k", "v"}, {"k", "w"}}},
            .payload = as_bytes("x")};
}

TEST(ForwardedProperties, AreThoseThatGoOnUnchanged) {
    Buffer buffer;
    encode_forwarded_properties(publish_with_everything().properties, buffer);
    EXPECT_EQ(as_text(buffer.bytes()), bytes_of("01 01 03 s'c' 08 s'r' 09 s'd' 26 s'k' s'v' 26 s'k' s'w'"));
    const auto back = decode_forwarded_properties(buffer.bytes());
    ASSERT_TRUE(back.has_value());
    auto expected = publish_with_everything().properties;
    expected.message_expiry_interval_seconds.reset();
    EXPECT_TRUE(*back == expected);
}

TEST(ForwardedProperties, MayBeNone) {
    Buffer buffer;
    encode_forwarded_properties({}, buffer);
    EXPECT_TRUE(buffer.empty());
    EXPECT_TRUE(*decode_forwarded_properties({}) == MessageProperties{});
}

TEST(ForwardedProperties, RefuseWhatDoesNotBelongThere) {
    const auto code = [](std::string_view notation) {
        return decode_forwarded_properties(as_bytes(bytes_of(notation))).error().code;
    };
    EXPECT_EQ(code("02 00000001"), ReasonCode::MalformedPacket);
    EXPECT_EQ(code("23 0001"), ReasonCode::MalformedPacket);
    EXPECT_EQ(code("03 00"), ReasonCode::MalformedPacket);
    EXPECT_EQ(code("01 00 01 00"), ReasonCode::ProtocolError);
}

PublishHead head_of(const Publish& publish, Bytes forwarded_properties) {
    return {.qos = publish.qos,
            .retain = publish.retain,
            .topic = publish.topic,
            .topic_alias = publish.topic_alias,
            .message_expiry_interval_seconds = publish.properties.message_expiry_interval_seconds,
            .subscription_identifiers = publish.subscription_identifiers,
            .forwarded_properties = forwarded_properties,
            .payload_size = publish.payload.size()};
}

// The packet that head and payload make, with its identifier put in.
std::string completed(const Publish& publish, ProtocolVersion version) {
    Buffer properties;
    encode_forwarded_properties(publish.properties, properties);
    Buffer buffer;
    buffer.append("before");
    const auto packet_id_at = encode(head_of(publish, properties.bytes()), version, buffer).value();
    buffer.consume(std::string_view("before").size());
    if (publish.qos != QoS::AtMostOnce) {
        EXPECT_EQ(as_text(buffer.bytes().subspan(packet_id_at, 2)), std::string_view("\0\0", 2));
        *buffer.at(packet_id_at) = static_cast<std::uint8_t>(publish.packet_id.value >> 8);
        *buffer.at(packet_id_at + 1) = static_cast<std::uint8_t>(publish.packet_id.value);
    }
    buffer.append(publish.payload);
    return std::string(as_text(buffer.bytes()));
}

TEST(PublishHead, IsThePacketBeforeItsPayload) {
    for (const auto version : {ProtocolVersion::V5, ProtocolVersion::V311, ProtocolVersion::V31}) {
        for (const auto& publish :
             {publish_with_everything(), Publish{.topic = "a/b", .payload = as_bytes("hello")},
              Publish{.qos = QoS::ExactlyOnce, .retain = true, .topic = "", .packet_id = {0x1234}, .topic_alias = 1}}) {
            EXPECT_EQ(completed(publish, version), encoded(publish, version));
        }
    }
}

TEST(PublishHead, CountsAPayloadThatItDoesNotHave) {
    const std::string text(20'000, 'x');
    const Publish publish{.topic = "a", .payload = as_bytes(text)};
    EXPECT_EQ(completed(publish, ProtocolVersion::V5), encoded(publish, ProtocolVersion::V5));
}

TEST(PublishHead, IsNotMadeForAPacketLargerThanAnyMayBe) {
    PublishHead head{.topic = "a", .payload_size = remaining_length_max - 3};
    Buffer buffer;
    EXPECT_TRUE(encode(head, ProtocolVersion::V311, buffer).has_value());
    buffer.clear();
    EXPECT_EQ(encode(head, ProtocolVersion::V5, buffer), std::nullopt);
    EXPECT_TRUE(buffer.empty());
    --head.payload_size;
    EXPECT_TRUE(encode(head, ProtocolVersion::V5, buffer).has_value());
}

}  // namespace
}  // namespace chappe::mqtt
