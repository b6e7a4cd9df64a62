#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "accounts/account_store.h"
#include "accounts/test_support.h"

namespace chappe::accounts {
namespace {

using test::fault;
using test::must;
using testing::ElementsAre;
using testing::IsEmpty;

class Roles : public test::AccountFile {
protected:
    std::vector<std::string> rules(std::string_view role) { return must(accounts.find_role(role)).value().rules; }
};

TEST_F(Roles, OfANewFileAreWhatMostPeopleNeed) {
    EXPECT_THAT(rules("admin"), ElementsAre("allow all #", "allow subscribe $SYS/#", "allow all $CONTROL/#"));
    EXPECT_THAT(rules("editor"), ElementsAre("allow all #"));
    EXPECT_THAT(rules("viewer"), ElementsAre("allow subscribe #"));
    EXPECT_THAT(rules("device"),
                ElementsAre("allow publish devices/${username}/#", "allow subscribe devices/${username}/#"));
    EXPECT_EQ(must(accounts.roles()).size(), 4U);
    EXPECT_THAT(must(accounts.users()), IsEmpty());
}

TEST_F(Roles, AreKnownAsReadyMadeUntilTheyAreChanged) {
    EXPECT_EQ(must(accounts.roles()), ready_made_roles());
    EXPECT_TRUE(is_ready_made(must(accounts.find_role("viewer")).value()));
    must(accounts.add_rule("viewer", "deny subscribe secret"));
    EXPECT_FALSE(is_ready_made(must(accounts.find_role("viewer")).value()));
    EXPECT_FALSE(is_ready_made({.name = "other", .comment = {}, .rules = {"allow all #"}}));
}

TEST_F(Roles, ThatWereRemovedDoNotComeBack) {
    must(accounts.remove_role("device", IfUsed::Refuse));
    auto other = open();
    EXPECT_EQ(must(other.find_role("device")), std::nullopt);
}

TEST_F(Roles, AreAsTheyWereAdded) {
    const Role pump{.name = "pump", .comment = "in the cellar", .rules = {"deny publish b", "allow publish a", "x"}};
    const Role empty{.name = "all"};
    must(accounts.add_role(pump));
    must(accounts.add_role(empty));
    EXPECT_EQ(must(accounts.find_role("pump")), pump);
    const auto roles = must(accounts.roles());
    ASSERT_EQ(roles.size(), 6U);
    EXPECT_EQ(roles[1], empty);
    EXPECT_EQ(roles[4], pump);
}

TEST_F(Roles, ExistOnceAndHaveValidNamesAndRules) {
    const auto error = fault(accounts.add_role({.name = "admin"}));
    EXPECT_EQ(error.fault, Fault::RoleExists);
    EXPECT_EQ(error.text, "the role admin exists already");
    EXPECT_EQ(fault(accounts.add_role({.name = ""})).fault, Fault::Invalid);
    EXPECT_EQ(fault(accounts.add_role({.name = "x", .rules = {"allow all #", "two\nlines"}})).fault, Fault::Invalid);
    EXPECT_EQ(must(accounts.find_role("x")), std::nullopt);
}

TEST_F(Roles, AreNotRemovedWhileTheyAreUsed) {
    must(accounts.add_user({.name = "bob", .roles = {"viewer", "device"}}, 1));
    EXPECT_EQ(fault(accounts.remove_role("viewer", IfUsed::Refuse)).text, "the role viewer is used by the user bob");
    must(accounts.add_user({.name = "anna", .roles = {"viewer"}}, 1));
    const auto used = fault(accounts.remove_role("viewer", IfUsed::Refuse));
    EXPECT_EQ(used.fault, Fault::RoleInUse);
    EXPECT_EQ(used.text, "the role viewer is used by the user anna and 1 more");
    must(accounts.remove_role("viewer", IfUsed::TakeFromUsers));
    EXPECT_THAT(must(accounts.find_user("bob")).value().roles, ElementsAre("device"));
    must(accounts.add_role({.name = "viewer"}));
    EXPECT_THAT(rules("viewer"), IsEmpty());
    EXPECT_THAT(must(accounts.find_user("anna")).value().roles, IsEmpty());
}

TEST_F(Roles, HaveRulesInTheirOrder) {
    must(accounts.add_rule("viewer", "b"));
    must(accounts.add_rule("viewer", "a"));
    EXPECT_THAT(rules("viewer"), ElementsAre("allow subscribe #", "b", "a"));
    must(accounts.remove_rule("viewer", 2));
    EXPECT_THAT(rules("viewer"), ElementsAre("allow subscribe #", "a"));
    const auto error = fault(accounts.remove_rule("viewer", 3));
    EXPECT_EQ(error.fault, Fault::NoSuchRule);
    EXPECT_EQ(error.text, "the role viewer has no rule 3, it has 2");
    EXPECT_EQ(fault(accounts.remove_rule("viewer", 0)).fault, Fault::NoSuchRule);
    const std::vector<std::string> others{"z", "y", "z"};
    must(accounts.set_rules("viewer", others));
    EXPECT_EQ(rules("viewer"), others);
    must(accounts.set_rules("viewer", {}));
    EXPECT_THAT(rules("viewer"), IsEmpty());
}

TEST_F(Roles, KeepTheirRulesWhereOneIsNotValid) {
    const std::vector<std::string> wrong{"a", ""};
    EXPECT_EQ(fault(accounts.set_rules("viewer", wrong)).text, "the rule is empty");
    EXPECT_EQ(fault(accounts.add_rule("viewer", "  ")).fault, Fault::Invalid);
    EXPECT_THAT(rules("viewer"), ElementsAre("allow subscribe #"));
}

TEST_F(Roles, ThatAreNotThereAreNotChanged) {
    for (const auto& result : {accounts.remove_role("x", IfUsed::TakeFromUsers), accounts.set_rules("x", {}),
                               accounts.add_rule("x", "a"), accounts.remove_rule("x", 1)}) {
        EXPECT_EQ(fault(result).fault, Fault::NoSuchRole);
        EXPECT_EQ(fault(result).text, "there is no role x");
    }
}

TEST_F(Roles, AreBounded) {
    auto bounded = open({.roles = 5, .rules_per_role = 2});
    must(bounded.add_role({.name = "x", .rules = {"a", "b"}}));
    EXPECT_EQ(fault(bounded.add_role({.name = "y"})).text, "roles: there may be at most 5");
    EXPECT_EQ(fault(bounded.add_rule("x", "c")).text, "rules of a role: there may be at most 2");
    EXPECT_THAT(rules("x"), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace chappe::accounts
