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

const std::string fingerprint_a(64, 'a');
const std::string fingerprint_b(64, 'b');

class Users : public test::AccountFile {
protected:
    Users() { must(accounts.add_user({.name = "bob", .password = {"hash", "keys"}, .roles = {"viewer"}}, 100)); }

    User bob() { return must(accounts.find_user("bob")).value(); }
};

TEST_F(Users, AreAsTheyWereAdded) {
    const User expected{.name = "bob",
                        .password = {"hash", "keys"},
                        .enabled = true,
                        .created_at = 100,
                        .changed_at = 100,
                        .roles = {"viewer"}};
    EXPECT_EQ(bob(), expected);
    const User anna{.name = "anna",
                    .enabled = false,
                    .created_at = 101,
                    .changed_at = 101,
                    .comment = "in the workshop",
                    .roles = {"admin", "editor"}};
    must(accounts.add_user(
        {.name = "anna", .enabled = false, .comment = "in the workshop", .roles = {"editor", "admin", "editor"}}, 101));
    EXPECT_THAT(must(accounts.users()), ElementsAre(anna, expected));
    EXPECT_EQ(must(accounts.find_user("carl")), std::nullopt);
}

TEST_F(Users, ExistOnce) {
    const auto error = fault(accounts.add_user({.name = "bob"}, 200));
    EXPECT_EQ(error.fault, Fault::UserExists);
    EXPECT_EQ(error.text, "the user bob exists already");
    must(accounts.add_user({.name = "Bob"}, 200));
    EXPECT_EQ(bob().password.hash, "hash");
}

TEST_F(Users, AreAddedWithAllTheirRolesOrNotAtAll) {
    const auto error = fault(accounts.add_user({.name = "anna", .roles = {"admin", "nothing"}}, 200));
    EXPECT_EQ(error.fault, Fault::NoSuchRole);
    EXPECT_EQ(error.text, "there is no role nothing");
    EXPECT_EQ(must(accounts.find_user("anna")), std::nullopt);
}

TEST_F(Users, NeedAValidName) {
    EXPECT_EQ(fault(accounts.add_user({.name = ""}, 200)).fault, Fault::Invalid);
    EXPECT_EQ(fault(accounts.add_user({.name = "an\nna"}, 200)).text, "the user name has control characters");
    EXPECT_EQ(fault(accounts.add_user({.name = "anna", .password = {""}}, 200)).fault, Fault::Invalid);
    EXPECT_EQ(fault(accounts.add_user({.name = "anna", .comment = "\xFF"}, 200)).fault, Fault::Invalid);
    EXPECT_EQ(must(accounts.users()).size(), 1U);
}

TEST_F(Users, AreRemovedWithAllThatIsTheirs) {
    must(accounts.pin("bob", fingerprint_a, 100));
    must(accounts.remove_user("bob"));
    EXPECT_THAT(must(accounts.users()), IsEmpty());
    must(accounts.add_user({.name = "bob"}, 200));
    EXPECT_THAT(bob().roles, IsEmpty());
    EXPECT_THAT(bob().fingerprints, IsEmpty());
}

TEST_F(Users, ThatAreNotThereAreNotChanged) {
    const std::vector<std::string> roles{"admin"};
    for (const auto& result : {accounts.remove_user("eve"), accounts.set_password("eve", {"x"}, 1),
                               accounts.set_enabled("eve", true, 1), accounts.set_comment("eve", "", 1),
                               accounts.set_roles("eve", roles, 1), accounts.grant_role("eve", "admin", 1),
                               accounts.revoke_role("eve", "admin", 1), accounts.pin("eve", fingerprint_a, 1)}) {
        EXPECT_EQ(fault(result).fault, Fault::NoSuchUser);
        EXPECT_EQ(fault(result).text, "there is no user eve");
    }
    EXPECT_EQ(fault(accounts.remove_user("e\nve")).text, "there is no user of that name");
}

