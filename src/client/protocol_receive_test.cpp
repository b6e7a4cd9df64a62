#include <gtest/gtest.h>

#include "client/protocol_harness.h"

namespace chappe::client {
namespace {

using mqtt::ProtocolVersion;
using mqtt::QoS;
using mqtt::ReasonCode;

Options durable(Acknowledge acknowledge = Acknowledge::Automatically) {
    return {.client_id = "c", .session_expiry_interval_seconds = 3600, .acknowledge = acknowledge};
}

Subscription to(std::string filter, QoS qos = QoS::AtLeastOnce, std::optional<std::uint32_t> identifier = {}) {
    return {.filter = std::move(filter), .options = {.qos = qos}, .identifier = identifier};
}

TEST(ClientReceive, AcknowledgesByQoS) {
    for (const auto version : {ProtocolVersion::V31, ProtocolVersion::V311, ProtocolVersion::V5}) {
        ProtocolHarness harness({.version = version, .client_id = "c"});
        harness.accept();
        harness.send(message("a", "0"));
        EXPECT_EQ(as_text(harness.expect_event<event::Message>().packet.payload), "0");
        EXPECT_TRUE(harness.sent_nothing());
        harness.send(message("a", "1", QoS::AtLeastOnce, 10));
        EXPECT_EQ(as_text(harness.expect_event<event::Message>().packet.payload), "1");
        EXPECT_EQ(harness.expect<mqtt::PubAck>().packet_id, mqtt::PacketId{10});
        harness.send(message("a", "2", QoS::ExactlyOnce, 11));
        EXPECT_EQ(as_text(harness.expect_event<event::Message>().packet.payload), "2");
        EXPECT_EQ(harness.expect<mqtt::PubRec>().packet_id, mqtt::PacketId{11});
        harness.send(mqtt::PubRel{.packet_id = {11}});
        EXPECT_EQ(harness.expect<mqtt::PubComp>().reason_code, ReasonCode::Success);
        EXPECT_TRUE(harness.told_nothing());
    }
}

TEST(ClientReceive, QoS2IsHandedOverOnceAcrossReconnections) {
    ProtocolHarness harness(durable());
    harness.accept();
    auto packet = message("a", "once", QoS::ExactlyOnce, 5);
    harness.send(packet);
    harness.expect_event<event::Message>();
    harness.expect<mqtt::PubRec>();
    harness.lose_connection();
    harness.accept({.session_present = true});
    packet.dup = true;
    harness.send(packet);
    EXPECT_TRUE(harness.told_nothing());
    EXPECT_EQ(harness.expect<mqtt::PubRec>().packet_id, mqtt::PacketId{5});
    harness.send(mqtt::PubRel{.packet_id = {5}});
    harness.expect<mqtt::PubComp>();
    packet.dup = false;
    harness.send(packet);  // The id is free again: this is another message.
    harness.expect_event<event::Message>();
}

TEST(ClientReceive, ALostSessionForgetsQoS2) {
    ProtocolHarness harness(durable());
    harness.accept();
    harness.send(message("a", "old", QoS::ExactlyOnce, 5));
    harness.expect_event<event::Message>();
    harness.expect<mqtt::PubRec>();
    harness.lose_connection();
    harness.accept({.session_present = false});
    harness.send(message("a", "new", QoS::ExactlyOnce, 5));
    EXPECT_EQ(as_text(harness.expect_event<event::Message>().packet.payload), "new");
}

TEST(ClientReceive, AnUnknownPubRelIsAnswered) {
    ProtocolHarness harness;
    harness.accept();
    harness.send(mqtt::PubRel{.packet_id = {77}});
    EXPECT_EQ(harness.expect<mqtt::PubComp>().reason_code, ReasonCode::PacketIdentifierNotFound);
}

TEST(ClientReceive, MoreThanOurReceiveMaximumEndsTheConnection) {
    ProtocolHarness harness({.receive_maximum = 2});
    harness.accept();
    for (std::uint16_t id = 1; id <= 2; ++id) {
        harness.send(message("a", "x", QoS::ExactlyOnce, id));
        harness.expect<mqtt::PubRec>();
    }
    harness.send(mqtt::PubRel{.packet_id = {1}});
    harness.expect<mqtt::PubComp>();
    harness.send(message("a", "x", QoS::ExactlyOnce, 3));  // PUBCOMP has made room for it.
    harness.expect<mqtt::PubRec>();
    harness.send(message("a", "x", QoS::AtLeastOnce, 4));
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::ReceiveMaximumExceeded);
}

TEST(ClientReceive, TheReceiveMaximumMayChangeFromOneConnectionToTheNext) {
    ProtocolHarness harness(
        {.session_expiry_interval_seconds = 60, .receive_maximum = 2, .acknowledge = Acknowledge::ByCaller});
    harness.accept();
    harness.protocol.receive_maximum(1);
    harness.send(message("a", "1", QoS::AtLeastOnce, 1));
    harness.send(message("a", "2", QoS::AtLeastOnce, 2));
    EXPECT_TRUE(harness.protocol.connected());
    harness.expect_event<event::Message>();
    harness.expect_event<event::Message>();
    harness.lose_connection();
    EXPECT_EQ(harness.accept({.session_present = true}).receive_maximum, 1);
    harness.send(message("a", "1", QoS::AtLeastOnce, 1));
    EXPECT_TRUE(harness.protocol.connected());
    harness.send(message("a", "2", QoS::AtLeastOnce, 2));
    EXPECT_TRUE(harness.protocol.ending());
}

TEST(ClientAcknowledgeByCaller, LeaveInTheOrderOfArrival) {
    ProtocolHarness harness(durable(Acknowledge::ByCaller));
    harness.accept();
    std::vector<DeliveryToken> tokens;
    for (std::uint16_t id = 1; id <= 3; ++id) {
        harness.send(message("a", "x", id == 2 ? QoS::ExactlyOnce : QoS::AtLeastOnce, id));
        tokens.push_back(harness.expect_event<event::Message>().token);
    }
    harness.protocol.acknowledge(tokens[2], ReasonCode::Success, harness.now);
    harness.protocol.acknowledge(tokens[1], ReasonCode::NotAuthorized, harness.now);
    EXPECT_TRUE(harness.sent_nothing());
    harness.protocol.acknowledge(tokens[0], ReasonCode::Success, harness.now);
    EXPECT_EQ(harness.expect<mqtt::PubAck>().packet_id, mqtt::PacketId{1});
    EXPECT_EQ(harness.expect<mqtt::PubRec>().reason_code, ReasonCode::NotAuthorized);
    EXPECT_EQ(harness.expect<mqtt::PubAck>().packet_id, mqtt::PacketId{3});
}

TEST(ClientAcknowledgeByCaller, QoS1FromAnEarlierConnectionComesAgain) {
    ProtocolHarness harness(durable(Acknowledge::ByCaller));
    harness.accept();
    const auto packet = message("a", "x", QoS::AtLeastOnce, 1);
    harness.send(packet);
    const auto stale = harness.expect_event<event::Message>().token;
    harness.lose_connection();
    harness.accept({.session_present = true});
    harness.send(packet);
    const auto token = harness.expect_event<event::Message>().token;
    harness.protocol.acknowledge(stale, ReasonCode::Success, harness.now);
    EXPECT_TRUE(harness.sent_nothing());
    harness.protocol.acknowledge(token, ReasonCode::Success, harness.now);
    harness.expect<mqtt::PubAck>();
}

TEST(ClientAcknowledgeByCaller, QoS2IsNotHandedOverAgainWhileTheCallerIsAtWork) {
    for (const auto code : {ReasonCode::Success, ReasonCode::QuotaExceeded}) {
        for (const bool done_while_away : {true, false}) {
            ProtocolHarness harness(durable(Acknowledge::ByCaller));
            harness.accept();
            const auto packet = message("a", "x", QoS::ExactlyOnce, 1);
            harness.send(packet);
            const auto token = harness.expect_event<event::Message>().token;
            harness.lose_connection();
            if (done_while_away) harness.protocol.acknowledge(token, code, harness.now);
            harness.accept({.session_present = true});
            EXPECT_TRUE(harness.sent_nothing());
            harness.send(packet);
            EXPECT_TRUE(harness.told_nothing());
            if (!done_while_away) {
                EXPECT_TRUE(harness.sent_nothing());
                harness.protocol.acknowledge(token, code, harness.now);
            }
            EXPECT_EQ(harness.expect<mqtt::PubRec>().reason_code, code);
        }
    }
}

TEST(ClientReceive, ResolvesTheServersAliases) {
    ProtocolHarness harness({.topic_alias_maximum = 2});
    harness.accept();
    auto packet = message("a/long/topic", "1");
    packet.topic_alias = std::uint16_t{2};
    harness.send(packet);
    EXPECT_EQ(harness.expect_event<event::Message>().packet.topic, "a/long/topic");
    packet.topic = {};
    harness.send(packet);
    EXPECT_EQ(harness.expect_event<event::Message>().packet.topic, "a/long/topic");
    harness.lose_connection();
    harness.accept();
    harness.send(packet);
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::ProtocolError);
}

