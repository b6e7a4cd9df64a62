#include "access/ldap_method.h"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/test_support.h"

namespace chappe::access {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Answer = std::vector<ldap::Entry>;

// A directory server in a few maps, which writes down what it is asked.
struct FakeServer {
    std::map<std::string, std::string, std::less<>> passwords;  // By the name of the entry.
    std::map<std::string, Answer, std::less<>> answers;         // By base and filter.
    std::optional<ldap::Error> broken;
    std::vector<std::string> asked;
    bool names_are_told_apart = false;
};

class FakeSession final : public ldap::Session {
public:
    explicit FakeSession(FakeServer& server) : server_(server) {}

    ldap::Result<void> bind(const std::string& dn, std::string_view password) override {
        server_.asked.push_back("bind " + dn);
        const auto known = server_.passwords.find(dn);
        if (known != server_.passwords.end() && known->second == password) return {};
        const bool is_nobody = server_.names_are_told_apart && known == server_.passwords.end();
        return std::unexpected(
            ldap::Error{is_nobody ? ldap::Fault::NoSuchEntry : ldap::Fault::WrongPassword, "bind as " + dn});
    }

    ldap::Result<Answer> search(const ldap::Search& wanted) override {
        const auto what = wanted.base + " " + wanted.filter;
        server_.asked.push_back("search " + what);
        const auto found = server_.answers.find(what);
        if (found == server_.answers.end()) return Answer{};
        auto entries = found->second;
        if (entries.size() > wanted.entries_max) entries.resize(wanted.entries_max);
        return entries;
    }

private:
    FakeServer& server_;
};

Credentials with(std::optional<std::string> name, std::optional<std::string> password) {
    Credentials made;
    made.user_name = std::move(name);
    if (password) made.password.emplace(*password);
    return made;
}

class ByLdap : public testing::Test {
protected:
    static constexpr auto bob = "uid=bob,ou=people";

    ByLdap() {
        server.passwords = {{bob, "secret"}, {"cn=reader", "reads"}};
        server.answers["ou=people (uid=bob)"] = {{bob, {{"uid", {"bob"}}}}};
        server.answers["ou=people (uid=BOB)"] = server.answers["ou=people (uid=bob)"];
        server.answers["uid=bob,ou=people (objectClass=*)"] = server.answers["ou=people (uid=bob)"];
        server.answers["uid=BOB,ou=people (objectClass=*)"] = server.answers["ou=people (uid=bob)"];
    }

    static LdapRules searching() {
        return {
            .base = "ou=people", .filter = "(uid=${username})", .user_name_attribute = "uid", .bind_dn = "cn=reader"};
    }
    static LdapRules direct() { return {.user_dn = "uid=${username},ou=people", .user_name_attribute = "uid"}; }
    static LdapRules with_groups(LdapRules rules) {
        rules.group_base = "ou=groups";
        rules.group_filter = "(|(member=${dn})(memberUid=${username}))";
        rules.group_attribute = "cn";
        rules.group_roles = {{"operators", "operator"}, {"Everybody", "viewer"}, {"night", "operator"}};
        return rules;
    }

    LdapMethod method(LdapRules rules, std::string_view secret = "reads") {
        auto connect = [this]() -> ldap::Result<std::unique_ptr<ldap::Session>> {
            server.asked.emplace_back("connect");
            if (server.broken) return std::unexpected(*server.broken);
            return std::make_unique<FakeSession>(server);
        };
        return {current, std::move(rules), crypto::Secret(secret), connect, [this] { return now; }};
    }

    static std::vector<std::string> roles(const Outcome& outcome) {
        return std::get<Accepted>(outcome).attributes->roles;
    }

    FakeServer server;
    std::shared_ptr<Current> current = current_of({});
    Instant now{1h};
};

TEST_F(ByLdap, FindsTheEntryAndTriesThePassword) {
    const auto ldap = method(searching());
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "accepted bob");
    EXPECT_THAT(server.asked,
                ElementsAre("connect", "bind cn=reader", "search ou=people (uid=bob)", "bind uid=bob,ou=people"));
    EXPECT_EQ(said(ldap.check(with("bob", "wrong"))),
              "refused as wrong: the password is wrong: bind as uid=bob,ou=people");
    EXPECT_EQ(said(ldap.check(with("eve", "secret"))), "declined: there is no such user");
    EXPECT_EQ(said(ldap.check(with("bob", std::nullopt))), "declined: ");
    EXPECT_EQ(said(ldap.check(with(std::nullopt, "secret"))), "declined: ");
}

TEST_F(ByLdap, BindsDirectly) {
    const auto ldap = method(direct());
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "accepted bob");
    EXPECT_THAT(server.asked,
                ElementsAre("connect", "bind uid=bob,ou=people", "search uid=bob,ou=people (objectClass=*)"));
    EXPECT_EQ(said(ldap.check(with("eve", "secret"))),
              "refused as wrong: the password is wrong, or there is no such user: bind as uid=eve,ou=people");
    server.names_are_told_apart = true;
    EXPECT_EQ(said(ldap.check(with("eve", "secret"))), "declined: there is no such user");
    server.answers.clear();
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "refused: the entry uid=bob,ou=people cannot be read");
}

