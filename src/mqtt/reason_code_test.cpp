#include "mqtt/reason_code.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "mqtt/decoder.h"
#include "tests/packet_cases/notation.h"

namespace chappe::mqtt {
namespace {

struct ReasonCodesRow {
    PacketType type;
    Sender sender;
    std::string_view before;  // The packet in the notation of the packet cases, around the reason code.
    std::string_view after;
    std::set<int> codes;  // From the table of the packet in the standard.
};

const std::set<int> of_publish = {0x00, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99};

std::set<int> with(std::set<int> codes, int code) {
    codes.insert(code);
    return codes;
}

// [MQTT-3.2.2-8] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-3.9.3-2] [MQTT-3.11.3-2]
// [MQTT-3.14.2-1] [MQTT-3.15.2-1]
const std::vector<ReasonCodesRow> tables = {
    {PacketType::ConnAck, Sender::Server, "20 { 00", "{} }", {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
                                                              0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97,
                                                              0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9F}},
    {PacketType::PubAck, Sender::Client, "40 { 0001", "}", with(of_publish, 0x10)},
    {PacketType::PubAck, Sender::Server, "40 { 0001", "}", with(of_publish, 0x10)},
    {PacketType::PubRec, Sender::Client, "50 { 0001", "}", with(of_publish, 0x10)},
    {PacketType::PubRec, Sender::Server, "50 { 0001", "}", with(of_publish, 0x10)},
    {PacketType::PubRel, Sender::Client, "62 { 0001", "}", {0x00, 0x92}},
    {PacketType::PubRel, Sender::Server, "62 { 0001", "}", {0x00, 0x92}},
    {PacketType::PubComp, Sender::Client, "70 { 0001", "}", {0x00, 0x92}},
    {PacketType::PubComp, Sender::Server, "70 { 0001", "}", {0x00, 0x92}},
    {PacketType::SubAck,
     Sender::Server,
     "90 { 0001 {}",
     "}",
     {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}},
    {PacketType::UnsubAck, Sender::Server, "B0 { 0001 {}", "}", {0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}},
    {PacketType::Disconnect,
     Sender::Client,
     "E0 {",
     "}",
     {0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}},
    // 0x8C is in table 2-6 and not in 3-10: a server needs it when re-authentication fails (4.12).
    {PacketType::Disconnect, Sender::Server, "E0 {", "}", {0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8C, 0x8D,
                                                           0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
                                                           0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2}},
    {PacketType::Auth, Sender::Client, "F0 {", "{ 15 s'M' } }", {0x18, 0x19}},
    {PacketType::Auth, Sender::Server, "F0 {", "{ 15 s'M' } }", {0x00, 0x18}},
};

std::string hexadecimal(int byte) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    return {digits[static_cast<std::size_t>(byte) / 16], digits[static_cast<std::size_t>(byte) % 16]};
}

TEST(ReasonCodes, AreAllowedWhereTheTablesHaveThem) {
    for (const auto& row : tables) {
        for (int code = 0; code < 256; ++code) {
            EXPECT_EQ(is_allowed(static_cast<ReasonCode>(code), row.type, row.sender), row.codes.contains(code))
                << to_string(row.type) << ' ' << hexadecimal(code);
        }
    }
}

TEST(ReasonCodes, AreRefusedInOtherPackets) {
    for (const auto& row : tables) {
        for (int code = 0; code < 256; ++code) {
            const auto notation = std::string(row.before).append(hexadecimal(code)).append(row.after);
            const auto bytes = cases::bytes_of(notation);
            const auto packet = decode(**frame(as_bytes(bytes), 100), ProtocolVersion::V5, row.sender);
            if (row.codes.contains(code)) {
                EXPECT_TRUE(packet.has_value()) << notation;
            } else {
                ASSERT_FALSE(packet.has_value()) << notation;
                EXPECT_EQ(packet.error().code, ReasonCode::ProtocolError) << notation;
            }
        }
    }
}

TEST(ReasonCodes, HaveTheirNames) {
    EXPECT_EQ(to_string(ReasonCode::Success), "Success");
    EXPECT_EQ(to_string(ReasonCode::PacketTooLarge), "Packet too large");
    EXPECT_EQ(to_string(ReasonCode::WildcardSubscriptionsNotSupported), "Wildcard Subscriptions not supported");
    EXPECT_EQ(to_string(static_cast<ReasonCode>(0x03)), "Unknown reason code");
    EXPECT_EQ(to_string(static_cast<ReasonCode>(0xFF)), "Unknown reason code");
}

TEST(ReasonCodes, OfFailureStartAt80) {
    EXPECT_FALSE(is_error(ReasonCode::Success));
    EXPECT_FALSE(is_error(ReasonCode::ReAuthenticate));
    EXPECT_TRUE(is_error(ReasonCode::UnspecifiedError));
    EXPECT_TRUE(is_error(ReasonCode::WildcardSubscriptionsNotSupported));
}

TEST(ReasonCodes, AreReplacedByTheNearestThatIsAllowed) {
    const auto nearest = [](ReasonCode code, PacketType type) { return nearest_allowed(code, type, Sender::Server); };
    using enum PacketType;
    EXPECT_EQ(nearest(ReasonCode::Banned, ConnAck), ReasonCode::Banned);
    EXPECT_EQ(nearest(ReasonCode::Banned, Disconnect), ReasonCode::NotAuthorized);
    EXPECT_EQ(nearest(ReasonCode::ServerShuttingDown, ConnAck), ReasonCode::ServerUnavailable);
    EXPECT_EQ(nearest(ReasonCode::TopicAliasInvalid, ConnAck), ReasonCode::ProtocolError);
    EXPECT_EQ(nearest(ReasonCode::KeepAliveTimeout, SubAck), ReasonCode::UnspecifiedError);
    for (int code = 0x80; code < 256; ++code) {
        for (const auto type : {ConnAck, PubAck, PubRec, SubAck, UnsubAck, Disconnect}) {
            EXPECT_TRUE(is_allowed(nearest(static_cast<ReasonCode>(code), type), type, Sender::Server)) << code;
        }
    }
}

TEST(ConnectReturnCodes, GoThereAndBack) {
    for (std::uint8_t code = 0; code <= 5; ++code) {
        const auto reason = reason_of_connect_return_code(code);
        ASSERT_TRUE(reason.has_value());
        EXPECT_EQ(connect_return_code(*reason), code);
    }
    EXPECT_FALSE(reason_of_connect_return_code(6).has_value());
    EXPECT_FALSE(reason_of_connect_return_code(255).has_value());
}

TEST(ConnectReturnCodes, SayWhatComesClosest) {
    EXPECT_EQ(connect_return_code(ReasonCode::ServerBusy), 3);
    EXPECT_EQ(connect_return_code(ReasonCode::QuotaExceeded), 3);
    EXPECT_EQ(connect_return_code(ReasonCode::Banned), 5);
}

TEST(ConnectReturnCodes, DoNotExistForBrokenPackets) {  // 3.1.1 closes without CONNACK then.
    EXPECT_FALSE(connect_return_code(ReasonCode::MalformedPacket).has_value());
    EXPECT_FALSE(connect_return_code(ReasonCode::ProtocolError).has_value());
    EXPECT_FALSE(connect_return_code(ReasonCode::TopicNameInvalid).has_value());
    EXPECT_FALSE(connect_return_code(ReasonCode::PacketTooLarge).has_value());
}

}  // namespace
}  // namespace chappe::mqtt