TEST(ClientReceive, AnAliasAboveTheMaximumEndsTheConnection) {
    ProtocolHarness harness({.topic_alias_maximum = 2});
    harness.accept();
    auto packet = message("a", "1");
    packet.topic_alias = std::uint16_t{3};
    harness.send(packet);
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::TopicAliasInvalid);
}

TEST(ClientSubscribe, SendsOptionsAndTellsTheAnswer) {
    ProtocolHarness harness;
    harness.accept();
    const Subscription subscription{.filter = "a/#",
                                    .options = {.qos = QoS::ExactlyOnce,
                                                .no_local = true,
                                                .retain_as_published = true,
                                                .retain_handling = mqtt::RetainHandling::SendIfNew},
                                    .identifier = 12};
    const auto token = harness.protocol.subscribe({subscription}, harness.now, {{"k", "v"}});
    const auto packet = harness.expect<mqtt::Subscribe>();
    EXPECT_EQ(packet.entries.at(0), (mqtt::Subscribe::Entry{"a/#", subscription.options}));
    EXPECT_EQ(packet.subscription_identifier, 12);
    EXPECT_EQ(packet.user_properties, (mqtt::UserProperties{{"k", "v"}}));
    harness.send(mqtt::SubAck{.packet_id = packet.packet_id, .reason_codes = {ReasonCode::GrantedQoS1}});
    const auto answer = harness.expect_event<event::Subscribed>();
    EXPECT_EQ(answer.token, token);
    EXPECT_EQ(answer.subscriptions.at(0), subscription);
    EXPECT_EQ(answer.reason_codes.at(0), ReasonCode::GrantedQoS1);
}

