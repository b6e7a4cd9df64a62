#include "policy/lint.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::policy {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using Texts = std::vector<std::string>;

std::vector<RuleText> rules_of(const std::string& role, const Texts& texts) {
    std::vector<RuleText> rules;
    std::uint32_t line = 0;
    for (const auto& text : texts) rules.push_back({.text = text, .source = {"p.toml", ++line, role}});
    return rules;
}

RoleText role(const std::string& name, const Texts& rules) {
    return {.name = name, .rules = rules_of(name, rules), .source = {"p.toml", 7, name}};
}

UserText user(const std::string& name, const Texts& roles, const Texts& rules = {}) {
    return {.name = name, .roles = roles, .rules = rules_of("", rules), .source = {"p.toml", 9, ""}};
}

Texts lines(const std::vector<RoleText>& roles, const std::vector<UserText>& users = {},
            const Surroundings& surroundings = {}) {
    Texts lines;
    for (const auto& finding : lint(roles, users, surroundings)) {
        EXPECT_EQ(finding.severity, Finding::Severity::Warning);
        lines.push_back(std::to_string(finding.source.line) + " " + finding.source.role + ": " + finding.text);
    }
    return lines;
}

// Of one role that somebody has.
Texts of_rules(const Texts& rules) { return lines({role("r", rules)}, {user("u", {"r"})}); }

constexpr auto deny_secret = "deny publish a/secret";

TEST(Lint, SaysNothingOfRulesThatAllCount) {
    EXPECT_THAT(of_rules({"allow all a/#", deny_secret, "allow publish b", "allow subscribe b/+", "allow receive c"}),
                IsEmpty());
    EXPECT_THAT(of_rules({"allow publish ${username}/#", "allow publish all/${client_id}"}), IsEmpty());
    EXPECT_THAT(of_rules({"allow all #", "allow subscribe $SYS/#"}), IsEmpty());
}

TEST(Lint, FindsARuleThatAnotherOneIncludes) {
    EXPECT_THAT(of_rules({"allow publish a/b", "allow all a/#"}),
                ElementsAre(R"(1 r: "allow publish a/b" adds nothing: all of it is allowed by "allow all a/#", )"
                            "see p.toml:2 (role r)"));
    EXPECT_THAT(of_rules({"deny all a/+", "allow all #", "deny all a/x"}),
                ElementsAre(R"(3 r: "deny all a/x" adds nothing: all of it is denied by "deny all a/+", )"
                            "see p.toml:1 (role r)"));
    EXPECT_THAT(of_rules({"allow publish +/${username}", "allow publish a/${username}"}).size(), 1U);
    EXPECT_THAT(of_rules({"allow receive a", "allow subscribe a"}).size(), 1U);
}

TEST(Lint, FindsARuleThatIsWhollyDenied) {
    EXPECT_THAT(of_rules({"allow publish a/b", "allow all a/#", "deny publish a/+"}),
                ElementsAre(R"(1 r: "allow publish a/b" allows nothing: all of it is denied by "deny publish a/+", )"
                            "see p.toml:3 (role r)"));
    EXPECT_THAT(of_rules({"allow publish ${username}", "deny publish +"}).size(), 1U);
    EXPECT_THAT(of_rules({"allow subscribe a", "deny subscribe a/#"}).size(), 1U);
}

TEST(Lint, OfTwoThatSayTheSameNamesTheSecond) {
    EXPECT_THAT(of_rules({"allow publish a/#", "deny publish a/b", "allow  publish a/#"}),
                ElementsAre(R"(3 r: "allow  publish a/#" adds nothing: "allow publish a/#" says the same, )"
                            "see p.toml:1 (role r)"));
    EXPECT_THAT(of_rules({"allow publish +/#", "allow publish #"}), ElementsAre(HasSubstr("2 r: \"allow publish #\"")));
    EXPECT_THAT(of_rules({deny_secret, deny_secret}), ElementsAre(HasSubstr("says the same")));
}

// Each row is two rules of which neither makes the other useless.
TEST(Lint, MindsWhatARuleIsAbout) {
    for (const auto& rules : std::vector<Texts>{
             {"allow publish a/b", "allow subscribe a/#"},
             {"allow all a/b", "allow publish a/#"},
             {"allow publish a/b", "allow publish qos<=1 a/#"},
             {"allow publish a/b", "allow publish retain=no a/#"},
             {"allow publish retain=yes a/b", "allow publish retain=no a/#"},
             {"allow subscribe a/b", "allow subscribe shared=yes a/#"},
             {"allow subscribe a/b", "allow receive a/#"},
             {"allow subscribe a/b", "deny receive a/#"},                        // It may be subscribed to.
             {"allow subscribe shared=no a/b", "deny subscribe shared=no a/#"},  // It may be received.
             {"allow all a/b", "deny publish a/#"},
             {"allow publish a/#", "deny publish a/b"},
             {"deny publish a/b", "deny publish retain=yes a/#"},
             {"deny publish ${username}/x", "deny publish +/x"},  // For names that cannot stand in a topic.
             {"deny publish a/b", "allow publish a/#"},
         }) {
        EXPECT_THAT(of_rules(rules), IsEmpty()) << rules[0] << " and " << rules[1];
    }
    for (const auto& rules : std::vector<Texts>{
             {"allow publish qos<=1 a/b", "allow publish a/#"},
             {"allow publish retain=no a/b", "allow publish a/#"},
             {"allow receive qos<=1 a/b", "allow receive qos<=0 a/#"},
             {"allow subscribe shared=no a/b", "allow subscribe shared=no qos<=2 a/#"},
             {"deny publish retain=yes a/b", "deny publish a/#"},
         }) {
        EXPECT_THAT(of_rules(rules), ElementsAre(testing::StartsWith("1 r:"))) << rules[0] << " and " << rules[1];
    }
}

