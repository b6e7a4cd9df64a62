#include <gtest/gtest.h>

#include "client/protocol_harness.h"

namespace chappe::client {
namespace {

using mqtt::ProtocolVersion;
using mqtt::QoS;
using mqtt::ReasonCode;

TEST(ClientConnect, SendsAllThatTheOptionsSay) {
    Options options;
    options.client_id = "gateway";
    options.clean_start = false;
    options.keep_alive_seconds = 30;
    options.user_name = "ada";
    options.password = std::string("p\0w", 3);
    options.will = OwnedWill{.topic = "gone",
                             .payload = "bye",
                             .qos = QoS::AtLeastOnce,
                             .retain = true,
                             .delay_interval_seconds = 5,
                             .properties = {.content_type = "text/plain"}};
    options.session_expiry_interval_seconds = 3600;
    options.receive_maximum = 10;
    options.maximum_packet_size = 100'000;
    options.topic_alias_maximum = 4;
    options.request_response_information = true;
    options.user_properties = {{"a", "1"}, {"a", "2"}};
    ProtocolHarness harness(options);
    harness.protocol.open(harness.now);
    const auto connect = harness.expect<mqtt::Connect>();
    EXPECT_EQ(connect.version, ProtocolVersion::V5);
    EXPECT_FALSE(connect.clean_start);
    EXPECT_EQ(connect.client_id, "gateway");
    EXPECT_EQ(connect.keep_alive_seconds, 30);
    EXPECT_EQ(connect.user_name, "ada");
    EXPECT_EQ(as_text(connect.password.value()), std::string_view("p\0w", 3));
    EXPECT_EQ(connect.session_expiry_interval_seconds, 3600);
    EXPECT_EQ(connect.receive_maximum, 10);
    EXPECT_EQ(connect.maximum_packet_size, 100'000);
    EXPECT_EQ(connect.topic_alias_maximum, 4);
    EXPECT_TRUE(connect.request_response_information);
    EXPECT_EQ(connect.user_properties, (mqtt::UserProperties{{"a", "1"}, {"a", "2"}}));
    ASSERT_TRUE(connect.will.has_value());
    EXPECT_EQ(*connect.will, view(*options.will));
}

TEST(ClientConnect, OldVersionsConnectWithoutProperties) {
    for (const auto version : {ProtocolVersion::V31, ProtocolVersion::V311}) {
        ProtocolHarness harness({.version = version, .client_id = "old", .session_expiry_interval_seconds = 60});
        const auto connect = harness.accept();
        EXPECT_EQ(connect.version, version);
        EXPECT_EQ(connect.client_id, "old");
        EXPECT_FALSE(connect.session_expiry_interval_seconds.has_value());
        EXPECT_TRUE(harness.protocol.connected());
    }
}

TEST(ClientConnect, SendsNothingBeforeConnAck) {
    ProtocolHarness harness;
    harness.publish("a", "waits");
    harness.protocol.subscribe({{.filter = "b", .options = {}, .identifier = {}}}, harness.now);
    harness.protocol.open(harness.now);
    harness.publish("a", "waits too", QoS::AtLeastOnce);
    harness.expect<mqtt::Connect>();
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::ConnAck{});
    EXPECT_EQ(harness.expect<mqtt::Subscribe>().entries.at(0).filter, "b");
    EXPECT_EQ(as_text(harness.expect<mqtt::Publish>().payload), "waits");
    EXPECT_EQ(as_text(harness.expect<mqtt::Publish>().payload), "waits too");
}

TEST(ClientConnect, ReportsARefusalWithTheServersWords) {
    ProtocolHarness harness;
    harness.protocol.open(harness.now);
    harness.send(mqtt::ConnAck{.reason_code = ReasonCode::UseAnotherServer,
                               .reason_string = "moving house",
                               .server_reference = "other:1883"});
    EXPECT_TRUE(harness.protocol.ending());
    const auto disconnection = harness.lose_connection("closed by peer").disconnection;
    EXPECT_EQ(disconnection.cause, Cause::Refused);
    EXPECT_EQ(disconnection.reason_code, ReasonCode::UseAnotherServer);
    EXPECT_EQ(disconnection.reason, "moving house");
    EXPECT_EQ(disconnection.server_reference, "other:1883");
    EXPECT_FALSE(disconnection.was_connected);
    EXPECT_TRUE(harness.told_nothing());
}

TEST(ClientConnect, ReadsTheReturnCodesOfOldVersions) {
    ProtocolHarness harness({.version = ProtocolVersion::V311});
    harness.protocol.open(harness.now);
    harness.send(mqtt::ConnAck{.reason_code = ReasonCode::NotAuthorized});
    EXPECT_EQ(harness.lose_connection().disconnection.reason_code, ReasonCode::NotAuthorized);
}

TEST(ClientConnect, GivesUpWhenConnAckDoesNotCome) {
    ProtocolHarness harness({.connect_timeout = 5s});
    harness.protocol.open(harness.now);
    harness.advance(4999ms);
    EXPECT_FALSE(harness.protocol.ending());
    harness.advance(1ms);
    EXPECT_TRUE(harness.protocol.ending());
    EXPECT_EQ(harness.lose_connection().disconnection.cause, Cause::Silent);
}

TEST(ClientConnect, KeepsTheAssignedClientId) {
    ProtocolHarness harness;
    EXPECT_EQ(harness.accept({.assigned_client_id = "from-server"}).client_id, "");
    harness.lose_connection();
    EXPECT_EQ(harness.accept().client_id, "from-server");
}

// Which Clean Start the second CONNECT has, by what the options say of the first.
TEST(ClientConnect, ResumesWhatOutlivesAConnection) {
    struct Row {
        ProtocolVersion version;
        bool clean_start;
        std::uint32_t session_expiry_interval_seconds;
        bool clean_start_again;
    };
    const Row rows[] = {
        {ProtocolVersion::V5, true, 0, true},    {ProtocolVersion::V5, true, 60, false},
        {ProtocolVersion::V5, false, 0, false},  {ProtocolVersion::V5, false, 60, false},
        {ProtocolVersion::V311, true, 60, true}, {ProtocolVersion::V311, false, 0, false},
    };
    for (const auto& row : rows) {
        ProtocolHarness harness({.version = row.version,
                                 .client_id = "id",
                                 .clean_start = row.clean_start,
                                 .session_expiry_interval_seconds = row.session_expiry_interval_seconds});
        EXPECT_EQ(harness.accept().clean_start, row.clean_start);
        harness.lose_connection();
        EXPECT_EQ(harness.accept().clean_start, row.clean_start_again) << to_string(row.version);
    }
}

TEST(ClientConnect, RefusesASessionThatWasNotToBeThere) {
    ProtocolHarness harness({.clean_start = true});
    harness.protocol.open(harness.now);
    harness.expect<mqtt::Connect>();
    harness.send(mqtt::ConnAck{.session_present = true});
    EXPECT_TRUE(harness.protocol.ending());
    EXPECT_EQ(harness.lose_connection().disconnection.cause, Cause::ProtocolError);
}

TEST(ClientConnect, ServerBreakingTheProtocolIsToldWhy) {
    ProtocolHarness harness;
    harness.accept();
    const std::uint8_t reserved_packet_type[] = {0x00, 0x00};
    harness.receive(reserved_packet_type);
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::MalformedPacket);
    EXPECT_TRUE(harness.protocol.ending());
    const auto disconnection = harness.lose_connection().disconnection;
    EXPECT_EQ(disconnection.cause, Cause::ProtocolError);
    EXPECT_TRUE(disconnection.was_connected);
    EXPECT_FALSE(disconnection.reason.empty());
}

TEST(ClientConnect, PacketsOutOfPlaceAreProtocolErrors) {
    const mqtt::Packet unexpected[] = {
        mqtt::ConnAck{},
        mqtt::SubAck{.packet_id = {7}, .reason_codes = {ReasonCode::Success}},
        mqtt::UnsubAck{.packet_id = {7}, .reason_codes = {ReasonCode::Success}},
        mqtt::Auth{.reason_code = ReasonCode::ContinueAuthentication, .authentication_method = "M"},
    };
    for (const auto& packet : unexpected) {
        ProtocolHarness harness;
        harness.accept();
        harness.send(packet);
        EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::ProtocolError) << packet.index();
        EXPECT_EQ(harness.lose_connection().disconnection.cause, Cause::ProtocolError);
    }
}

