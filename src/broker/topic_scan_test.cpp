#include "broker/topic_scan.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

TEST(CompareTopics, GoesLevelByLevel) {
    const std::vector<std::string> sorted = {"",    "/",     "//",    "/a",  " a",  "$SYS/x", "a",  "a/",      "a//b",
                                             "a/b", "a/b/c", "a/b c", "a/c", "a b", "a-b",    "ab", "\xc3\xa9"};
    for (const auto& a : sorted) {
        for (const auto& b : sorted) EXPECT_EQ(compare_topics(a, b) < 0, &a < &b) << a << " " << b;
    }
}

TEST(CompareTopics, KnowsWhatIsBelow) {
    EXPECT_TRUE(is_at_or_below("a/b", "a/b"));
    EXPECT_TRUE(is_at_or_below("a/b/c", "a/b"));
    EXPECT_TRUE(is_at_or_below("a/b/", "a/b"));
    EXPECT_FALSE(is_at_or_below("a/bc", "a/b"));
    EXPECT_FALSE(is_at_or_below("a", "a/b"));
    EXPECT_TRUE(is_at_or_below("/a", ""));
    EXPECT_FALSE(is_at_or_below("a", ""));
}

// What a scan looks at, of `topics` in this order, and the topics that matched marked with '*'.
std::string looks(std::string_view filter, const std::vector<std::string>& topics) {
    TopicScan scan(filter);
    std::string out;
    auto at = std::ranges::find_if(topics, [&](const auto& topic) { return compare_topics(topic, scan.start()) >= 0; });
    while (at != topics.end()) {
        const auto step = scan.look(*at);
        out += *at + (step.matches ? "* " : " ");
        if (step.next == TopicScan::Next::None) break;
        const auto before = [&](const std::string& topic) {
            if (step.next == TopicScan::Next::From) return compare_topics(topic, step.topic) < 0;
            return compare_topics(topic, step.topic) < 0 || is_at_or_below(topic, step.topic);
        };
        at = step.next == TopicScan::Next::Following ? at + 1 : std::find_if_not(at, topics.end(), before);
    }
    return out;
}

TEST(TopicScan, LeapsOverWhatCannotMatch) {
    const std::vector<std::string> topics = {"$SYS/a", "$SYS/b", "a",     "a/x",   "a/x/1", "a/x/2", "a/x/3",
                                             "a/y/1",  "a/y/2",  "a/y/3", "a/z/3", "b",     "b/x/1", "c"};
    EXPECT_EQ(looks("a/#", topics), "a* a/x* a/x/1* a/x/2* a/x/3* a/y/1* a/y/2* a/y/3* a/z/3* b ");
    EXPECT_EQ(looks("a/x/#", topics), "a/x* a/x/1* a/x/2* a/x/3* a/y/1 ");
    EXPECT_EQ(looks("a/+/2", topics), "a a/x a/x/1 a/x/2* a/x/3 a/y/1 a/y/2* a/y/3 a/z/3 b ");
    EXPECT_EQ(looks("a/+/3", topics), "a a/x a/x/1 a/x/3* a/y/1 a/y/3* a/z/3* b ");
    EXPECT_EQ(looks("a/+", topics), "a a/x* a/x/1 a/y/1 a/z/3 b ");
    EXPECT_EQ(looks("+", topics), "$SYS/a a* a/x b* b/x/1 c* ");
    EXPECT_EQ(looks("+/x/+", topics), "$SYS/a a a/x a/x/1* a/x/2* a/x/3* a/y/1 b b/x/1* c ");
    EXPECT_EQ(looks("$SYS/+", topics), "$SYS/a* $SYS/b* a ");
    EXPECT_EQ(looks("b/+/+/+", topics), "b b/x/1 c ");
    EXPECT_EQ(looks("d/#", topics), "");
}

}  // namespace
}  // namespace chappe::broker
