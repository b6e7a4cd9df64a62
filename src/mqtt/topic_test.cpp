#include "mqtt/topic.h"

#include <string>

#include <gtest/gtest.h>

namespace chappe::mqtt {
namespace {

struct MatchCase {
    std::string_view filter;
    std::string_view topic;
    bool matches;
};

void expect(std::initializer_list<MatchCase> rows) {
    for (const auto& [filter, topic, expected] : rows) {
        EXPECT_EQ(matches(filter, topic), expected) << filter << " and " << topic;
    }
}

TEST(TopicMatch, WithoutWildcardsIsEquality) {  // [MQTT-4.7.3-4] [MQTT3-4.7.3-4]
    expect({
        {"a", "a", true},
        {"a/b", "a/b", true},
        {"a", "A", false},
        {"a", "a/", false},
        {"a", "/a", false},
        {"a/b", "a", false},
        {"a", "a/b", false},
        {"/", "/", true},
        {"/", "//", false},
        {"a//b", "a//b", true},
        {"a//b", "a/b", false},
        {"a b", "a b", true},
        {"a", "a ", false},
        {"\xC3\xA9", "e\xCC\x81", false},  // The same letter in two forms: nothing is normalized.
    });
}

TEST(TopicMatch, PlusIsOneLevel) {
    expect({
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player2", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+", "a", true},
        {"+", "a/b", false},
        {"+", "/a", false},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+/b/+", "a/b/c", true},
        {"+/b/+", "a/c/c", false},
        {"a/+/c", "a//c", true},
        {"a/+/c", "a/b/b/c", false},
    });
}

TEST(TopicMatch, HashIsTheParentAndAllBelow) {
    expect({
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/tennis/player1/#", "sport/tennis/player2", false},
        {"sport/#", "sport", true},
        {"sport/#", "sports", false},
        {"#", "a", true},
        {"#", "/", true},
        {"#", "a/b/c", true},
        {"/#", "/", true},
        {"/#", "a", false},
        {"+/#", "a", true},
        {"+/#", "a/b", true},
        {"+/tennis/#", "sport/tennis", true},
        {"a/+/#", "a", false},
        {"a/+/#", "a/b", true},
        {"a/+/#", "a/b/c/d", true},
    });
}

TEST(TopicMatch, LeadingDollarIsNotMatchedByALeadingWildcard) {  // [MQTT-4.7.2-1] [MQTT3-4.7.2-1]
    expect({
        {"#", "$SYS/uptime", false},
        {"+/uptime", "$SYS/uptime", false},
        {"+/#", "$SYS", false},
        {"$SYS/#", "$SYS/uptime", true},
        {"$SYS/#", "$SYS", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"a/+", "a/$x", true},
        {"a/#", "a/$x", true},
        {"$x", "$x", true},
    });
}

TEST(TopicName, Valid) {
    for (const std::string_view topic : {"a", "/", "//", "a/b", " ", "$SYS/a", "\xC3\xA9", "a/b/"}) {
        EXPECT_TRUE(is_valid_topic_name(topic)) << topic;
    }
    EXPECT_TRUE(is_valid_topic_name(std::string(65'535, 'a')));
}

// [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]
// [MQTT3-4.7.1-1] [MQTT3-4.7.3-1] [MQTT3-4.7.3-2] [MQTT3-4.7.3-3]
TEST(TopicName, Invalid) {
    for (const std::string_view topic : {"", "#", "+", "a/+", "a#", "a/b+c", "12345678+"}) {
        EXPECT_FALSE(is_valid_topic_name(topic)) << topic;
    }
    EXPECT_FALSE(is_valid_topic_name({"a\0b", 3}));
    EXPECT_FALSE(is_valid_topic_name(std::string(65'536, 'a')));
}

TEST(TopicFilterSyntax, Valid) {
    for (const std::string_view filter :
         {"a", "/", "#", "+", "+/+", "/#", "a/#", "+/a/#", "a/+/b", "sport/tennis/#", "$SYS/#", "$share/g/a",
          "$share/g/#", "$share/g//finance", "$share/g/$share/g/a", "$share", "$sharex/a", "$share\xC3\xA9"}) {
        EXPECT_TRUE(is_valid_topic_filter(filter)) << filter;
    }
    EXPECT_TRUE(is_valid_topic_filter(std::string(65'535, '/')));
}

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]
// [MQTT3-4.7.1-2] [MQTT3-4.7.1-3] [MQTT3-4.7.3-1] [MQTT3-4.7.3-2] [MQTT3-4.7.3-3]
TEST(TopicFilterSyntax, Invalid) {
    for (const std::string_view filter : {"", "##", "a#", "#a", "a/#/b", "#/", "a/b#", "++", "a+", "+a", "a/+b",
                                          "a/b+/c", "+#", "sport/tennis#", "sport/tennis/#/ranking", "sport+"}) {
        EXPECT_FALSE(is_valid_topic_filter(filter)) << filter;
    }
    EXPECT_FALSE(is_valid_topic_filter({"a\0b", 3}));
    EXPECT_FALSE(is_valid_topic_filter(std::string(65'536, 'a')));
}

TEST(TopicFilterSyntax, InvalidShare) {  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
    for (const std::string_view filter : {"$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a", "$share/#/a",
                                          "$share/a+/b", "$share/g#/b", "$share/g/a#", "$share/g/#/b"}) {
        EXPECT_FALSE(is_valid_topic_filter(filter)) << filter;
    }
}

TEST(TopicFilter, KeepsItsText) {
    const auto filter = TopicFilter::parse("a/+/#");
    ASSERT_TRUE(filter.has_value());
    EXPECT_EQ(filter->text(), "a/+/#");
    EXPECT_EQ(filter->filter(), "a/+/#");
    EXPECT_FALSE(filter->shared());
    EXPECT_EQ(filter->share_name(), "");
}

TEST(TopicFilter, SplitsAShare) {
    const auto filter = TopicFilter::parse("$share/group 1//finance/#");
    ASSERT_TRUE(filter.has_value());
    EXPECT_EQ(filter->text(), "$share/group 1//finance/#");
    EXPECT_TRUE(filter->shared());
    EXPECT_EQ(filter->share_name(), "group 1");
    EXPECT_EQ(filter->filter(), "/finance/#");
}

TEST(TopicFilter, ComparesWithItsShareName) {
    EXPECT_TRUE(*TopicFilter::parse("$share/a/x") == *TopicFilter::parse("$share/a/x"));
    EXPECT_FALSE(*TopicFilter::parse("$share/a/x") == *TopicFilter::parse("$share/b/x"));
    EXPECT_FALSE(*TopicFilter::parse("$share/a/x") == *TopicFilter::parse("x"));
}

TEST(TopicFilter, SaysWhatIsWrong) {
    EXPECT_EQ(TopicFilter::parse("a/#/b").error().code, ReasonCode::TopicFilterInvalid);
    EXPECT_EQ(TopicFilter::parse("$share/g/").error().code, ReasonCode::TopicFilterInvalid);
    EXPECT_EQ(TopicFilter::parse("").error().code, ReasonCode::TopicFilterInvalid);
    EXPECT_EQ(TopicFilter::parse("\xFF").error().code, ReasonCode::MalformedPacket);
    EXPECT_EQ(TopicFilter::parse({"\0", 1}).error().code, ReasonCode::MalformedPacket);
}

TEST(TopicLevels, AreCounted) {
    EXPECT_EQ(level_count("a"), 1U);
    EXPECT_EQ(level_count("a/b"), 2U);
    EXPECT_EQ(level_count("/a"), 2U);
    EXPECT_EQ(level_count("/"), 2U);
    EXPECT_EQ(level_count("a//b/"), 4U);
}

TEST(TopicWildcards, AreFoundAtEveryPlace) {
    for (std::size_t size = 1; size < 40; ++size) {
        std::string text(size, 'a');
        EXPECT_FALSE(has_wildcards(text)) << size;
        for (std::size_t at = 0; at < size; ++at) {
            for (const char wildcard : {'+', '#'}) {
                text[at] = wildcard;
                EXPECT_TRUE(has_wildcards(text)) << text;
            }
            text[at] = 'a';
        }
    }
}

TEST(TopicWildcards, AreNotTheirNeighbours) {
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(9, static_cast<char>(byte));
        EXPECT_EQ(has_wildcards(text), byte == '+' || byte == '#') << byte;
    }
}

}  // namespace
}  // namespace chappe::mqtt
