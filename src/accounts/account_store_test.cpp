#include "accounts/account_store.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "accounts/schema.h"
#include "accounts/test_support.h"
#include "store/transaction.h"

namespace chappe::accounts {
namespace {

using test::fault;
using test::must;
using testing::IsEmpty;

using Accounts = test::AccountFile;

store::Database raw(const std::string& path) {
    return store::test::must(store::Database::open(path, {.application_id = application_id}));
}

TEST_F(Accounts, AreForTheOwnerOfTheFileOnly) { EXPECT_EQ(store::test::mode_of(path), 0600U); }

TEST_F(Accounts, OfAnEmptyFileHaveChanged) {
    EXPECT_TRUE(must(accounts.changed()));
    const auto snapshot = must(accounts.snapshot());
    EXPECT_EQ(snapshot.roles.size(), 4U);
    EXPECT_THAT(snapshot.users, IsEmpty());
    EXPECT_THAT(snapshot.bans, IsEmpty());
    EXPECT_FALSE(must(accounts.changed()));
}

TEST_F(Accounts, TellWhatAnotherProcessHasChanged) {
    auto server = open();
    const auto before = must(server.snapshot());
    EXPECT_FALSE(must(server.changed()));
    must(accounts.add_user({.name = "bob", .roles = {"viewer"}}, 100));
    EXPECT_TRUE(must(server.changed()));
    EXPECT_TRUE(must(server.changed()));
    const auto after = must(server.snapshot());
    EXPECT_NE(after.data_version, before.data_version);
    ASSERT_EQ(after.users.size(), 1U);
    EXPECT_EQ(after.users[0].name, "bob");
    EXPECT_FALSE(must(server.changed()));
}

TEST_F(Accounts, TellWhatTheyHaveChangedThemselves) {
    must(accounts.snapshot());
    must(accounts.add_user({.name = "bob"}, 100));
    EXPECT_TRUE(must(accounts.changed()));
    must(accounts.snapshot());
    EXPECT_EQ(fault(accounts.add_user({.name = "bob"}, 100)).fault, Fault::UserExists);
    EXPECT_EQ(must(accounts.expire_bans(100)), 0U);
    EXPECT_FALSE(must(accounts.changed()));
}

TEST_F(Accounts, OfASnapshotBelongTogether) {
    must(accounts.add_user({.name = "anna", .roles = {"admin"}}, 100));
    must(accounts.add_user({.name = "bob", .roles = {"device", "viewer"}}, 100));
    must(accounts.add_user({.name = "carl"}, 100));
    must(accounts.pin("bob", std::string(64, '0'), 100));
    must(accounts.add_ban({.kind = BanKind::User, .value = "eve"}));
    const auto snapshot = must(accounts.snapshot());
    EXPECT_EQ(snapshot.users, must(accounts.users()));
    EXPECT_EQ(snapshot.roles, must(accounts.roles()));
    EXPECT_EQ(snapshot.bans, must(accounts.bans()));
    ASSERT_EQ(snapshot.users.size(), 3U);
    for (const auto& user : snapshot.users) EXPECT_EQ(must(accounts.find_user(user.name)), user);
    EXPECT_EQ(snapshot.users[1].roles, (std::vector<std::string>{"device", "viewer"}));
    EXPECT_EQ(snapshot.users[1].fingerprints, std::vector{std::string(64, '0')});
}

TEST_F(Accounts, MayBeChangedByManyAtOnce) {
    constexpr int users_each = 10;
    const auto add = [&](const std::string& prefix) {
        auto own = open();
        for (int i = 0; i < users_each; ++i) must(own.add_user({.name = prefix + std::to_string(i)}, 100));
    };
    {
        const std::jthread one(add, "a");
        const std::jthread two(add, "b");
        const std::jthread three(add, "c");
    }
    EXPECT_EQ(must(accounts.users()).size(), 3U * users_each);
}

TEST_F(Accounts, ThatAreBusySayIt) {
    auto other = raw(path);
    const auto transaction = store::test::must(store::Transaction::write(other));
    auto hasty = must(AccountStore::open(path, {.busy_timeout = std::chrono::milliseconds(1)}));
    const auto error = fault(hasty.add_user({.name = "bob"}, 100));
    EXPECT_EQ(error.fault, Fault::Storage);
    ASSERT_TRUE(error.storage.has_value());
    EXPECT_TRUE(error.storage->is_busy());
    EXPECT_EQ(must(hasty.users()).size(), 0U);
}

TEST_F(Accounts, SurviveWhatPeopleDoByHand) {
    must(accounts.add_user({.name = "anna", .roles = {"viewer"}}, 100));
    must(accounts.add_user({.name = "bob", .roles = {"viewer"}}, 100));
    must(accounts.add_user({.name = "carl", .roles = {"viewer"}}, 100));
    must(accounts.pin("carl", std::string(64, '0'), 100));
    {
        auto by_hand = raw(path);
        store::test::must(
            by_hand.execute("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE name IN ('anna', 'carl');"
                            "DELETE FROM roles WHERE name IN ('admin', 'viewer')"));
    }
    const auto snapshot = must(accounts.snapshot());
    ASSERT_EQ(snapshot.users.size(), 1U);
    EXPECT_EQ(snapshot.users[0].roles, std::vector<std::string>{"viewer"});
    ASSERT_EQ(snapshot.roles.size(), 2U);
    EXPECT_EQ(snapshot.roles[0].rules.size(), 2U);
    EXPECT_EQ(snapshot.roles[1].rules.size(), 1U);
    must(accounts.unpin(std::string(64, '0'), 200));
    must(accounts.pin("bob", std::string(64, '0'), 200));
    // Who takes the name of somebody whose roles were left is not given them.
    must(accounts.add_user({.name = "anna"}, 200));
    EXPECT_THAT(must(accounts.find_user("anna")).value().roles, IsEmpty());
}

TEST_F(Accounts, KeepASecretForEachName) {
    EXPECT_EQ(must(accounts.secret("scram", "first")), "first");
    EXPECT_EQ(must(accounts.secret("scram", "second")), "first");
    EXPECT_EQ(must(accounts.secret("other", "third")), "third");
    EXPECT_EQ(must(must(AccountStore::open(path)).secret("scram", "fourth")), "first");
}

TEST_F(Accounts, OfAFileThatIsNotOursAreNotOpened) {
    const auto other = folder.file("other.db");
    store::test::write_file(other, std::string(4'096, 'x'));
    const auto error = fault(AccountStore::open(other));
    EXPECT_EQ(error.fault, Fault::Storage);
    EXPECT_EQ(error.text, "cannot read " + other + ": it is not a database of SQLite");
    EXPECT_EQ(fault(AccountStore::open(folder.file("nowhere/chappe.db"))).text,
              "cannot create " + folder.file("nowhere/chappe.db") + ": No such file or directory");
}

TEST_F(Accounts, OfANewerChappeAreNotOpened) {
    store::test::must(raw(path).execute("PRAGMA user_version = 1000"));
    const auto error = fault(AccountStore::open(path));
    ASSERT_TRUE(error.storage.has_value());
    EXPECT_TRUE(error.storage->is_foreign());
}

TEST_F(Accounts, AreLookedAtWithoutATrace) {
    must(accounts.add_user({.name = "bob", .roles = {"viewer"}}, 100));
    auto looker = must(AccountStore::look_at(path));
    EXPECT_EQ(must(looker.snapshot()).users, must(accounts.users()));
    EXPECT_EQ(fault(looker.remove_user("bob")).fault, Fault::Storage);
    EXPECT_EQ(must(accounts.users()).size(), 1U);
    const auto nowhere = folder.file("none.db");
    EXPECT_EQ(fault(AccountStore::look_at(nowhere)).fault, Fault::Storage);
    EXPECT_FALSE(std::filesystem::exists(nowhere));
    store::test::must(raw(path).execute("PRAGMA user_version = 0"));
    EXPECT_TRUE(fault(AccountStore::look_at(path)).storage->is_foreign());
}

}  // namespace
}  // namespace chappe::accounts
