#include "policy/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/rule.h"
#include "policy/rule_set.h"

namespace chappe::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Texts = std::vector<std::string>;

RoleText role(const std::string& name, const Texts& rules) {
    RoleText made{.name = name, .rules = {}};
    std::uint32_t line = 0;
    for (const auto& rule : rules) {
        made.rules.push_back({.text = rule, .source = {.file = "p.toml", .line = ++line, .role = name}});
    }
    return made;
}

Made make(const std::vector<RoleText>& roles, const std::vector<UserText>& users = {}) {
    return Policy::make(roles, users);
}

// One user "u" with one role, who asks.
class ARole : public testing::Test {
protected:
    void rules(const Texts& texts) {
        const std::vector<RoleText> roles = {role("r", texts)};
        auto made = make(roles, {{.name = "u", .roles = {"r"}, .rules = {}, .source = {}}});
        EXPECT_THAT(made.findings, IsEmpty());
        policy = std::move(made.policy);
    }

    [[nodiscard]] Decision decide(const Question& question) const { return policy->decide(subject, {}, question); }
    [[nodiscard]] bool publishes(std::string_view topic, std::uint8_t qos = 0, bool retain = false) const {
        return decide({.action = Action::Publish, .topic = topic, .qos = qos, .retain = retain}).allowed;
    }
    [[nodiscard]] bool subscribes(std::string_view filter, bool shared = false) const {
        return decide({.action = Action::Subscribe, .topic = filter, .shared = shared}).allowed;
    }
    [[nodiscard]] bool receives(std::string_view topic) const {
        return decide({.action = Action::Receive, .topic = topic}).allowed;
    }

    std::vector<std::pair<std::string, std::string>> claims = {{"site", "north"}, {"path", "a/b"}};
    Subject subject{.client_id = "c1", .user_name = "u", .certificate_name = "cn", .claims = claims};
    std::shared_ptr<const Policy> policy;
};

TEST_F(ARole, MayNothingWithoutARule) {
    rules({});
    EXPECT_FALSE(publishes("a"));
    EXPECT_FALSE(subscribes("a"));
    EXPECT_FALSE(receives("a"));
    const auto decision = decide({.action = Action::Publish, .topic = "a"});
    EXPECT_EQ(decision.decided_by, nullptr);
    EXPECT_EQ(decision.reason, "no rule allows publishing to this topic");
}

TEST_F(ARole, MayWhatIsAllowedAndNothingElse) {
    rules({"  allow  publish\ta/+/x \t"});
    EXPECT_TRUE(publishes("a/b/x"));
    EXPECT_FALSE(publishes("a/b/y"));
    EXPECT_FALSE(publishes("a/b/x/z"));
    EXPECT_FALSE(publishes("a/b"));
    EXPECT_FALSE(subscribes("a/b/x"));
    EXPECT_FALSE(receives("a/b/x"));
}

TEST_F(ARole, DenyWinsWhereverItStands) {
    rules({"deny publish a/secret", "allow all a/#", "deny subscribe a/hidden/#"});
    EXPECT_FALSE(publishes("a/secret"));
    EXPECT_TRUE(publishes("a/open"));
    EXPECT_EQ(decide({.action = Action::Publish, .topic = "a/secret"}).reason, "denied by a rule of role r");
    EXPECT_EQ(decide({.action = Action::Publish, .topic = "a/secret"}).decided_by->source.line, 1U);
    EXPECT_FALSE(subscribes("a/hidden/#"));
    EXPECT_FALSE(subscribes("a/hidden/x"));
    EXPECT_FALSE(subscribes("a/hidden"));
    EXPECT_TRUE(subscribes("a/#"));  // What it may not see of that is not delivered.
    EXPECT_FALSE(receives("a/hidden/x"));
    EXPECT_TRUE(receives("a/secret"));
}

TEST_F(ARole, ReceivesWhatItMaySubscribeTo) {
    rules({"allow subscribe a/#", "deny receive a/x", "allow receive b"});
    EXPECT_TRUE(receives("a/b"));
    EXPECT_TRUE(subscribes("a/x"));
    EXPECT_FALSE(receives("a/x"));
    EXPECT_TRUE(receives("b"));
    EXPECT_FALSE(subscribes("b"));
}

TEST_F(ARole, HasVariables) {
    rules({"allow publish ${username}/${client_id}/${cert.cn}/dev-${claim.site}-x"});
    EXPECT_TRUE(publishes("u/c1/cn/dev-north-x"));
    EXPECT_FALSE(publishes("u/c1/cn/dev-south-x"));
    EXPECT_FALSE(publishes("u/c1/cn/dev-north-"));
    EXPECT_FALSE(publishes("v/c1/cn/dev-north-x"));
}

