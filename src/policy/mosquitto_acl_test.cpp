#include "policy/mosquitto_acl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::policy {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> lines_of(std::string_view text) {
    const auto read = read_mosquitto_acl(text, "acl");
    std::vector<std::string> lines;
    const auto add = [&](const std::string& whose, const std::vector<RuleText>& rules) {
        for (const auto& rule : rules) lines.push_back(whose + std::to_string(rule.source.line) + ": " + rule.text);
    };
    for (const auto& role : read.roles) add(role.name + ' ', role.rules);
    for (const auto& user : read.users) add("user " + user.name + ' ', user.rules);
    for (const auto& finding : read.findings) {
        lines.push_back("error " + std::to_string(finding.source.line) + ": " + finding.text);
    }
    return lines;
}

TEST(MosquittoAcl, IsReadAsRolesAndUsers) {
    EXPECT_THAT(
        lines_of("# for all\n\ntopic read $SYS/#\n"
                 "pattern write sensors/%u/%c/#\r\n"
                 "user bob\ntopic a b/c \ntopic\tread d\ntopic deny a b/c/secret\n"
                 "user carol von x\ntopic readwrite #\n"
                 "user bob\ntopic write e\n"),
        ElementsAre("anonymous 3: allow subscribe,receive $SYS/#",
                    "everyone 4: allow publish sensors/${username}/${client_id}/#", "user bob 6: allow all a b/c",
                    "user bob 7: allow subscribe,receive d", "user bob 8: deny all a b/c/secret",
                    "user bob 12: allow publish e", "user carol von x 10: allow all #"));
}

TEST(MosquittoAcl, TakesWordsForTopicsWhereNothingFollows) {
    EXPECT_THAT(
        lines_of("topic read\ntopic deny\ntopic reads x\n"),
        ElementsAre("anonymous 1: allow all read", "anonymous 2: allow all deny", "anonymous 3: allow all reads x"));
}

TEST(MosquittoAcl, NamesLinesThatCannotBeUsed) {
    const auto lines = lines_of("topics x\nuser\ntopic a/${username}\ntopic\ntopic a#\nuser bob\n");
    ASSERT_EQ(lines.size(), 5U);
    EXPECT_EQ(lines[0], "error 1: a line begins with topic, pattern, user or #, not \"topics\"");
    EXPECT_EQ(lines[1], "error 2: a user has a name");
    EXPECT_EQ(lines[2], "error 3: a topic with ${ cannot be written as a rule");
    EXPECT_THAT(lines[3], testing::StartsWith("error 4: "));
    EXPECT_THAT(lines[4], testing::StartsWith("error 5: "));
}

TEST(MosquittoAcl, MayBeEmpty) { EXPECT_THAT(lines_of(""), IsEmpty()); }

}  // namespace
}  // namespace chappe::policy