// As at Active Directory: who one is comes first, and the entry is found with the user's own rights.
TEST_F(ByLdap, BindsDirectlyAndFindsTheEntryAfterwards) {
    auto rules = searching();
    rules.user_dn = "${username}@example.org";
    rules.bind_dn = "";
    server.passwords["bob@example.org"] = "secret";
    const auto ldap = method(rules);
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "accepted bob");
    EXPECT_THAT(server.asked,
                ElementsAre("connect", "bind bob@example.org", "search ou=people (uid=bob)", "bind uid=bob,ou=people"));
    server.answers.clear();
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))),
              "refused: the filter does not find the entry of a user whose password is right");
}

TEST_F(ByLdap, RefusesWhomTheFilterTakesForSomebodyElse) {
    auto rules = searching();
    rules.user_dn = "${username}@example.org";
    server.passwords["bob@example.org"] = "another";
    const auto ldap = method(with_groups(rules));
    EXPECT_EQ(said(ldap.check(with("bob", "another"))),
              "refused as wrong: the password is right, but not for the entry that the filter finds: bind as "
              "uid=bob,ou=people");
    server.passwords[bob] = "another";
    server.asked.clear();
    EXPECT_EQ(said(ldap.check(with("bob", "another"))), "accepted bob");
    EXPECT_THAT(server.asked, ElementsAre("connect", "bind bob@example.org", "bind cn=reader",
                                          "search ou=people (uid=bob)", "bind uid=bob,ou=people", "bind cn=reader",
                                          "search ou=groups (|(member=uid=bob,ou=people)(memberUid=bob))"));
}

TEST_F(ByLdap, TakesNoEmptyPasswordWhateverTheServerSays) {
    server.passwords[bob] = "";
    for (const auto& rules : {searching(), direct()}) {
        const auto ldap = method(rules);
        EXPECT_EQ(ldap.effort(with("bob", "")), Effort::Quick);
        EXPECT_EQ(said(ldap.check(with("bob", ""))), "refused as wrong: the password is empty");
        EXPECT_EQ(said(ldap.check(with("", "secret"))), "declined: the user name is empty");
    }
    EXPECT_THAT(server.asked, IsEmpty());
}

TEST_F(ByLdap, LetsNobodyInWhereTheServerCannotBeAsked) {
    server.broken = ldap::Error{ldap::Fault::Unreachable, "ldap://x: Can't contact LDAP server"};
    EXPECT_EQ(said(method(searching()).check(with("bob", "secret"))),
              "cannot tell: ldap://x: Can't contact LDAP server");
    server.broken.reset();
    EXPECT_EQ(said(method(searching(), "outdated").check(with("bob", "secret"))),
              "cannot tell: the account that looks for users (bind_dn): bind as cn=reader");
}

TEST_F(ByLdap, RefusesANameThatIsNotOnePersons) {
    server.answers["ou=people (uid=bob)"].push_back({"uid=bob,ou=others", {{"uid", {"bob"}}}});
    EXPECT_EQ(said(method(searching()).check(with("bob", "secret"))),
              "refused: more than one entry has this user name");
}

// For rules, bans and accounts, "BOB" would be somebody else.
TEST_F(ByLdap, TakesTheNameAsTheDirectorySpellsIt) {
    server.passwords["uid=BOB,ou=people"] = "secret";
    for (const auto& rules : {searching(), direct()}) {
        EXPECT_EQ(said(method(rules).check(with("BOB", "secret"))), "accepted bob");
    }
    auto& names = server.answers["ou=people (uid=BOB)"].front().attributes.front().second;
    names = {"robert", "Bob"};
    EXPECT_EQ(said(method(searching()).check(with("BOB", "secret"))), "accepted Bob");
    names = {"robert", "BOB", "bob"};
    EXPECT_EQ(said(method(searching()).check(with("BOB", "secret"))), "accepted BOB");
    names = {"robert"};  // Found by another attribute.
    EXPECT_EQ(said(method(searching()).check(with("BOB", "secret"))), "accepted robert");
    names = {""};
    EXPECT_EQ(said(method(searching()).check(with("BOB", "secret"))),
              "refused: the entry uid=bob,ou=people has no uid");
}

// Who is asked first does not know "BOB", so an entry "bob" would be enough to become the account bob.
TEST_F(ByLdap, GivesNobodyAnAccountWithAPasswordByAnotherSpelling) {
    auto rules = searching();
    rules.remembered_for = 60s;
    const auto* const refused =
        "refused: the entry found is called bob, and the account of that name has a password of "
        "its own";
    for (const auto& account : {user("bob", "here"), scram_user("bob", "here")}) {
        const auto ldap = method(rules);
        current->replace(current_of({account})->share());
        EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), refused);
        EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), refused) << "it is remembered";
        EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "accepted bob");
        current->replace(current_of({user("bob", "")})->share());
        EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "accepted bob");
    }
}