TEST_F(ARole, IsAllowedNothingByAVariableThatHasNoUsableValue) {
    rules({"allow all a/${claim.path}/#", "allow all b/${claim.none}", "allow all c/${username}/#"});
    EXPECT_FALSE(publishes("a/a/b/c"));
    EXPECT_FALSE(publishes("b/"));
    EXPECT_FALSE(subscribes("b/${claim.none}"));
    for (const auto* name : {"", "+", "#", "a/b", "$SYS"}) {
        subject.user_name = name;
        EXPECT_FALSE(publishes("c/" + std::string(name) + "/x")) << name;
        EXPECT_FALSE(subscribes("c/" + std::string(name) + "/#")) << name;
    }
}

TEST_F(ARole, IsDeniedMoreByAVariableThatHasNoUsableValue) {
    rules({"allow all #", "deny all a/x-${claim.none}/z"});
    EXPECT_FALSE(publishes("a/x-y/z"));
    EXPECT_FALSE(publishes("a/other/z"));
    EXPECT_TRUE(publishes("a/x-y/w"));
    EXPECT_FALSE(subscribes("a/+/z"));
}

TEST_F(ARole, IsBoundToAQos) {
    rules({"allow all qos<=1 a", "allow all qos<=0 a", "allow publish b"});
    EXPECT_TRUE(publishes("a", 1));
    EXPECT_FALSE(publishes("a", 2));
    EXPECT_EQ(decide({.action = Action::Publish, .topic = "a", .qos = 2}).reason,
              "publishing here is allowed with a lower QoS only");
    EXPECT_TRUE(publishes("b", 2));
    const auto decision = decide({.action = Action::Subscribe, .topic = "a", .qos = 2});
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.qos_max, 1);
}

TEST_F(ARole, IsBoundToRetainAndShared) {
    rules({"allow publish retain=no a", "allow publish retain=yes b", "allow subscribe shared=yes a",
           "allow subscribe shared=no b", "allow all c", "deny publish retain=yes c", "deny subscribe shared=yes c"});
    EXPECT_TRUE(publishes("a"));
    EXPECT_FALSE(publishes("a", 0, true));
    EXPECT_FALSE(publishes("b"));
    EXPECT_TRUE(publishes("b", 0, true));
    EXPECT_TRUE(publishes("c"));
    EXPECT_FALSE(publishes("c", 0, true));
    EXPECT_TRUE(subscribes("a", true));
    EXPECT_FALSE(subscribes("a", false));
    EXPECT_TRUE(subscribes("b", false));
    EXPECT_FALSE(subscribes("b", true));
    EXPECT_FALSE(subscribes("c", true));
    EXPECT_TRUE(receives("c"));
}

TEST_F(ARole, MaySeeSystemTopicsByARuleOfTheirOwnOnly) {  // [MQTT-4.7.2-1]
    rules({"allow all #", "allow all +/x", "allow subscribe $SYS/broker/#"});
    EXPECT_FALSE(receives("$SYS/x"));
    EXPECT_FALSE(subscribes("$SYS/#"));
    EXPECT_TRUE(subscribes("$SYS/broker/#"));
    EXPECT_TRUE(receives("$SYS/broker/version"));
    EXPECT_TRUE(subscribes("#"));
}

TEST_F(ARole, CoversFilters) {
    const auto covers = [](std::string_view pattern, std::string_view filter) {
        return Pattern::parse(pattern)->covers(filter, {}, Pattern::Unusable::Nothing);
    };
    for (const auto& [pattern, filter] : {std::pair("#", "#"),
                                          {"#", "+/+"},
                                          {"+/#", "#"},
                                          {"a/#", "a"},
                                          {"a/#", "a/#"},
                                          {"a/+", "a/b"},
                                          {"a/+", "a/+"},
                                          {"+/b", "a/b"},
                                          {"a/+/#", "a/b/c/#"}}) {
        EXPECT_TRUE(covers(pattern, filter)) << pattern << ' ' << filter;
    }
    for (const auto& [pattern, filter] : {std::pair("+", "#"),
                                          {"a/+", "a/#"},
                                          {"a/b", "a/+"},
                                          {"a/+/#", "a/#"},
                                          {"+/+/#", "#"},
                                          {"#", "$SYS/#"},
                                          {"+/x", "$SYS/x"},
                                          {"a", "a/b"},
                                          {"a/b", "a"}}) {
        EXPECT_FALSE(covers(pattern, filter)) << pattern << ' ' << filter;
    }
}