TEST(ClientSubscribe, AsksAgainWhatWasNotAnswered) {
    ProtocolHarness harness(durable());
    harness.accept();
    harness.protocol.subscribe({to("a")}, harness.now);
    harness.protocol.unsubscribe({"b"}, harness.now);
    harness.expect<mqtt::Subscribe>();
    harness.expect<mqtt::Unsubscribe>();
    harness.lose_connection();
    harness.accept({.session_present = true});
    EXPECT_EQ(harness.expect<mqtt::Subscribe>().entries.at(0).filter, "a");
    EXPECT_EQ(harness.expect<mqtt::Unsubscribe>().filters.at(0), "b");
}

TEST(ClientSubscribe, RenewsWhatTheServerHasForgotten) {
    ProtocolHarness harness(durable());
    harness.accept();
    harness.protocol.subscribe({to("a"), to("b"), to("refused")}, harness.now);
    harness.protocol.subscribe({to("c", QoS::AtLeastOnce, 7)}, harness.now);
    harness.send(
        mqtt::SubAck{.packet_id = harness.expect<mqtt::Subscribe>().packet_id,
                     .reason_codes = {ReasonCode::GrantedQoS1, ReasonCode::Success, ReasonCode::NotAuthorized}});
    harness.send(mqtt::SubAck{.packet_id = harness.expect<mqtt::Subscribe>().packet_id,
                              .reason_codes = {ReasonCode::GrantedQoS1}});
    harness.expect_event<event::Subscribed>();
    harness.expect_event<event::Subscribed>();
    harness.protocol.unsubscribe({"b"}, harness.now);
    harness.send(mqtt::UnsubAck{.packet_id = harness.expect<mqtt::Unsubscribe>().packet_id,
                                .reason_codes = {ReasonCode::Success}});
    harness.expect_event<event::Unsubscribed>();

    harness.lose_connection();
    harness.accept({.session_present = true});
    EXPECT_TRUE(harness.sent_nothing());
    harness.lose_connection();
    harness.accept({.session_present = false});
    const auto first = harness.expect<mqtt::Subscribe>();
    ASSERT_EQ(first.entries.size(), 1);
    EXPECT_EQ(first.entries[0].filter, "a");
    const auto second = harness.expect<mqtt::Subscribe>();
    EXPECT_EQ(second.entries.at(0).filter, "c");
    EXPECT_EQ(second.subscription_identifier, 7);
    EXPECT_TRUE(harness.sent_nothing());
    harness.send(mqtt::SubAck{.packet_id = first.packet_id, .reason_codes = {ReasonCode::GrantedQoS1}});
    EXPECT_EQ(harness.expect_event<event::Subscribed>().token, RequestToken{0});
}

