#include <vector>

#include <gtest/gtest.h>

#include "client/protocol_harness.h"

namespace chappe::client {
namespace {

using mqtt::ProtocolVersion;
using mqtt::QoS;
using mqtt::ReasonCode;

// A client whose session outlives its connections.
Options durable() { return {.client_id = "c", .session_expiry_interval_seconds = 3600}; }

TEST(ClientPublish, QoS1IsDoneWithItsPubAck) {
    for (const auto version : {ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5}) {
        ProtocolHarness harness({.version = version, .client_id = "c"});
        harness.accept();
        const auto token = harness.publish("a/b", "hello", QoS::AtLeastOnce);
        const auto packet = harness.expect<mqtt::Publish>();
        EXPECT_EQ(packet.topic, "a/b");
        EXPECT_EQ(as_text(packet.payload), "hello");
        EXPECT_FALSE(packet.dup);
        EXPECT_EQ(harness.protocol.unfinished(), 1);
        harness.send(mqtt::PubAck{.packet_id = packet.packet_id});
        const auto published = harness.expect_event<event::Published>();
        EXPECT_EQ(published.token, token);
        EXPECT_EQ(published.reason_code, ReasonCode::Success);
        EXPECT_EQ(harness.protocol.unfinished(), 0);
    }
}

TEST(ClientPublish, QoS2IsDoneWithItsPubComp) {
    ProtocolHarness harness;
    harness.accept();
    const auto token = harness.publish("a", "x", QoS::ExactlyOnce);
    const auto id = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubRec{.packet_id = id});
    EXPECT_EQ(harness.expect<mqtt::PubRel>().packet_id, id);
    EXPECT_TRUE(harness.told_nothing());
    harness.send(mqtt::PubComp{.packet_id = id});
    EXPECT_EQ(harness.expect_event<event::Published>().token, token);
}

TEST(ClientPublish, PropertiesGoAlong) {
    ProtocolHarness harness;
    harness.accept();
    auto packet = message("a", "x", QoS::AtLeastOnce);
    packet.retain = true;
    packet.properties.content_type = "text/plain";
    packet.properties.response_topic = "answers";
    packet.properties.correlation_data = as_bytes("42");
    packet.properties.message_expiry_interval_seconds = 60;
    packet.properties.payload_format_indicator = std::uint8_t{1};
    packet.properties.user_properties = {{"k", "1"}, {"k", "2"}};
    ASSERT_TRUE(harness.protocol.publish(packet, harness.now).has_value());
    auto sent = harness.expect<mqtt::Publish>();
    sent.packet_id = {};
    EXPECT_EQ(sent, packet);
}

TEST(ClientPublish, RefusalsCarryTheServersReason) {
    ProtocolHarness harness;
    harness.accept();
    harness.publish("a", "1", QoS::AtLeastOnce);
    harness.publish("a", "2", QoS::ExactlyOnce);
    const auto first = harness.expect<mqtt::Publish>().packet_id;
    const auto second = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubAck{.packet_id = first, .reason_code = ReasonCode::QuotaExceeded, .reason_string = "full"});
    const auto published = harness.expect_event<event::Published>();
    EXPECT_EQ(published.reason_code, ReasonCode::QuotaExceeded);
    EXPECT_EQ(published.reason, "full");
    harness.send(mqtt::PubRec{.packet_id = second, .reason_code = ReasonCode::NotAuthorized});
    EXPECT_EQ(harness.expect_event<event::Published>().reason_code, ReasonCode::NotAuthorized);
    EXPECT_TRUE(harness.sent_nothing());  // No PUBREL after a refusal.
    EXPECT_EQ(harness.protocol.unfinished(), 0);
}

TEST(ClientPublish, RespectsTheServersReceiveMaximum) {
    ProtocolHarness harness;
    harness.accept({.receive_maximum = 2});
    for (const auto* payload : {"1", "2", "3", "4"}) harness.publish("a", payload, QoS::ExactlyOnce);
    const auto first = harness.expect<mqtt::Publish>().packet_id;
    harness.expect<mqtt::Publish>();
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::PubRec{.packet_id = first});
    harness.expect<mqtt::PubRel>();
    EXPECT_TRUE(harness.sent_nothing());  // PUBREC gives no room back, PUBCOMP does.
    harness.send(mqtt::PubComp{.packet_id = first});
    EXPECT_EQ(as_text(harness.expect<mqtt::Publish>().payload), "3");
    EXPECT_TRUE(harness.sent_nothing());
}

