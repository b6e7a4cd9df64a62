#include "apps/chappe/clients/properties.h"

#include <gtest/gtest.h>

namespace chappe::app {
namespace {

using Words = std::vector<std::string>;

TEST(PropertyOption, SetsWhatItNames) {
    Properties properties;
    const Words rows[] = {
        {"connect", "receive-maximum", "10"},
        {"CONNECT", "maximum-packet-size", "1000"},
        {"connect", "session-expiry-interval", "never"},
        {"connect", "topic-alias-maximum", "5"},
        {"connect", "request-response-information", "1"},
        {"connect", "request-problem-information", "0"},
        {"connect", "authentication-method", "METHOD"},
        {"connect", "authentication-data", "data"},
        {"connect", "user-property", "a", "1"},
        {"publish", "content-type", "text/plain"},
        {"publish", "correlation-data", "\xff"},
        {"publish", "message-expiry-interval", "60"},
        {"publish", "payload-format-indicator", "1"},
        {"publish", "response-topic", "answers"},
        {"publish", "topic-alias", "3"},
        {"publish", "user-property", "b", "1"},
        {"publish", "user-property", "b", "2"},
        {"will", "will-delay-interval", "5"},
        {"will", "content-type", "text/html"},
        {"subscribe", "subscription-identifier", "268435455"},
        {"subscribe", "user-property", "c", ""},
        {"unsubscribe", "user-property", "d", "1"},
        {"disconnect", "session-expiry-interval", "7"},
        {"disconnect", "user-property", "e", "1"},
    };
    for (const auto& words : rows) {
        const auto added = add_property(words, properties);
        EXPECT_TRUE(added.has_value()) << added.error();
    }
    EXPECT_EQ(properties.connect.receive_maximum, 10);
    EXPECT_EQ(properties.connect.maximum_packet_size, 1000);
    EXPECT_EQ(properties.session_expiry_seconds, mqtt::session_never_expires);
    EXPECT_EQ(properties.connect.topic_alias_maximum, 5);
    EXPECT_TRUE(properties.connect.request_response_information);
    EXPECT_FALSE(properties.connect.request_problem_information);
    EXPECT_EQ(properties.connect.authentication_method, "METHOD");
    EXPECT_EQ(properties.connect.authentication_data, "data");
    EXPECT_EQ(properties.connect.user_properties, (client::OwnedUserProperties{{"a", "1"}}));
    const client::OwnedProperties publish{.payload_format_indicator = std::uint8_t{1},
                                          .message_expiry_interval_seconds = 60,
                                          .content_type = "text/plain",
                                          .response_topic = "answers",
                                          .correlation_data = "\xff",
                                          .user_properties = {{"b", "1"}, {"b", "2"}}};
    EXPECT_EQ(properties.publish, publish);
    EXPECT_EQ(properties.topic_alias, 3);
    EXPECT_EQ(properties.will_delay_seconds, 5);
    EXPECT_EQ(properties.will.content_type, "text/html");
    EXPECT_TRUE(properties.any_of_will);
    EXPECT_EQ(properties.subscription_identifier, 268'435'455);
    EXPECT_EQ(properties.subscribe, (client::OwnedUserProperties{{"c", ""}}));
    EXPECT_EQ(properties.unsubscribe, (client::OwnedUserProperties{{"d", "1"}}));
    EXPECT_EQ(properties.disconnect_session_expiry_seconds, 7);
    EXPECT_EQ(properties.disconnect, (client::OwnedUserProperties{{"e", "1"}}));
}

TEST(PropertyOption, SaysWhatWouldBeRight) {
    struct Row {
        Words words;
        const char* expected;
    };
    const Row rows[] = {
        {{"publish", "content-type"}, "COMMAND IDENTIFIER VALUE"},
        {{"puback", "reason-string", "x"}, "there are connect, publish, will, subscribe, unsubscribe, disconnect"},
        {{"subscribe", "content-type", "x"}, "there are subscription-identifier, user-property"},
        {{"publish", "user-property", "x"}, "a name and a value"},
        {{"publish", "content-type", "x", "y"}, "only user-property"},
        {{"publish", "topic-alias", "0"}, "topic-alias: \"0\" is not a whole number from 1 to 65535"},
        {{"publish", "payload-format-indicator", "2"}, "from 0 to 1"},
        {{"publish", "response-topic", "a/#"}, "not a topic to publish to"},
        {{"publish", "content-type", "\xff"}, "UTF-8"},
        {{"publish", "user-property", "k", "\xff"}, "UTF-8"},
        {{"connect", "session-expiry-interval", "soon"}, "or \"never\""},
    };
    for (const auto& row : rows) {
        Properties properties;
        const auto added = add_property(row.words, properties);
        ASSERT_FALSE(added.has_value()) << row.expected;
        EXPECT_NE(added.error().find(row.expected), std::string::npos) << added.error();
    }
}

}  // namespace
}  // namespace chappe::app