TEST_F(Users, LoseTheirKeysWithTheirPassword) {
    must(accounts.set_password("bob", {.hash = "new"}, 200));
    EXPECT_EQ(bob().password, (Password{.hash = "new"}));
    EXPECT_EQ(bob().changed_at, 200);
    EXPECT_EQ(bob().created_at, 100);
    must(accounts.set_password("bob", {}, 201));
    EXPECT_EQ(bob().password, Password());
}

TEST_F(Users, AreDisabledAndEnabled) {
    must(accounts.set_enabled("bob", false, 200));
    EXPECT_FALSE(bob().enabled);
    EXPECT_EQ(bob().changed_at, 200);
    must(accounts.set_enabled("bob", true, 201));
    EXPECT_TRUE(bob().enabled);
}

TEST_F(Users, HaveAComment) {
    must(accounts.set_comment("bob", "left", 200));
    EXPECT_EQ(bob().comment, "left");
    EXPECT_EQ(bob().changed_at, 200);
}

TEST_F(Users, AreGivenRoles) {
    must(accounts.grant_role("bob", "device", 200));
    EXPECT_THAT(bob().roles, ElementsAre("device", "viewer"));
    EXPECT_EQ(bob().changed_at, 200);
    must(accounts.grant_role("bob", "device", 201));
    EXPECT_EQ(bob().changed_at, 200);
    must(accounts.revoke_role("bob", "viewer", 202));
    EXPECT_THAT(bob().roles, ElementsAre("device"));
    must(accounts.revoke_role("bob", "viewer", 203));
    EXPECT_EQ(bob().changed_at, 202);
    const std::vector<std::string> roles{"viewer", "editor", "viewer"};
    must(accounts.set_roles("bob", roles, 204));
    EXPECT_THAT(bob().roles, ElementsAre("editor", "viewer"));
    must(accounts.set_roles("bob", {}, 205));
    EXPECT_THAT(bob().roles, IsEmpty());
}

TEST_F(Users, KeepTheirRolesWhereOneIsNotThere) {
    const std::vector<std::string> roles{"admin", "nothing"};
    EXPECT_EQ(fault(accounts.set_roles("bob", roles, 200)).fault, Fault::NoSuchRole);
    EXPECT_EQ(fault(accounts.grant_role("bob", "nothing", 200)).fault, Fault::NoSuchRole);
    EXPECT_EQ(fault(accounts.revoke_role("bob", "nothing", 200)).fault, Fault::NoSuchRole);
    EXPECT_THAT(bob().roles, ElementsAre("viewer"));
    EXPECT_EQ(bob().changed_at, 100);
}

TEST_F(Users, HavePinnedCertificates) {
    must(accounts.add_user({.name = "anna"}, 100));
    must(accounts.pin("bob", fingerprint_b, 200));
    must(accounts.pin("bob", fingerprint_a, 201));
    must(accounts.pin("bob", fingerprint_a, 202));
    EXPECT_THAT(bob().fingerprints, ElementsAre(fingerprint_a, fingerprint_b));
    EXPECT_EQ(bob().changed_at, 201);
    const auto taken = fault(accounts.pin("anna", fingerprint_a, 203));
    EXPECT_EQ(taken.fault, Fault::FingerprintTaken);
    EXPECT_EQ(taken.text, "the certificate is pinned to the user bob already");
    EXPECT_EQ(fault(accounts.pin("anna", "abc", 203)).fault, Fault::Invalid);

    must(accounts.unpin(fingerprint_a, 204));
    EXPECT_THAT(bob().fingerprints, ElementsAre(fingerprint_b));
    EXPECT_EQ(bob().changed_at, 204);
    EXPECT_EQ(fault(accounts.unpin(fingerprint_a, 205)).fault, Fault::NoSuchFingerprint);
    must(accounts.pin("anna", fingerprint_a, 206));
}