TEST(ClientConnect, AnythingButConnAckFirstEndsTheConnection) {
    ProtocolHarness harness;
    harness.protocol.open(harness.now);
    harness.expect<mqtt::Connect>();
    harness.send(message("a", "too early"));
    EXPECT_TRUE(harness.protocol.ending());
    EXPECT_TRUE(harness.sent_nothing());  // There is no DISCONNECT before the connection is accepted.
    EXPECT_EQ(harness.lose_connection().disconnection.reason_code, ReasonCode::ProtocolError);
}

TEST(ClientConnect, PacketAboveOurMaximumEndsTheConnection) {
    ProtocolHarness harness({.maximum_packet_size = 50});
    harness.accept();
    harness.send(message("a", std::string(100, 'x')));
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::PacketTooLarge);
    EXPECT_TRUE(harness.protocol.ending());
}

TEST(ClientConnect, TakesBytesInAnyPieces) {
    ProtocolHarness harness;
    harness.accept();
    Buffer bytes;
    mqtt::encode(message("a", "one"), ProtocolVersion::V5, bytes);
    mqtt::encode(message("b", "two"), ProtocolVersion::V5, bytes);
    const auto whole = bytes.bytes();
    for (std::size_t size = 1; size < whole.size() / 2; ++size) {
        EXPECT_EQ(harness.protocol.received(whole.first(size), harness.now, harness.events), 0) << size;
    }
    EXPECT_TRUE(harness.told_nothing());
    EXPECT_EQ(harness.protocol.received(whole, harness.now, harness.events), whole.size() / 2);  // One packet a call.
    EXPECT_EQ(harness.expect_event<event::Message>().packet.topic, "a");
    EXPECT_TRUE(harness.told_nothing());
}