TEST_F(ByLdap, LooksForNamesThatMeanSomethingAsTheyAre) {
    static_cast<void>(method(searching()).check(with("*)(uid=${dn}", "x")));
    EXPECT_EQ(server.asked.back(), R"(search ou=people (uid=\2a\29\28uid=${dn}))");
    static_cast<void>(method(direct()).check(with("bob,ou=admins+${username}", "x")));
    EXPECT_EQ(server.asked.back(), R"(bind uid=bob\2cou\3dadmins\2b${username},ou=people)");
}

TEST_F(ByLdap, GivesRolesOfGroups) {
    server.answers["ou=groups (|(member=uid=bob,ou=people)(memberUid=bob))"] = {
        {"cn=a", {{"cn", {"everybody"}}}}, {"cn=b", {{"cn", {"Operators", "night"}}}}, {"cn=c", {{"cn", {"admins"}}}}};
    auto rules = with_groups(searching());
    rules.roles = {"device", "viewer"};
    EXPECT_THAT(roles(method(rules).check(with("BOB", "secret"))), ElementsAre("device", "viewer", "operator"));
    EXPECT_EQ(server.asked.end()[-2], "bind cn=reader");
    EXPECT_THAT(roles(method(with_groups(direct())).check(with("bob", "secret"))), ElementsAre("viewer", "operator"));
    current->replace(current_of({user("bob", "")})->share());
    EXPECT_THAT(roles(method(rules).check(with("bob", "secret"))), ElementsAre("viewer", "operator"));
}

TEST_F(ByLdap, PutsTheNameOfAnEntryIntoTheFilterAsItIs) {
    const std::string odd = R"(cn=Bob \28B*\29,ou=people)";
    server.passwords[odd] = "secret";
    server.answers["ou=people (uid=bob)"] = {{odd, {{"uid", {"bob"}}}}};
    EXPECT_EQ(said(method(with_groups(searching())).check(with("bob", "secret"))), "accepted bob");
    EXPECT_EQ(server.asked.back(), R"(search ou=groups (|(member=cn=Bob \5c28B\2a\5c29,ou=people)(memberUid=bob)))");
}

TEST_F(ByLdap, RefusesWhoIsInMoreGroupsThanItLooksAt) {
    auto& groups = server.answers["ou=groups (|(member=uid=bob,ou=people)(memberUid=bob))"];
    groups.assign(1000, {"cn=a", {{"cn", {"operators"}}}});
    EXPECT_THAT(roles(method(with_groups(searching())).check(with("bob", "secret"))), ElementsAre("operator"));
    groups.push_back(groups.front());
    EXPECT_EQ(said(method(with_groups(searching())).check(with("bob", "secret"))),
              "refused: the user is in too many groups");
}

TEST_F(ByLdap, RemembersWhoWasLetIn) {
    auto rules = searching();
    rules.remembered_for = 60s;
    const auto ldap = method(rules);
    EXPECT_EQ(ldap.effort(with("BOB", "secret")), Effort::Waits);
    EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "accepted bob");
    EXPECT_EQ(ldap.effort(with("BOB", "secret")), Effort::Quick);
    EXPECT_EQ(ldap.effort(with("BOB", "wrong")), Effort::Waits);
    EXPECT_EQ(ldap.effort(with("bob", "secret")), Effort::Waits);
    server.broken = ldap::Error{ldap::Fault::Unreachable, "down"};
    EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "accepted bob");
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "cannot tell: down");
    auto disabled = user("bob", "");
    disabled.enabled = false;
    current->replace(current_of({disabled})->share());
    EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "refused: the account bob is disabled");
    current->replace(current_of({})->share());
    now += 59500ms;
    EXPECT_EQ(ldap.effort(with("BOB", "secret")), Effort::Waits) << "it could end before it is looked for";
    EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "accepted bob");
    now += 500ms;
    EXPECT_EQ(said(ldap.check(with("BOB", "secret"))), "cannot tell: down");
}

TEST_F(ByLdap, RemembersNobodyWhereItShallNot) {
    const auto ldap = method(searching());
    EXPECT_EQ(said(ldap.check(with("bob", "secret"))), "accepted bob");
    EXPECT_EQ(ldap.effort(with("bob", "secret")), Effort::Waits);
}

TEST(AttributeOfUserName, IsWhatIsComparedWithItAlone) {
    EXPECT_EQ(attribute_of_user_name("(uid=${username})"), "uid");
    EXPECT_EQ(attribute_of_user_name("(&(objectClass=user)(sAMAccountName=${username}))"), "sAMAccountName");
    EXPECT_EQ(attribute_of_user_name("uid=${username},ou=people"), "uid");
    for (const auto* none : {"", "(uid=x)", "(mail=${username}@example.org)", "${username}@example.org",
                             "(member:1.2.3:=${username})", "(uid>=${username})", "(=${username})"}) {
        EXPECT_EQ(attribute_of_user_name(none), std::nullopt) << none;
    }
}

}  // namespace
}  // namespace chappe::access
