#include "access/decision_record.h"

#include <chrono>
#include <vector>

#include <gmock/gmock.h>

namespace chappe::access {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class Decisions : public testing::Test {
protected:
    void make(std::string_view topic, bool allowed = true, broker::Access access = broker::Access::Publish) {
        record.record({.who = who, .access = access, .topic = topic, .qos = mqtt::QoS::AtLeastOnce}, allowed, now);
    }

    broker::Identity who{.client_id = "c7", .user_name = "bob"};
    WallTime now{1'774'948'500s};
    std::vector<std::string> lines;
    DecisionRecord record{1};
};

TEST_F(Decisions, OneOfEachKindIsRecorded) {
    record.enable([this](std::string line) { lines.push_back(std::move(line)); });
    make("a");
    make("a");
    make("b");
    make("a", false);
    make("a", true, broker::Access::Receive);
    who.user_name = "eve";
    make("a");
    EXPECT_THAT(lines, SizeIs(5));
}

TEST_F(Decisions, AnIdentifierCountsWhereTheTopicHasIt) {
    record.enable([this](std::string line) { lines.push_back(std::move(line)); });
    make("a");
    make("devices/c7/t");
    who.client_id = "c8";
    make("a");
    make("devices/c7/t");
    make("devices/c8/t");
    EXPECT_THAT(lines, ElementsAre(HasSubstr(R"("topic":"a")"), HasSubstr(R"("client":"c7")"),
                                   AllOf(HasSubstr(R"("client":"c8")"), HasSubstr("devices/c7/t")),
                                   AllOf(HasSubstr(R"("client":"c8")"), HasSubstr("devices/c8/t"))));
}

TEST_F(Decisions, TheNextDayBeginsAnew) {
    record.enable([this](std::string line) { lines.push_back(std::move(line)); });
    make("a");
    now += std::chrono::hours{24};
    make("a");
    make("a");
    EXPECT_THAT(lines, ElementsAre(HasSubstr("2026-03-31T"), HasSubstr("2026-04-01T")));
}

TEST_F(Decisions, NotMoreThanSoManyADay) {
    int told = 0;
    record.enable([this](std::string line) { lines.push_back(std::move(line)); }, [&] { ++told; });
    std::size_t number = 0;
    while (++number < DecisionRecord::per_day_max) make(std::to_string(number));
    EXPECT_EQ(told, 0);
    for (const auto* more : {"a", "b", "c"}) make(more);
    EXPECT_THAT(lines, SizeIs(DecisionRecord::per_day_max));
    EXPECT_EQ(told, 1);
}

TEST_F(Decisions, NothingIsRecordedWhereNobodyWantsIt) {
    make("a");
    record.enable([this](std::string line) { lines.push_back(std::move(line)); });
    record.enable(nullptr);
    make("b");
    EXPECT_THAT(lines, SizeIs(0));
}

TEST_F(Decisions, AreReadAsTheyWereWritten) {
    auto attributes = std::make_shared<broker::Attributes>();
    attributes->roles = {"viewer", "x"};
    attributes->certificate_name = "cn";
    attributes->claims = {{"site", "north"}};
    who.attributes = attributes;
    const auto line = line_of({.who = who,
                               .access = broker::Access::Subscribe,
                               .topic = "a/#",
                               .qos = mqtt::QoS::ExactlyOnce,
                               .retain = true,
                               .shared = true},
                              false, now);
    const auto read = parse_decision(line);
    ASSERT_TRUE(read.has_value()) << read.error();
    EXPECT_EQ(read->who.client_id, "c7");
    EXPECT_EQ(read->who.user_name, "bob");
    EXPECT_EQ(read->who.attributes->roles, attributes->roles);
    EXPECT_EQ(read->who.attributes->certificate_name, "cn");
    EXPECT_EQ(read->who.attributes->claims, attributes->claims);
    EXPECT_EQ(read->access, broker::Access::Subscribe);
    EXPECT_EQ(read->topic, "a/#");
    EXPECT_EQ(read->qos, mqtt::QoS::ExactlyOnce);
    EXPECT_TRUE(read->retain && read->shared && !read->allowed);
}

TEST_F(Decisions, OtherLinesAreNone) {
    for (const auto* line : {"", "{", "[]", "{}", R"({"action":"eat","topic":"a","allowed":true})",
                             R"({"action":"publish","topic":1,"allowed":true})",
                             R"({"action":"publish","topic":"a","allowed":true,"claims":{"a":1}})"}) {
        EXPECT_FALSE(parse_decision(line).has_value()) << line;
    }
}

}  // namespace
}  // namespace chappe::access