TEST(ClientConnect, CarriesAnAuthenticationExchange) {
    ProtocolHarness harness({.authentication_method = "METHOD", .authentication_data = "first"});
    harness.protocol.open(harness.now);
    EXPECT_EQ(harness.expect<mqtt::Connect>().authentication_method, "METHOD");
    mqtt::Auth step{.reason_code = ReasonCode::ContinueAuthentication,
                    .authentication_method = "METHOD",
                    .authentication_data = as_bytes("challenge")};
    harness.send(step);
    EXPECT_EQ(as_text(harness.expect_event<event::Challenged>().packet.authentication_data.value()), "challenge");
    step.authentication_data = as_bytes("answer");
    harness.protocol.authenticate(step, harness.now);
    EXPECT_EQ(as_text(harness.expect<mqtt::Auth>().authentication_data.value()), "answer");
    harness.send(mqtt::ConnAck{.authentication_method = "METHOD"});
    harness.expect_event<event::Connected>();
}

TEST(ClientDisconnect, SaysSoAndEnds) {
    ProtocolHarness harness;
    harness.accept();
    harness.publish("a", "last");
    harness.protocol.disconnect({.reason_code = ReasonCode::DisconnectWithWillMessage}, harness.now);
    EXPECT_TRUE(harness.protocol.ending());
    harness.expect<mqtt::Publish>();
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::DisconnectWithWillMessage);
    EXPECT_TRUE(harness.sent_nothing());
    EXPECT_EQ(harness.lose_connection("whatever").disconnection.cause, Cause::Requested);
}