TEST(ClientPublish, ARefusedMessageGivesItsRoomBack) {
    ProtocolHarness harness;
    harness.accept({.receive_maximum = 1});
    harness.publish("a", "1", QoS::ExactlyOnce);
    harness.publish("a", "2", QoS::ExactlyOnce);
    const auto id = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubRec{.packet_id = id, .reason_code = ReasonCode::QuotaExceeded});
    EXPECT_EQ(as_text(harness.expect<mqtt::Publish>().payload), "2");
}

TEST(ClientPublish, AcknowledgementsMayComeInAnyOrder) {
    ProtocolHarness harness;
    harness.accept();
    const auto first = harness.publish("a", "1", QoS::AtLeastOnce);
    const auto second = harness.publish("a", "2", QoS::AtLeastOnce);
    const auto first_id = harness.expect<mqtt::Publish>().packet_id;
    const auto second_id = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubAck{.packet_id = second_id});
    EXPECT_EQ(harness.expect_event<event::Published>().token, second);
    harness.send(mqtt::PubAck{.packet_id = first_id});
    EXPECT_EQ(harness.expect_event<event::Published>().token, first);
}

TEST(ClientPublish, AcknowledgementOfTheWrongKindEndsTheConnection) {
    ProtocolHarness harness;
    harness.accept();
    harness.publish("a", "1", QoS::ExactlyOnce);
    const auto id = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubAck{.packet_id = id});
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::ProtocolError);
}

TEST(ClientPublish, UnknownPacketIdsAreAnsweredNotFatal) {
    ProtocolHarness harness;
    harness.accept();
    harness.send(mqtt::PubAck{.packet_id = {9}});
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::PubRec{.packet_id = {9}});
    EXPECT_EQ(harness.expect<mqtt::PubRel>().reason_code, ReasonCode::PacketIdentifierNotFound);
    EXPECT_TRUE(harness.protocol.connected());
}

TEST(ClientResume, SendsWhatIsInFlightAgainInOrder) {
    ProtocolHarness harness(durable());
    harness.accept();
    for (const auto* payload : {"1", "2", "3", "4"}) {
        harness.publish("a", payload, *payload == '3' ? QoS::AtLeastOnce : QoS::ExactlyOnce);
    }
    std::vector<mqtt::PacketId> ids;
    for (int i = 0; i < 4; ++i) ids.push_back(harness.expect<mqtt::Publish>().packet_id);
    harness.send(mqtt::PubRec{.packet_id = ids[3]});
    harness.send(mqtt::PubRec{.packet_id = ids[0]});
    harness.expect<mqtt::PubRel>();
    harness.expect<mqtt::PubRel>();
    harness.lose_connection();
    harness.publish("a", "5", QoS::AtLeastOnce);

    EXPECT_FALSE(harness.accept({.session_present = true}).clean_start);
    EXPECT_EQ(harness.expect<mqtt::PubRel>().packet_id, ids[3]);  // In the order of their PUBREC.
    EXPECT_EQ(harness.expect<mqtt::PubRel>().packet_id, ids[0]);
    for (const auto& [payload, id, dup] :
         {std::tuple("2", ids[1], true), std::tuple("3", ids[2], true), std::tuple("5", mqtt::PacketId{5}, false)}) {
        const auto packet = harness.expect<mqtt::Publish>();
        EXPECT_EQ(as_text(packet.payload), payload);
        EXPECT_EQ(packet.packet_id, id);
        EXPECT_EQ(packet.dup, dup);
    }
    EXPECT_TRUE(harness.sent_nothing());
}

TEST(ClientResume, KeepsToASmallerReceiveMaximum) {
    ProtocolHarness harness(durable());
    harness.accept();
    for (const auto* payload : {"1", "2", "3"}) harness.publish("a", payload, QoS::AtLeastOnce);
    for (int i = 0; i < 3; ++i) harness.expect<mqtt::Publish>();
    harness.lose_connection();
    harness.accept({.session_present = true, .receive_maximum = 1});
    const auto first = harness.expect<mqtt::Publish>();
    EXPECT_EQ(as_text(first.payload), "1");
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::PubAck{.packet_id = first.packet_id});
    const auto second = harness.expect<mqtt::Publish>();
    EXPECT_EQ(as_text(second.payload), "2");
    EXPECT_TRUE(second.dup);
    EXPECT_TRUE(harness.sent_nothing());
}

