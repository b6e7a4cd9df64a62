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

using Bans = test::AccountFile;

const Ban address{.kind = BanKind::Address, .value = "192.0.2.7", .until = 200, .reason = "flood", .created_at = 100};
const Ban user{.kind = BanKind::User, .value = "eve", .created_at = 101};
const Ban client{.kind = BanKind::Client, .value = "pump 7/#", .until = 300, .created_at = 102};

TEST_F(Bans, AreAsTheyWereAdded) {
    must(accounts.add_ban(user));
    must(accounts.add_ban(client));
    must(accounts.add_ban(address));
    EXPECT_THAT(must(accounts.bans()), ElementsAre(address, client, user));
}

TEST_F(Bans, ReplaceOneAnother) {
    must(accounts.add_ban(address));
    auto again = address;
    again.until = std::nullopt;
    again.value = "::ffff:192.0.2.7";
    must(accounts.add_ban(again));
    again.value = address.value;
    EXPECT_THAT(must(accounts.bans()), ElementsAre(again));
}

TEST_F(Bans, EndAtTheirTime) {
    for (const auto& ban : {address, user, client}) must(accounts.add_ban(ban));
    EXPECT_EQ(must(accounts.expire_bans(199)), 0U);
    EXPECT_EQ(must(accounts.expire_bans(200)), 1U);
    EXPECT_THAT(must(accounts.bans()), ElementsAre(client, user));
    EXPECT_EQ(must(accounts.expire_bans(INT64_MAX)), 1U);
    EXPECT_THAT(must(accounts.bans()), ElementsAre(user));
}

TEST_F(Bans, AreRemoved) {
    must(accounts.add_ban({.kind = BanKind::Address, .value = "2001:DB8:0::/32"}));
    must(accounts.remove_ban(BanKind::Address, "2001:db8::1/32"));
    EXPECT_THAT(must(accounts.bans()), IsEmpty());
    const auto error = fault(accounts.remove_ban(BanKind::User, "eve"));
    EXPECT_EQ(error.fault, Fault::NoSuchBan);
    EXPECT_EQ(error.text, "there is no ban of the user eve");
}

TEST_F(Bans, HaveValidValues) {
    EXPECT_EQ(fault(accounts.add_ban({.kind = BanKind::Address, .value = "192.0.2.256"})).text,
              "'192.0.2.256' is no IP address and no network such as 192.0.2.0/24");
    EXPECT_EQ(fault(accounts.add_ban({.kind = BanKind::User, .value = ""})).fault, Fault::Invalid);
    EXPECT_EQ(fault(accounts.add_ban({.kind = BanKind::Client, .value = "\xFF"})).fault, Fault::Invalid);
    EXPECT_EQ(fault(accounts.add_ban({.kind = BanKind::User, .value = "eve", .reason = "\n"})).fault, Fault::Invalid);
    EXPECT_THAT(must(accounts.bans()), IsEmpty());
}

TEST_F(Bans, AreBounded) {
    auto bounded = open({.bans = 1});
    must(bounded.add_ban(user));
    must(bounded.add_ban(user));
    EXPECT_EQ(fault(bounded.add_ban(client)).text, "bans: there may be at most 1");
    EXPECT_THAT(must(bounded.bans()), ElementsAre(user));
}

}  // namespace
}  // namespace chappe::accounts