TEST(ClientDisconnect, WhatComesAfterwardsIsNeitherToldNorAcknowledged) {
    ProtocolHarness harness;
    harness.accept();
    harness.protocol.disconnect({}, harness.now);
    harness.expect<mqtt::Disconnect>();
    harness.send(message("a", "late", QoS::AtLeastOnce, 1));
    EXPECT_TRUE(harness.sent_nothing());
    EXPECT_TRUE(harness.told_nothing());
}

TEST(ClientDisconnect, ReportsWhyTheServerLeft) {
    ProtocolHarness harness;
    harness.accept();
    harness.send(mqtt::Disconnect{.reason_code = ReasonCode::ServerShuttingDown, .reason_string = "update"});
    EXPECT_TRUE(harness.protocol.ending());
    const auto disconnection = harness.lose_connection().disconnection;
    EXPECT_EQ(disconnection.cause, Cause::Ended);
    EXPECT_EQ(disconnection.reason_code, ReasonCode::ServerShuttingDown);
    EXPECT_EQ(disconnection.reason, "update");
}

TEST(ClientKeepAlive, PingsWhenNothingWasSentForTheInterval) {
    ProtocolHarness harness({.keep_alive_seconds = 10});
    harness.accept();
    harness.advance(9s);
    EXPECT_TRUE(harness.sent_nothing());
    harness.advance(1s);
    harness.expect<mqtt::PingReq>();
    harness.send(mqtt::PingResp{});
    harness.advance(10s);
    harness.expect<mqtt::PingReq>();
}

TEST(ClientKeepAlive, PingsAlsoWhenOnlyWeSend) {
    ProtocolHarness harness({.keep_alive_seconds = 10});
    harness.accept();
    harness.advance(6s);
    harness.publish("a", "b");
    harness.expect<mqtt::Publish>();
    harness.advance(4s);
    harness.expect<mqtt::PingReq>();
}

TEST(ClientKeepAlive, UsesTheServersInterval) {
    ProtocolHarness harness({.keep_alive_seconds = 100});
    harness.accept({.server_keep_alive_seconds = 5});
    harness.advance(5s);
    harness.expect<mqtt::PingReq>();
}

TEST(ClientKeepAlive, NoticesADeadServer) {
    ProtocolHarness harness({.keep_alive_seconds = 10, .response_timeout = 3s});
    harness.accept();
    harness.advance(10s);
    harness.expect<mqtt::PingReq>();
    harness.advance(2s);
    EXPECT_FALSE(harness.protocol.ending());
    harness.advance(1s);
    EXPECT_TRUE(harness.protocol.ending());
    EXPECT_EQ(harness.lose_connection().disconnection.cause, Cause::Silent);
}

TEST(ClientKeepAlive, AnyByteIsASignOfLife) {
    ProtocolHarness harness({.keep_alive_seconds = 10, .response_timeout = 3s});
    harness.accept();
    harness.advance(10s);
    harness.expect<mqtt::PingReq>();
    Buffer bytes;
    mqtt::encode(message("a", "a large message that comes slowly"), ProtocolVersion::V5, bytes);
    for (std::size_t size = 1; size <= 4; ++size) {
        harness.advance(2s);
        EXPECT_EQ(harness.protocol.received(bytes.bytes().first(size), harness.now, harness.events), 0);
        EXPECT_FALSE(harness.protocol.ending());
    }
    harness.advance(3s);
    EXPECT_TRUE(harness.protocol.ending());
}

TEST(ClientKeepAlive, ZeroMeansNone) {
    ProtocolHarness harness({.keep_alive_seconds = 0});
    harness.accept();
    EXPECT_EQ(harness.protocol.deadline(), Instant::max());
}

}  // namespace
}  // namespace chappe::client