TEST(Lint, CountsTheRulesOfEveryoneForAll) {
    const auto all = role("everyone", {"allow subscribe news/#", "deny publish news/#"});
    EXPECT_THAT(lines({role("r", {"allow subscribe news/x", "allow publish news/x"}), all}, {user("u", {"r"})}),
                ElementsAre(AllOf(HasSubstr("1 r: "), HasSubstr("p.toml:1 (role everyone)")),
                            AllOf(HasSubstr("2 r: "), HasSubstr("p.toml:2 (role everyone)"))));
    // Who has the one role need not have the other.
    EXPECT_THAT(lines({role("r", {"allow publish a"}), role("s", {"allow publish #"})}, {user("u", {"r", "s"})}),
                IsEmpty());
}

TEST(Lint, CountsTheRolesOfAUserForItsOwnRules) {
    const auto roles = {role("r", {"allow publish a/#", "allow publish b/${username}/#"})};
    EXPECT_THAT(lines(roles, {user("u", {"r"}, {"allow publish a/b"})}), ElementsAre(HasSubstr("1 : ")));
    // What is given to one user is meant for it.
    EXPECT_THAT(lines(roles, {user("u", {"r"}, {"allow publish b/+/x"})}), IsEmpty());
}

TEST(Lint, TakesTheRulesOfARoleInPiecesTogether) {
    EXPECT_THAT(lines({role("r", {"allow publish a"}), role("r", {"allow publish #"})}, {user("u", {"r"})}).size(), 1U);
}

TEST(Lint, FindsRolesThatNobodyHas) {
    const auto roles = {role("r", {"allow publish a"}), role("everyone", {}), role("anonymous", {}), role("s", {})};
    EXPECT_THAT(lines(roles, {user("u", {"s"})}),
                ElementsAre("7 r: nobody has the role r; give it to a user, or remove it"));
    EXPECT_THAT(lines(roles, {}, {.roles_in_use = {"r", "s"}, .roles_ready_made = {}}), IsEmpty());
}

TEST(Lint, SaysNothingOfReadyMadeRoles) {
    const auto roles = {role("r", {"allow publish a"}), role("everyone", {"allow publish #"})};
    const Surroundings surroundings{.roles_in_use = {}, .roles_ready_made = {"r"}};
    EXPECT_THAT(lines(roles, {}, surroundings), IsEmpty());
    EXPECT_THAT(lines(roles, {user("u", {"r"})}, surroundings), IsEmpty());
}

constexpr auto own_devices = "allow publish devices/${username}/#";

TEST(Lint, FindsWildcardsThatLeadToOthers) {
    EXPECT_THAT(
        of_rules({own_devices, "allow subscribe devices/+/config"}),
        ElementsAre(
            R"(2 r: "allow subscribe devices/+/config" escapes ${username}: it reaches devices/+/config of all, where )"
            R"("allow publish devices/${username}/#" keeps each client to its own, see p.toml:1 (role r); narrow it, )"
            "deny that, or move it into a role of its own"));
    EXPECT_THAT(of_rules({"allow subscribe #", own_devices}), ElementsAre(HasSubstr("reaches devices/+/# of all")));
    EXPECT_THAT(of_rules({"allow publish ${claim.site}/#", "allow receive +/alarm"}),
                ElementsAre(HasSubstr("escapes ${claim.site}: it reaches +/alarm")));
}

TEST(Lint, SaysNothingOfWildcardsThatLeadToNobody) {
    EXPECT_THAT(of_rules({own_devices, "allow subscribe devices/${username}/+", "allow subscribe devices/all/#"}),
                IsEmpty());
    EXPECT_THAT(of_rules({own_devices, "allow subscribe news/#"}), IsEmpty());
    EXPECT_THAT(of_rules({"deny publish devices/${username}/config", "allow all devices/#"}), IsEmpty());
}

TEST(Lint, SaysNothingOfWildcardsThatADenyTakesBack) {
    EXPECT_THAT(of_rules({own_devices, "allow subscribe #", "deny subscribe devices/#"}), IsEmpty());
    EXPECT_THAT(of_rules({own_devices, "allow subscribe #", "deny receive devices/+/#"}), IsEmpty());
    EXPECT_THAT(of_rules({own_devices, "allow publish retain=yes #", "deny publish retain=yes devices/#"}).size(), 0U);
    EXPECT_THAT(lines({role("r", {own_devices, "allow subscribe #"}), role("everyone", {"deny receive devices/#"})},
                      {user("u", {"r"})}),
                IsEmpty());
    // A part is not enough.
    EXPECT_THAT(of_rules({own_devices, "allow subscribe #", "deny subscribe devices/+/secret"}).size(), 1U);
    EXPECT_THAT(of_rules({own_devices, "allow all #", "deny subscribe devices/#"}).size(), 2U);  // The first as well.
    EXPECT_THAT(of_rules({own_devices, "allow subscribe #", "deny subscribe shared=yes devices/#"}).size(), 1U);
}

TEST(Lint, SaysNothingOfWildcardsInARoleOfTheirOwn) {
    EXPECT_THAT(lines({role("device", {own_devices}), role("viewer", {"allow subscribe #"})},
                      {user("u", {"device", "viewer"})}),
                IsEmpty());
}

TEST(Lint, PassesOverWhatIsNoRule) {
    EXPECT_THAT(of_rules({"allow nothing", "allow publish a"}), IsEmpty());
    EXPECT_THAT(lines({}, {user("u", {"missing"}, {"deny"})}), IsEmpty());
}

}  // namespace
}  // namespace chappe::policy
