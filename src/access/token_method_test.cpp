#include "access/token_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/test_support.h"
#include "crypto/base64.h"
#include "crypto/digest.h"

namespace chappe::access {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr std::string_view key = "0123456789abcdef0123456789abcdef";

std::string token(const json& claims, std::string_view signed_with = key, const json& header = {{"alg", "HS256"}}) {
    const auto encoded = [](std::string_view text) { return crypto::encode_base64(text, crypto::Base64::Url); };
    const auto text = encoded(header.dump()) + '.' + encoded(claims.dump());
    return text + '.' + encoded(crypto::hmac(crypto::Hash::Sha256, signed_with, text));
}

std::int64_t seconds_from_now(std::int64_t seconds) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count() + seconds;
}

json claims_of(std::string_view name) { return {{"sub", name}, {"exp", seconds_from_now(100)}}; }

Credentials with_password(std::string_view password, std::string client_id = "c") {
    Credentials credentials;
    credentials.client_id = std::move(client_id);
    credentials.password.emplace(password);
    return credentials;
}

TokenMethod method_with(TokenRules rules = {}, std::shared_ptr<Current> current = current_of({})) {
    rules.algorithms = {crypto::SignatureAlgorithm::HS256};
    auto keys = std::make_shared<const crypto::KeySet>(crypto::KeySet::from_secret(crypto::Secret(key)));
    return {std::move(current), std::move(rules), std::move(keys)};
}

std::string said(const TokenMethod& method, const json& claims) {
    return said(method.check(with_password(token(claims))));
}

const broker::Attributes& attributes(const Outcome& outcome) { return *std::get<Accepted>(outcome).attributes; }

TEST(TokenMethod, TakesWhatIsSignedAndDeclinesWhatIsNoToken) {
    const auto method = method_with();
    EXPECT_EQ(said(method, claims_of("pump-7")), "accepted pump-7");
    EXPECT_EQ(said(method.check(with_password("secret"))), "declined: the password is not a token");
    EXPECT_EQ(said(method.check(with_password("a.b.c"))), "declined: the password is not a token");
    EXPECT_EQ(said(method.check({})), "declined: no token as the password");
    const auto forged = token(claims_of("pump-7"), "another key");
    EXPECT_EQ(said(method.check(with_password(forged))), "refused: token: its signature is wrong");
    EXPECT_EQ(said(method, {{"sub", "x"}, {"exp", seconds_from_now(-100)}}), "refused: token: it has expired (exp)");
    EXPECT_EQ(said(method, {{"sub", "x"}}), "refused: token: it has no end (exp)");
    EXPECT_EQ(said(method, {{"exp", seconds_from_now(100)}}), "refused: the token has no user name (sub)");
    EXPECT_EQ(method.effort(with_password(forged)), Effort::Computes);
    EXPECT_EQ(method.effort(with_password("secret")), Effort::Quick);
}

TEST(TokenMethod, EndsWithTheToken) {
    const auto end = seconds_from_now(100);
    const auto expires_at = [](const TokenMethod& method, std::int64_t exp) {
        return std::get<Accepted>(method.check(with_password(token({{"sub", "x"}, {"exp", exp}})))).expires_at;
    };
    EXPECT_EQ(expires_at(method_with({.leeway = 5s}), end), WallTime(std::chrono::seconds{end + 5}));
    const auto endless = method_with({.expires = false});
    EXPECT_EQ(std::get<Accepted>(endless.check(with_password(token({{"sub", "x"}})))).expires_at, std::nullopt);
    // Further away than the clock can say.
    EXPECT_GT(expires_at(method_with(), std::int64_t{1} << 52), WallTime(std::chrono::seconds{end}));
}

TEST(TokenMethod, FindsClaimsByTheirWholeNameOrByAPath) {
    auto claims = claims_of("x");
    claims["user"] = {{"name", "inner"}};
    EXPECT_EQ(said(method_with({.user_name_claim = "user.name"}), claims), "accepted inner");
    claims["user.name"] = "whole";
    EXPECT_EQ(said(method_with({.user_name_claim = "user.name"}), claims), "accepted whole");
    claims["number"] = 17;
    EXPECT_EQ(said(method_with({.user_name_claim = "number"}), claims), "accepted 17");
    for (const auto& no_name : {json(), json(""), json::array({"x"}), json(1.5)}) {
        claims["odd"] = no_name;
        EXPECT_EQ(said(method_with({.user_name_claim = "odd"}), claims), "refused: the token has no user name (odd)");
    }
}