TEST(ClientSubscribe, RenewsOnceHoweverOftenTheConnectionBreaks) {
    ProtocolHarness harness(durable());
    harness.accept();
    harness.protocol.subscribe({to("a")}, harness.now);
    harness.send(mqtt::SubAck{.packet_id = harness.expect<mqtt::Subscribe>().packet_id,
                              .reason_codes = {ReasonCode::GrantedQoS1}});
    harness.expect_event<event::Subscribed>();
    for (int i = 0; i < 3; ++i) {
        harness.lose_connection();
        harness.accept();
        harness.expect<mqtt::Subscribe>();
        EXPECT_TRUE(harness.sent_nothing());
    }
}

// Refused by us, since the server has said that it does not offer it; the caller is not called back from subscribe().
TEST(ClientSubscribe, KeepsToWhatTheServerOffers) {
    struct Row {
        mqtt::ConnAck limits;
        Subscription subscription;
        ReasonCode expected;
    };
    const Row rows[] = {
        {{.wildcard_subscription_available = false}, to("a/+"), ReasonCode::WildcardSubscriptionsNotSupported},
        {{.subscription_identifiers_available = false},
         to("a", QoS::AtMostOnce, 1),
         ReasonCode::SubscriptionIdentifiersNotSupported},
        {{.shared_subscription_available = false}, to("$share/g/a"), ReasonCode::SharedSubscriptionsNotSupported},
        {{.maximum_packet_size = 30}, to(std::string(50, 'x')), ReasonCode::PacketTooLarge},
    };
    for (const auto& row : rows) {
        ProtocolHarness harness;
        harness.accept(row.limits);
        harness.protocol.subscribe({row.subscription}, harness.now);
        EXPECT_TRUE(harness.sent_nothing());
        EXPECT_TRUE(harness.told_nothing());
        EXPECT_LE(harness.protocol.deadline(), harness.now);
        harness.advance(0s);
        EXPECT_EQ(harness.expect_event<event::Subscribed>().reason_codes.at(0), row.expected);
    }
}

TEST(ClientSubscribe, AWrongAnswerEndsTheConnection) {
    ProtocolHarness harness;
    harness.accept();
    harness.protocol.subscribe({to("a"), to("b")}, harness.now);
    harness.send(mqtt::SubAck{.packet_id = harness.expect<mqtt::Subscribe>().packet_id,
                              .reason_codes = {ReasonCode::GrantedQoS1}});
    EXPECT_EQ(harness.expect<mqtt::Disconnect>().reason_code, ReasonCode::ProtocolError);
}

TEST(ClientSubscribe, OldServersAnswerUnsubscribeWithoutCodes) {
    ProtocolHarness harness({.version = ProtocolVersion::V311, .client_id = "c"});
    harness.accept();
    harness.protocol.unsubscribe({"a", "b"}, harness.now);
    harness.send(mqtt::UnsubAck{.packet_id = harness.expect<mqtt::Unsubscribe>().packet_id});
    EXPECT_EQ(harness.expect_event<event::Unsubscribed>().filters.size(), 2);
}

}  // namespace
}  // namespace chappe::client
