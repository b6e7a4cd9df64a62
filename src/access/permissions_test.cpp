#include "access/permissions.h"

#include <gtest/gtest.h>

#include "access/test_support.h"

namespace chappe::access {
namespace {

using broker::Access;
using broker::Identity;

bool may(const Permissions& permissions, const Identity& who, Access access, std::string_view topic) {
    return permissions.decide({.who = who, .access = access, .topic = topic, .qos = mqtt::QoS::AtMostOnce}).allowed;
}

Identity named(const std::string& name, std::vector<std::string> roles = {}) {
    return {.client_id = "c",
            .user_name = name,
            .attributes = std::make_shared<broker::Attributes>(broker::Attributes{
                .roles = std::move(roles), .certificate_name = "cn", .claims = {{"site", "north"}}})};
}

TEST(Permissions, AreThoseOfTheRolesOfTheUserAndOfWhatItCameWith) {
    const auto current = current_of({user("bob", "x", {"r"})},
                                    {role("r", {"allow publish r"}), role("s", {"allow publish s/${claim.site}"}),
                                     role("t", {"allow publish t/${cert.cn}/${client_id}"})});
    const Permissions permissions(*current);
    EXPECT_TRUE(may(permissions, named("bob"), Access::Publish, "r"));
    EXPECT_FALSE(may(permissions, named("bob"), Access::Publish, "s/north"));
    EXPECT_TRUE(may(permissions, named("bob", {"s"}), Access::Publish, "s/north"));
    EXPECT_TRUE(may(permissions, named("eve", {"t"}), Access::Publish, "t/cn/c"));
    EXPECT_FALSE(may(permissions, named("eve"), Access::Publish, "r"));
}

TEST(Permissions, OfADisabledUserAreNone) {
    auto bob = user("bob", "x", {"r"});
    bob.enabled = false;
    const auto current = current_of({bob}, {role("r", {"allow publish r"})});
    EXPECT_FALSE(may(Permissions(*current), named("bob"), Access::Publish, "r"));
}

TEST(Permissions, OfAnonymousClientsAreAllUntilSomebodyHasSaidWhich) {
    const Identity nobody{.client_id = "c", .user_name = {}};
    const auto open = current_of({});
    for (const auto access : {Access::Publish, Access::Subscribe, Access::Receive}) {
        EXPECT_TRUE(may(Permissions(*open), nobody, access, "$lab/x"));
        EXPECT_TRUE(may(Permissions(*open), nobody, access, "a"));
    }
    EXPECT_FALSE(Permissions(*open).restricts_receiving());
    const auto by_role = current_of({}, {role("anonymous", {"allow publish a"})});
    EXPECT_TRUE(may(Permissions(*by_role), nobody, Access::Publish, "a"));
    EXPECT_FALSE(may(Permissions(*by_role), nobody, Access::Publish, "b"));
    EXPECT_TRUE(Permissions(*by_role).restricts_receiving());
    PolicyTexts texts;
    texts.is_set = true;
    EXPECT_FALSE(may(Permissions(*current_of({}, {}, {}, texts)), nobody, Access::Publish, "a"));
}

TEST(Permissions, OfTheFileReplaceRolesOfTheDatabase) {
    PolicyTexts texts;
    texts.is_set = true;
    texts.roles = {{.name = "r", .rules = {{.text = "allow publish file", .source = {}}}}};
    const auto current = current_of({user("bob", "x", {"r"})}, {role("r", {"allow publish database"})}, {}, texts);
    EXPECT_TRUE(may(Permissions(*current), named("bob"), Access::Publish, "file"));
    EXPECT_FALSE(may(Permissions(*current), named("bob"), Access::Publish, "database"));
}

TEST(Permissions, KeepWhatBelongsToTheBrokerAndItsOperator) {
    const auto current =
        current_of({user("bob", "x", {"r"})}, {role("r", {"allow all #", "allow all $SYS/#", "allow all $CONTROL/#"})});
    const Permissions permissions(*current);
    EXPECT_FALSE(may(permissions, named("bob"), Access::Publish, "$SYS/broker/uptime"));
    EXPECT_TRUE(may(permissions, named("bob"), Access::Publish, "$SYS/broker/connection/b/state"));
    EXPECT_TRUE(may(permissions, named("bob"), Access::Subscribe, "$SYS/#"));
    EXPECT_FALSE(may(permissions, named("bob"), Access::Subscribe, "$CONTROL/#"));
    const Identity the_operator{.client_id = "c", .user_name = {}, .is_operator = true};
    EXPECT_TRUE(may(permissions, the_operator, Access::Publish, "$CONTROL/chappe/v1/drops"));
    EXPECT_TRUE(may(permissions, the_operator, Access::Subscribe, "anything"));
    EXPECT_FALSE(may(permissions, the_operator, Access::Publish, "$SYS/broker/uptime"));
}

TEST(Permissions, ReasonsOutliveThePolicy) {
    const auto current = current_of({}, {role("everyone", {"deny publish a"})});
    const Permissions permissions(*current);
    const auto bob = named("bob");
    const auto decision =
        permissions.decide({.who = bob, .access = Access::Publish, .topic = "a", .qos = mqtt::QoS::AtMostOnce});
    current->replace(current_of({})->share());
    EXPECT_EQ(current->get().policy().role_names().size(), 0U);
    EXPECT_EQ(decision.reason, "denied by a rule of role everyone");
}

TEST(Permissions, RestrictReceivingWhereSomebodyMayNotReceiveAll) {
    const std::vector<accounts::Role> roles = {role("all", {"allow subscribe #"}), role("some", {"allow subscribe a"})};
    const auto restricts = [&](const std::vector<accounts::User>& users, bool from_outside = false) {
        PolicyTexts texts;
        texts.roles_from_outside = from_outside;
        return Permissions(*current_of(users, roles, {}, texts)).restricts_receiving();
    };
    EXPECT_FALSE(restricts({}));
    EXPECT_FALSE(restricts({user("u", "x", {"all"})}));
    EXPECT_TRUE(restricts({user("u", "x", {"all"}), user("v", "x", {"some"})}));
    EXPECT_TRUE(restricts({user("u", "x", {"all"})}, true));
    const auto current = current_of({user("u", "x", {"all"}), user("v", "x", {"some"})}, roles);
    EXPECT_FALSE(Permissions(*current).restricts_receiving_of(named("u")));
    EXPECT_TRUE(Permissions(*current).restricts_receiving_of(named("v")));
    EXPECT_TRUE(Permissions(*current).restricts_receiving_of(named("w")));
}

TEST(Directory, KnowsBans) {
    using accounts::Ban;
    using accounts::BanKind;
    const auto current =
        current_of({}, {},
                   {Ban{BanKind::Address, "10.0.0.0/8", std::nullopt, "noise", 0},
                    Ban{BanKind::User, "eve", 1000, "left", 0}, Ban{BanKind::Client, "c9", std::nullopt, "", 0}});
    const auto directory = current->share();
    const auto at = [](std::int64_t seconds) { return WallTime(std::chrono::seconds{seconds}); };
    EXPECT_EQ(directory->banned("10.1.2.3", "bob", "c", at(1)), "the address is banned: noise");
    EXPECT_FALSE(directory->banned("11.1.2.3", "bob", "c", at(1)));
    EXPECT_EQ(directory->banned("", "eve", "c", at(999)), "the user is banned: left");
    EXPECT_FALSE(directory->banned("", "eve", "c", at(1000)));
    EXPECT_TRUE(directory->banned("unix:/x", "", "c9", at(1)));
}

}  // namespace
}  // namespace chappe::access