TEST(ClientResume, WithoutASessionStartsOverWithWhatTheServerHadNotTaken) {
    ProtocolHarness harness(durable());
    harness.accept();
    const auto taken = harness.publish("a", "taken over", QoS::ExactlyOnce);
    harness.publish("a", "not taken", QoS::ExactlyOnce);
    harness.publish("a", "not acknowledged", QoS::AtLeastOnce);
    const auto id = harness.expect<mqtt::Publish>().packet_id;
    harness.expect<mqtt::Publish>();
    harness.expect<mqtt::Publish>();
    harness.send(mqtt::PubRec{.packet_id = id});
    harness.expect<mqtt::PubRel>();
    harness.lose_connection();
    harness.accept({.session_present = false});
    EXPECT_EQ(harness.expect_event<event::Published>().token, taken);
    for (const auto* payload : {"not taken", "not acknowledged"}) {
        const auto packet = harness.expect<mqtt::Publish>();
        EXPECT_EQ(as_text(packet.payload), payload);
        EXPECT_FALSE(packet.dup);
    }
    EXPECT_TRUE(harness.sent_nothing());
    EXPECT_EQ(harness.protocol.unfinished(), 2);
}

TEST(ClientResume, AcceptsAnAcknowledgementOfWhatWentOutBefore) {
    ProtocolHarness harness(durable());
    harness.accept();
    harness.publish("a", "1", QoS::AtLeastOnce);
    harness.publish("a", "2", QoS::AtLeastOnce);
    harness.expect<mqtt::Publish>();
    const auto second = harness.expect<mqtt::Publish>().packet_id;
    harness.lose_connection();
    harness.accept({.session_present = true, .receive_maximum = 1});
    const auto first = harness.expect<mqtt::Publish>().packet_id;
    harness.send(mqtt::PubAck{.packet_id = second});  // A server whose disk was slow.
    harness.expect_event<event::Published>();
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::PubAck{.packet_id = first});
    harness.expect_event<event::Published>();
    EXPECT_EQ(harness.protocol.unfinished(), 0);
}

// What a server says it cannot take is refused at once while it is connected, and when it says so later for what waits.
TEST(ClientLimits, AreKept) {
    struct Row {
        const char* name;
        mqtt::ConnAck limits;
        QoS qos;
        bool retain;
        ReasonCode expected;
    };
    const Row rows[] = {
        {"QoS", {.maximum_qos = QoS::AtLeastOnce}, QoS::ExactlyOnce, false, ReasonCode::QoSNotSupported},
        {"retain", {.retain_available = false}, QoS::AtLeastOnce, true, ReasonCode::RetainNotSupported},
        {"size", {.maximum_packet_size = 20}, QoS::AtLeastOnce, false, ReasonCode::PacketTooLarge},
    };
    for (const auto& row : rows) {
        ProtocolHarness harness;
        auto packet = message("topic", "a payload of 21 bytes", row.qos);
        packet.retain = row.retain;
        const auto waiting = harness.protocol.publish(packet, harness.now);
        ASSERT_TRUE(waiting.has_value()) << row.name;
        harness.accept(row.limits);
        const auto published = harness.expect_event<event::Published>();
        EXPECT_EQ(published.token, *waiting) << row.name;
        EXPECT_EQ(published.reason_code, row.expected) << row.name;
        EXPECT_TRUE(harness.sent_nothing()) << row.name;
        const auto refused = harness.protocol.publish(packet, harness.now);
        ASSERT_FALSE(refused.has_value()) << row.name;
        EXPECT_EQ(refused.error().code, row.expected) << row.name;
        EXPECT_EQ(harness.protocol.unfinished(), 0) << row.name;
    }
}