TEST_F(ARole, ExplainsItself) {
    rules({"allow publish a/${claim.none}", "deny publish a/x", "allow publish retain=no a/#", "allow subscribe b"});
    const auto explanation = policy->explain(subject, {}, {.action = Action::Publish, .topic = "a/x", .retain = true});
    EXPECT_FALSE(explanation.decision.allowed);
    EXPECT_EQ(explanation.decision.decided_by->source.text(), "p.toml:2 (role r)");
    EXPECT_THAT(explanation.roles, ElementsAre("r"));
    std::vector<std::string> lines;
    for (const auto& one : explanation.considered) lines.push_back(one.rule->text + ": " + one.why);
    EXPECT_THAT(lines, ElementsAre("deny publish a/x: matches",
                                   "allow publish a/${claim.none}: ${claim.none} has no value, or one that cannot "
                                   "stand in a topic",
                                   "allow publish retain=no a/#: not for retained messages"));
}

TEST(Policy, GivesEverybodyTheirRoles) {
    const std::vector<RoleText> roles = {role("everyone", {"allow publish e"}), role("anonymous", {"allow publish n"}),
                                         role("r", {"allow publish r"}), role("s", {"allow publish s"})};
    const auto made = make(roles, {{.name = "u", .roles = {"r"}, .rules = {{"allow publish own", {}}}, .source = {}}});
    ASSERT_TRUE(made.usable());
    const auto topics = [&](std::string_view user, const Texts& more = {}) {
        std::string found;
        for (const auto* topic : {"e", "n", "r", "s", "own"}) {
            const Subject subject{.client_id = "c", .user_name = user, .certificate_name = {}, .claims = {}};
            if (made.policy->decide(subject, more, {.action = Action::Publish, .topic = topic}).allowed) {
                found += std::string(topic) + " ";
            }
        }
        return found;
    };
    EXPECT_EQ(topics("u"), "e r own ");
    EXPECT_EQ(topics("u", {"s"}), "e r s own ");
    EXPECT_EQ(topics("u", {"anonymous", "unknown"}), "e r own ");
    EXPECT_EQ(topics("stranger", {"\x01u"}), "e ");
    EXPECT_EQ(topics(""), "e n ");
    EXPECT_EQ(topics("stranger"), "e ");
    EXPECT_EQ(topics("stranger", {"r", "s"}), "e r s ");
}

TEST(Policy, KnowsWhoMayReceiveEverything) {
    const auto restricts = [](const Texts& rules) {
        const std::vector<RoleText> roles = {role("anonymous", rules)};
        return make(roles).policy->rules_of("", {}).restricts_receiving();
    };
    EXPECT_FALSE(restricts({"allow all #"}));
    EXPECT_FALSE(restricts({"allow receive #", "deny publish x"}));
    EXPECT_TRUE(restricts({}));
    EXPECT_TRUE(restricts({"allow all +/#"}));
    EXPECT_TRUE(restricts({"allow publish #"}));
    EXPECT_TRUE(restricts({"allow all #", "deny receive x"}));
    EXPECT_TRUE(restricts({"allow all #", "deny subscribe x"}));
}

TEST(Policy, ReportsAllThatIsWrong) {
    const std::vector<RoleText> roles = {role(
        "r", {"permit publish a", "allow publsh a", "allow publish", "allow publish a/#/b", "allow publish a${user}",
              "allow publish a/${username", "deny publish qos<=1 a", "allow subscribe retain=no a",
              "allow publish shared=yes a", "allow publish qos<=3 a", "allow publish retain=maybe a",
              "allow publish a+", "allow subscribe $share/g/a", "allow publish ok"})};
    const auto made = make(roles, {{.name = "u", .roles = {"nobody"}, .rules = {}, .source = {}}});
    EXPECT_FALSE(made.usable());
    std::vector<std::string> found;
    for (const auto& finding : made.findings) {
        found.push_back(std::to_string(finding.source.line) + ":" + std::to_string(finding.column));
    }
    EXPECT_THAT(found, ElementsAre("1:1", "2:7", "3:14", "4:17", "5:16", "6:17", "7:14", "8:17", "9:15", "10:15",
                                   "11:15", "12:16", "13:17", "0:0"));
    EXPECT_THAT(made.findings[1].text, HasSubstr("there are publish, subscribe"));
    EXPECT_THAT(made.findings[4].text, HasSubstr("${username}"));
}

}  // namespace
}  // namespace chappe::policy