TEST_F(Users, AreBounded) {
    auto bounded = open({.users = 2, .roles_per_user = 1, .fingerprints_per_user = 1});
    must(bounded.add_user({.name = "anna", .roles = {"admin"}}, 1));
    const auto error = fault(bounded.add_user({.name = "carl"}, 1));
    EXPECT_EQ(error.fault, Fault::LimitReached);
    EXPECT_EQ(error.text, "users: there may be at most 2");
    const std::vector<ImportedUser> one_more{{.name = "anna"}, {.name = "carl"}};
    EXPECT_EQ(fault(bounded.import(one_more, OnExisting::Keep, 1)).fault, Fault::LimitReached);

    EXPECT_EQ(fault(bounded.grant_role("anna", "viewer", 1)).fault, Fault::LimitReached);
    const std::vector<std::string> roles{"admin", "viewer"};
    EXPECT_EQ(fault(bounded.set_roles("anna", roles, 1)).fault, Fault::LimitReached);
    must(bounded.pin("anna", fingerprint_a, 1));
    EXPECT_EQ(fault(bounded.pin("anna", fingerprint_b, 1)).fault, Fault::LimitReached);

    const auto anna = must(bounded.find_user("anna")).value();
    EXPECT_THAT(anna.roles, ElementsAre("admin"));
    EXPECT_THAT(anna.fingerprints, ElementsAre(fingerprint_a));
    EXPECT_EQ(must(bounded.users()).size(), 2U);
}

const std::vector<ImportedUser> imported{
    {.name = "anna", .password = {"a"}, .roles = std::vector<std::string>{"editor"}},
    {.name = "bob", .password = {"b"}},
};

TEST_F(Users, AreImportedBesideThoseWhoStay) {
    const auto report = must(accounts.import(imported, OnExisting::Keep, 200));
    EXPECT_THAT(report.added, ElementsAre("anna"));
    EXPECT_THAT(report.changed, IsEmpty());
    EXPECT_THAT(report.skipped, ElementsAre("bob"));
    EXPECT_EQ(bob().password.hash, "hash");
    EXPECT_EQ(bob().changed_at, 100);
    const User anna{.name = "anna", .password = {"a"}, .created_at = 200, .changed_at = 200, .roles = {"editor"}};
    EXPECT_EQ(must(accounts.find_user("anna")), anna);
}

TEST_F(Users, AreImportedInsteadOfThoseWhoWereThere) {
    must(accounts.set_enabled("bob", false, 150));
    const auto report = must(accounts.import(imported, OnExisting::Replace, 200));
    EXPECT_THAT(report.added, ElementsAre("anna"));
    EXPECT_THAT(report.changed, ElementsAre("bob"));
    EXPECT_EQ(bob().password, Password{.hash = "b"});
    EXPECT_EQ(bob().changed_at, 200);
    EXPECT_THAT(bob().roles, ElementsAre("viewer"));
    EXPECT_FALSE(bob().enabled);

    const auto again = must(accounts.import(imported, OnExisting::Replace, 300));
    EXPECT_THAT(again.skipped, ElementsAre("anna", "bob"));
    EXPECT_EQ(bob().changed_at, 200);

    const std::vector<ImportedUser> other_roles{{.name = "bob", .password = {"b"}, .roles = {{"editor", "admin"}}}};
    EXPECT_THAT(must(accounts.import(other_roles, OnExisting::Replace, 400)).changed, ElementsAre("bob"));
    EXPECT_THAT(bob().roles, ElementsAre("admin", "editor"));
}

TEST_F(Users, AreImportedAllOrNone) {
    auto users = imported;
    users.push_back({.name = "carl", .roles = std::vector<std::string>{"nothing"}});
    const auto error = fault(accounts.import(users, OnExisting::Replace, 200));
    EXPECT_EQ(error.fault, Fault::NoSuchRole);
    EXPECT_EQ(error.text, "carl: there is no role nothing");
    users.back() = {.name = "\xFF"};
    EXPECT_EQ(fault(accounts.import(users, OnExisting::Replace, 200)).text, "user 3: the user name is not valid UTF-8");
    EXPECT_EQ(must(accounts.users()).size(), 1U);
    EXPECT_EQ(bob().password.hash, "hash");
}

}  // namespace
}  // namespace chappe::accounts