TEST(ClientLimits, InvalidMessagesAreRefused) {
    const std::string long_text(65'536, 'x');
    struct Row {
        const char* name;
        mqtt::Publish packet;
        ReasonCode expected;
    };
    auto property = message("a", "");
    std::vector<Row> rows = {
        {"empty topic", message("", ""), ReasonCode::TopicNameInvalid},
        {"wildcard", message("a/#", ""), ReasonCode::TopicNameInvalid},
        {"not UTF-8", message("\xff", ""), ReasonCode::TopicNameInvalid},
        {"too long", message(long_text, ""), ReasonCode::TopicNameInvalid},
    };
    property.properties.response_topic = "a/+";
    rows.push_back({"response topic", property, ReasonCode::TopicNameInvalid});
    property.properties = {};
    property.properties.content_type = long_text;
    rows.push_back({"content type", property, ReasonCode::PacketTooLarge});
    property.properties = {};
    property.properties.user_properties = {{"k", "\xff"}};
    rows.push_back({"user property", property, ReasonCode::MalformedPacket});
    ProtocolHarness harness;
    for (const auto& row : rows) {
        const auto refused = harness.protocol.publish(row.packet, harness.now);
        ASSERT_FALSE(refused.has_value()) << row.name;
        EXPECT_EQ(refused.error().code, row.expected) << row.name;
    }
}

TEST(ClientBackPressure, SaysWhenItIsFullAndWhenThereIsRoomAgain) {
    ProtocolHarness harness({.inflight_max = 1, .queue_messages_max = 4});
    harness.accept();
    for (int i = 0; i < 4; ++i) {
        EXPECT_TRUE(harness.protocol.can_publish());
        harness.publish("a", "x", QoS::AtLeastOnce);
    }
    EXPECT_FALSE(harness.protocol.can_publish());
    EXPECT_EQ(harness.protocol.publish(message("a", "x"), harness.now).error().code, ReasonCode::QuotaExceeded);
    harness.send(mqtt::PubAck{.packet_id = harness.expect<mqtt::Publish>().packet_id});
    harness.expect_event<event::Published>();
    harness.expect_event<event::Drained>();
    EXPECT_TRUE(harness.protocol.can_publish());
    harness.send(mqtt::PubAck{.packet_id = harness.expect<mqtt::Publish>().packet_id});
    harness.expect_event<event::Published>();
    EXPECT_TRUE(harness.told_nothing());  // Once.
}

TEST(ClientBackPressure, BytesAreABoundToo) {
    ProtocolHarness harness({.queue_bytes_max = 1000});
    harness.publish("a", std::string(900, 'x'));
    EXPECT_TRUE(harness.protocol.can_publish());
    harness.publish("a", std::string(900, 'x'));
    EXPECT_FALSE(harness.protocol.can_publish());
}

TEST(ClientBackPressure, WhatTheNetworkDoesNotTakeWaitsInTheQueue) {
    ProtocolHarness harness({.unsent_bytes_max = 100});
    harness.accept();
    for (int i = 0; i < 10; ++i) harness.publish("a", std::string(50, 'x'));
    EXPECT_LT(harness.protocol.output().size(), 200);
    EXPECT_GE(harness.protocol.unfinished(), 7);
    for (int i = 0; i < 5; ++i) {
        harness.protocol.output().clear();
        harness.protocol.drained(harness.now, harness.events);
    }
    EXPECT_EQ(harness.protocol.unfinished(), 0);
}

TEST(ClientAliases, AreMadeWhenAllowedAndAsked) {
    ProtocolHarness harness({.topic_aliases = true});
    harness.accept({.topic_alias_maximum = 1});
    for (const auto* topic : {"first", "first", "second", "first"}) harness.publish(topic, "x");
    auto packet = harness.expect<mqtt::Publish>();
    EXPECT_EQ(packet.topic, "first");
    EXPECT_EQ(packet.topic_alias, 1);
    packet = harness.expect<mqtt::Publish>();
    EXPECT_EQ(packet.topic, "");
    EXPECT_EQ(packet.topic_alias, 1);
    packet = harness.expect<mqtt::Publish>();
    EXPECT_EQ(packet.topic, "second");
    EXPECT_FALSE(packet.topic_alias.has_value());
    EXPECT_EQ(harness.expect<mqtt::Publish>().topic, "");
}

TEST(ClientAliases, EndWithTheConnection) {
    ProtocolHarness harness({.client_id = "c", .session_expiry_interval_seconds = 60, .topic_aliases = true});
    harness.accept({.topic_alias_maximum = 5});
    harness.publish("topic", "1", QoS::AtLeastOnce);
    harness.publish("topic", "2", QoS::AtLeastOnce);
    harness.expect<mqtt::Publish>();
    EXPECT_EQ(harness.expect<mqtt::Publish>().topic, "");
    harness.lose_connection();
    harness.accept({.session_present = true, .topic_alias_maximum = 0});
    for (const auto* payload : {"1", "2"}) {
        const auto packet = harness.expect<mqtt::Publish>();
        EXPECT_EQ(packet.topic, "topic");
        EXPECT_EQ(as_text(packet.payload), payload);
        EXPECT_FALSE(packet.topic_alias.has_value());
    }
}

TEST(ClientAliases, TheCallersOwnAreUsedWhereTheServerAllows) {
    ProtocolHarness harness;
    harness.accept({.topic_alias_maximum = 3});
    auto packet = message("a", "x");
    for (const auto alias : {std::uint16_t{3}, std::uint16_t{3}, std::uint16_t{4}}) {
        packet.topic_alias = alias;
        ASSERT_TRUE(harness.protocol.publish(packet, harness.now).has_value());
    }
    EXPECT_EQ(harness.expect<mqtt::Publish>().topic, "a");
    const auto second = harness.expect<mqtt::Publish>();
    EXPECT_EQ(second.topic, "");
    EXPECT_EQ(second.topic_alias, 3);
    EXPECT_FALSE(harness.expect<mqtt::Publish>().topic_alias.has_value());
}

}  // namespace
}  // namespace chappe::client
