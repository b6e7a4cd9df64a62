#include "apps/chappe/clients/format.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "apps/chappe/clients/message_json.h"
#include "apps/chappe/clients/output.h"

namespace chappe::app {
namespace {

// The 22nd of November 2026, 09:19:32.216665042 UTC.
constexpr auto time_of_test = WallTime(std::chrono::nanoseconds(1'795'339'172'216'665'042));

// In a time zone that does not depend on the machine.
class MessageFormatTest : public testing::Test {
protected:
    void SetUp() override {
        setenv("TZ", "UTC-1", 1);
        tzset();
    }
};

mqtt::Publish example() {
    mqtt::Publish message;
    message.topic = "a/b";
    message.payload = as_bytes("Hi\n\xff");
    message.qos = mqtt::QoS::AtLeastOnce;
    message.packet_id = {7};
    message.retain = true;
    message.topic_alias = std::uint16_t{3};
    message.subscription_identifiers = {1, 22};
    message.properties.payload_format_indicator = std::uint8_t{0};
    message.properties.message_expiry_interval_seconds = 60;
    message.properties.content_type = "text/plain";
    message.properties.response_topic = "answers";
    message.properties.correlation_data = as_bytes("42");
    message.properties.user_properties = {{"k", "1"}, {"k", "2"}};
    return message;
}

std::string print(std::string_view text, const mqtt::Publish& message) {
    const auto format = MessageFormat::parse(text);
    if (!format) return format.error();
    return format->print(message, time_of_test, false).value_or("error");
}

TEST_F(MessageFormatTest, Sequences) {
    struct Row {
        const char* format;
        std::string expected;
        std::string expected_of_plain;  // Of a message with a topic and nothing else.
    };
    const Row rows[] = {
        {"%A", "3", ""},
        {"%C", "text/plain", ""},
        {"%D", "42", ""},
        {"%E", "60", ""},
        {"%F", "0", ""},
        {"%P", "k:1 k:2", ""},
        {"%R", "answers", ""},
        {"%S", "1 22", ""},
        {"%l", "4", "0"},
        {"%m", "7", "0"},
        {"%p", "Hi\n\xff", ""},
        {"%q", "1", "0"},
        {"%r", "1", "0"},
        {"%t", "a/b", "x"},
        {"%x", "48690aff", ""},
        {"%X", "48690AFF", ""},
        {"%I", "2026-11-22T10:19:32+0100", "2026-11-22T10:19:32+0100"},
        {"%U", "1795339172.216665042", "1795339172.216665042"},
        {"%%", "%", "%"},
        {"@Y-@m-@d @H:@M:@S.@N @@", "2026-11-22 10:19:32.216665042 @", "2026-11-22 10:19:32.216665042 @"},
        {"\\\\ \\a\\e\\n\\r\\t\\v", "\\ \a\x1b\n\r\t\v", "\\ \a\x1b\n\r\t\v"},
        {"\\0", std::string(1, '\0'), std::string(1, '\0')},
        {"topic=%t, %l bytes", "topic=a/b, 4 bytes", "topic=x, 0 bytes"},
        {"", "", ""},
    };
    mqtt::Publish plain;
    plain.topic = "x";
    for (const auto& row : rows) {
        EXPECT_EQ(print(row.format, example()), row.expected) << row.format;
        EXPECT_EQ(print(row.format, plain), row.expected_of_plain) << row.format;
    }
}

TEST_F(MessageFormatTest, WidthsAndFlags) {
    const std::pair<const char*, const char*> rows[] = {
        {"[%5t]", "[  a/b]"},  {"[%-5t]", "[a/b  ]"},  {"[%.2t]", "[a/]"},          {"[%5.2t]", "[   a/]"},
        {"[%05l]", "[00004]"}, {"[%-05l]", "[4    ]"}, {"[%010x]", "[0048690aff]"}, {"[%2x]", "[48690aff]"},
        {"[%05t]", "[  a/b]"}, {"[%.0t]", "[]"},       {"[%05m]", "[00007]"},
    };
    for (const auto& [format, expected] : rows) EXPECT_EQ(print(format, example()), expected) << format;
}

TEST_F(MessageFormatTest, UnknownSequencesAreRefused) {
    for (const auto* wrong : {"%k", "%", "%5", "%.", "@", "\\", "\\q", "text %"}) {
        EXPECT_FALSE(MessageFormat::parse(wrong).has_value()) << wrong;
    }
    EXPECT_NE(MessageFormat::parse("%k").error().find("%k is not known; there are %A"), std::string::npos);
}

TEST_F(MessageFormatTest, MosquittosJson) {
    auto message = example();
    message.payload = as_bytes("{\"x\":1}");
    EXPECT_EQ(print("%j", message),
              R"({"tst":"2026-11-22T10:19:32.216665+0100","topic":"a/b","qos":1,"retain":1,"payloadlen":7,"mid":7,)"
              R"("properties":{"topic-alias":3,"content-type":"text/plain","user-properties":{"k":"2"},)"
              R"("response-topic":"answers","correlation-data":"42","payload-format-indicator":0,)"
              R"("message-expiry-interval":60,"subscription-identifier":22},"payload":"{\"x\":1}"})");
    mqtt::Publish plain;
    plain.topic = "t";
    plain.payload = as_bytes("{\"b\":[1],\"a\":null}");
    EXPECT_EQ(print("%J", plain), R"({"tst":"2026-11-22T10:19:32.216665+0100","topic":"t","qos":0,"retain":0,)"
                                  R"("payloadlen":18,"payload":{"b":[1],"a":null}})");
}

TEST_F(MessageFormatTest, PayloadsThatAreNotJsonAreAnError) {
    const std::string deep(2000, '[');
    for (const std::string_view payload : {std::string_view("{"), std::string_view(""), std::string_view(deep)}) {
        mqtt::Publish message;
        message.topic = "t";
        message.payload = as_bytes(payload);
        const auto text = MessageFormat::parse("%J")->print(message, time_of_test, false);
        ASSERT_FALSE(text.has_value());
        EXPECT_EQ(text.error(), "the payload is not JSON on topic t");
    }
}

TEST_F(MessageFormatTest, OurJson) {
    EXPECT_EQ(to_json(example(), time_of_test),
              R"({"timestamp":"2026-11-22T09:19:32.216665Z","topic":"a/b","qos":1,"retain":true,"dup":false,)"
              R"("payload":"SGkK/w==","payload_encoding":"base64","properties":{"payload_format_indicator":0,)"
              R"("message_expiry_interval":60,"content_type":"text/plain","response_topic":"answers",)"
              R"("correlation_data":"42","correlation_data_encoding":"utf-8","topic_alias":3,)"
              R"("subscription_identifiers":[1,22],"user_properties":[["k","1"],["k","2"]]}})");
    mqtt::Publish plain;
    plain.topic = "t";
    plain.payload = as_bytes("caf\xc3\xa9 \"x\"");
    EXPECT_EQ(to_json(plain, time_of_test),
              "{\"timestamp\":\"2026-11-22T09:19:32.216665Z\",\"topic\":\"t\",\"qos\":0,\"retain\":false,\"dup\":false,"
              "\"payload\":\"caf\xc3\xa9 \\\"x\\\"\",\"payload_encoding\":\"utf-8\",\"properties\":{}}");
}

std::string output(const OutputArguments& arguments, MessageOutput::Terminal terminal, const mqtt::Publish& message) {
    return MessageOutput::create(arguments, terminal)->text_of(message, time_of_test).value();
}

TEST_F(MessageFormatTest, PlainOutput) {
    mqtt::Publish message;
    message.topic = "t";
    message.payload = as_bytes("\x1b[2J");
    mqtt::Publish empty;
    empty.topic = "t";
    using enum MessageOutput::Terminal;
    EXPECT_EQ(output({}, No, message), "\x1b[2J\n");
    EXPECT_EQ(output({}, Yes, message), "\\x1b[2J\n");
    EXPECT_EQ(output({.no_line_feed = true}, No, message), "\x1b[2J");
    EXPECT_EQ(output({.verbose = true}, No, message), "t \x1b[2J\n");
    EXPECT_EQ(output({.verbose = true}, No, empty), "t (null)\n");
    EXPECT_EQ(output({.format = "%p"}, Yes, message), "\x1b[2J\n");
    EXPECT_EQ(output({.format = "%t", .verbose = true}, No, message), "t\n");
    unsetenv("NO_COLOR");
    EXPECT_EQ(output({.verbose = true}, Yes, empty), "\x1b[36mt\x1b[0m (null)\n");
    setenv("NO_COLOR", "1", 1);
    EXPECT_EQ(output({.verbose = true}, Yes, empty), "t (null)\n");
}

TEST_F(MessageFormatTest, ContradictionsAreRefused) {
    EXPECT_FALSE(MessageOutput::create({.format = "%t", .json = true}, MessageOutput::Terminal::No).has_value());
    EXPECT_FALSE(MessageOutput::create({.format = "%k"}, MessageOutput::Terminal::No).has_value());
}

}  // namespace
}  // namespace chappe::app