TEST(TokenMethod, IsGoodForOneClientIdentifierWhereItSaysSo) {
    const auto method = method_with({.client_id_claim = "cid"});
    auto claims = claims_of("x");
    const auto refused = "refused: the token is not for this client identifier (cid)";
    EXPECT_EQ(said(method.check(with_password(token(claims), "sensor"))), refused);
    claims["cid"] = "sensor";
    EXPECT_EQ(said(method.check(with_password(token(claims), "sensor"))), "accepted x");
    EXPECT_EQ(said(method.check(with_password(token(claims), "other"))), refused);
}

TEST(TokenMethod, GivesRolesThatAreAllowed) {
    const auto with_account = current_of({user("bob", "")});
    const TokenRules rules{.roles_claim = "roles", .roles_allowed = {"viewer", "editor"}, .roles = {"device"}};
    const auto method = method_with(rules, with_account);
    const auto roles = [&](std::string_view name, const json& given) {
        auto claims = claims_of(name);
        claims["roles"] = given;
        return attributes(method.check(with_password(token(claims)))).roles;
    };
    EXPECT_THAT(roles("eve", {"admin", "viewer", "viewer", 7}), ElementsAre("device", "viewer"));
    EXPECT_THAT(roles("eve", "editor  admin"), ElementsAre("device", "editor"));
    EXPECT_THAT(roles("eve", nullptr), ElementsAre("device"));
    EXPECT_THAT(roles("bob", {"viewer"}), ElementsAre("viewer"));  // Besides those of the account.
    auto claims = claims_of("bob");
    claims["roles"] = {"viewer"};
    EXPECT_THAT(attributes(method_with({}, with_account).check(with_password(token(claims)))).roles, IsEmpty());
}

TEST(TokenMethod, MakesClaimsKnownToRules) {
    auto claims = claims_of("x");
    claims.erase("exp");
    claims["site"] = "north";
    claims["floor"] = 3;
    claims["night"] = true;
    claims["list"] = {1};
    const auto outcome = method_with({.expires = false}).check(with_password(token(claims)));
    EXPECT_THAT(attributes(outcome).claims, UnorderedElementsAre(Pair("sub", "x"), Pair("site", "north"),
                                                                 Pair("floor", "3"), Pair("night", "true")));
}

TEST(TokenMethod, RefusesDisabledAccounts) {
    auto bob = user("bob", "");
    bob.enabled = false;
    EXPECT_EQ(said(method_with({}, current_of({bob})), claims_of("bob")), "refused: the account bob is disabled");
}

TEST(TokenMethod, TellsOfKeysThatAreMissing) {
    const auto encoded = crypto::encode_base64(key, crypto::Base64::Url);
    auto set = crypto::KeySet::from_json(R"({"kty":"oct","kid":"old","k":")" + encoded + "\"}");
    ASSERT_TRUE(set.has_value()) << set.error();
    int missed = 0;
    const auto method = [&](std::shared_ptr<const crypto::KeySet> keys) {
        return TokenMethod(current_of({}), {.algorithms = {crypto::SignatureAlgorithm::HS256}}, std::move(keys),
                           [&missed] { ++missed; });
    };
    const auto with_old = method(std::make_shared<const crypto::KeySet>(*std::move(set)));
    const auto of = [](std::string_view id) { return token(claims_of("bob"), key, {{"alg", "HS256"}, {"kid", id}}); };
    EXPECT_EQ(said(with_old.check(with_password(of("old")))), "accepted bob");
    EXPECT_EQ(said(with_old.check(with_password("no token"))), "declined: the password is not a token");
    EXPECT_EQ(missed, 0);
    EXPECT_EQ(said(with_old.check(with_password(of("new")))),
              "refused: token: there is no key for its algorithm (alg) and key id (kid)");
    EXPECT_EQ(missed, 1);
    EXPECT_EQ(said(method(nullptr).check(with_password(of("old")))),
              "cannot tell: the keys that tokens are checked with are not there yet");
    EXPECT_EQ(missed, 2);
}

}  // namespace
}  // namespace chappe::access
