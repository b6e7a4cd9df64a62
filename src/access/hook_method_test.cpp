#include "access/hook_method.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "access/test_support.h"

namespace chappe::access {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

http::Response response(unsigned status, std::string body = {}) {
    return {.status = status, .headers = {}, .body = std::move(body)};
}

Credentials bob(std::string_view password = "secret") {
    Credentials made;
    made.address = "1.2.3.4";
    made.client_id = "pump";
    made.user_name = "bob";
    made.password.emplace(password);
    return made;
}

std::shared_ptr<const Certificate> certificate(std::string common_name = "pump-7") {
    return std::make_shared<const Certificate>(Certificate{.subject = "CN=" + common_name,
                                                           .common_name = std::move(common_name),
                                                           .dns_names = {},
                                                           .emails = {},
                                                           .uris = {},
                                                           .serial = "2A",
                                                           .fingerprint_sha256 = "abcd"});
}

const broker::Attributes& attributes(const Outcome& outcome) { return *std::get<Accepted>(outcome).attributes; }

// A method whose server answers what the test says, at a time that the test says.
struct Hook {
    explicit Hook(HookMethod::Rules rules = {}, std::shared_ptr<Current> who = current_of({}))
        : current(std::move(who)),
          method(
              current, std::move(rules),
              [this](crypto::Secret question) {
                  questions.emplace_back(question.reveal());
                  return answer;
              },
              [this] { return now; }) {}

    [[nodiscard]] std::string says(const Credentials& credentials = bob()) const {
        return said(method.check(credentials));
    }
    [[nodiscard]] std::string says(unsigned status, const std::string& body = {}) {
        answer = response(status, body);
        return says();
    }
    void advance(Duration duration) {
        now.instant += duration;
        now.wall += duration;
    }

    std::shared_ptr<Current> current;
    Moment now{.instant = Instant(1h), .wall = WallTime(1'000'000s)};
    std::expected<http::Response, std::string> answer = response(204);
    std::vector<std::string> questions;
    HookMethod method;
};

TEST(HookMethod, SendsWhatTheClientHasBroughtAndNothingElse) {
    Hook hook;
    auto who = bob();
    EXPECT_EQ(hook.says(who), "accepted bob");
    EXPECT_EQ(hook.questions.back(),
              R"({"address":"1.2.3.4","client_id":"pump","password":"secret","user_name":"bob"})");
    who = {};
    who.certificate = certificate();
    EXPECT_EQ(hook.says(who), "accepted pump-7");
    EXPECT_EQ(hook.questions.back(),
              R"({"certificate":{"cn":"pump-7","fingerprint":"abcd","serial":"2A","subject":"CN=pump-7"}})");
    who = {};
    who.psk_identity = std::make_shared<const std::string>("valve-3");
    EXPECT_EQ(hook.says(who), "accepted valve-3");
    EXPECT_EQ(hook.questions.back(), R"({"psk_identity":"valve-3"})");
    who = bob("\xFF");  // A password is any bytes.
    EXPECT_EQ(hook.says(who), "accepted bob");
    EXPECT_EQ(json::parse(hook.questions.back())["password_base64"], "/w==");
    EXPECT_FALSE(json::parse(hook.questions.back()).contains("password"));
}

TEST(HookMethod, IsNotAskedAboutWhoBringsNothing) {
    Hook hook;
    Credentials nobody;
    nobody.client_id = "pump";
    EXPECT_EQ(hook.method.effort(nobody), Effort::Quick);
    EXPECT_EQ(hook.says(nobody), "declined: ");
    EXPECT_THAT(hook.questions, IsEmpty());
}

TEST(HookMethod, ReadsTheAnswer) {
    Hook hook;
    EXPECT_EQ(hook.says(200, R"({"result":"allow"})"), "accepted bob");
    EXPECT_EQ(hook.says(200, R"({"result":"allow","user_name":"carol","more":[1]})"), "accepted carol");
    EXPECT_EQ(hook.says(204), "accepted bob");
    EXPECT_EQ(hook.says(200, R"({"result":"deny"})"), "refused as wrong: denied");
    EXPECT_EQ(hook.says(200, R"({"result":"deny","reason":"not paid"})"), "refused as wrong: denied: not paid");
    EXPECT_EQ(hook.says(401), "cannot tell: the server does not take the secret of the broker (401)");
    EXPECT_EQ(hook.says(403), "refused as wrong: denied with status 403");
    EXPECT_EQ(hook.says(404), "declined: the server does not know the client (404)");
    EXPECT_EQ(hook.says(200, R"({"result":"ignore"})"), "declined: not for this server to say");
}

TEST(HookMethod, LetsNobodyInWhoseAnswerIsNotClear) {
    Hook hook;
    const auto unreadable = [&](const std::string& body) {
        static constexpr std::string_view prefix = "cannot tell: the answer cannot be read: ";
        const auto text = hook.says(200, body);
        return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
    };
    EXPECT_EQ(unreadable(""), "it is not a JSON object");
    EXPECT_EQ(unreadable("allow"), "it is not a JSON object");
    EXPECT_EQ(unreadable(R"({"result":"deny","result":"allow"})"), "it is not a JSON object");
    EXPECT_EQ(unreadable("{}"), "result is none of allow, deny and ignore");
    EXPECT_EQ(unreadable(R"({"result":true})"), "result is none of allow, deny and ignore");
    EXPECT_EQ(unreadable(R"({"result":"Allow"})"), "result is none of allow, deny and ignore");
    EXPECT_EQ(unreadable(R"({"result":"allow","user_name":7})"), "user_name is not a text");
    EXPECT_EQ(unreadable(R"({"result":"allow","roles":"admin"})"), "roles is not an array of texts");
    EXPECT_EQ(unreadable(R"({"result":"allow","roles":[1]})"), "roles is not an array of texts");
    EXPECT_EQ(unreadable(R"({"result":"allow","attributes":["a"]})"), "attributes is not an object of texts");
    EXPECT_EQ(unreadable(R"({"result":"allow","attributes":{"a":1}})"), "attributes is not an object of texts");
    EXPECT_EQ(unreadable(R"({"result":"allow","expires_at":"soon"})"),
              "expires_at is not a number of seconds since 1970");
    EXPECT_EQ(unreadable(R"({"result":"allow","expires_at":-1})"), "expires_at is not a number of seconds since 1970");
    for (const auto status : {201U, 302U, 400U, 407U, 429U, 500U, 503U}) {
        EXPECT_EQ(hook.says(status, R"({"result":"allow"})"),
                  "cannot tell: the server has answered with status " + std::to_string(status));
    }
    hook.answer = std::unexpected("http://h has not answered within 5 s");
    EXPECT_EQ(hook.says(), "cannot tell: http://h has not answered within 5 s");
}

TEST(HookMethod, CutsAReasonThatIsTooLongWhereACharacterEnds) {
    Hook hook;
    std::string reason;
    for (int i = 0; i < 150; ++i) reason += "x\u00E9";
    EXPECT_EQ(hook.says(200, json{{"result", "deny"}, {"reason", reason}}.dump()),
              "refused as wrong: denied: " + reason.substr(0, 199));
}

TEST(HookMethod, NeedsAName) {
    Hook hook;
    Credentials who;
    who.password.emplace("token");
    EXPECT_EQ(hook.says(who), "refused: the client is let in, but it is not said under which user_name");
    who.user_name = "";
    EXPECT_EQ(hook.says(who), "refused: the client is let in, but it is not said under which user_name");
    who.certificate = certificate();
    EXPECT_EQ(hook.says(who), "accepted pump-7");
    who.user_name = "bob";
    EXPECT_EQ(hook.says(who), "accepted bob");
    hook.answer = response(200, R"({"result":"allow","user_name":"carol"})");
    EXPECT_EQ(hook.says(who), "accepted carol");
}

TEST(HookMethod, GivesOnlyRolesThatAreAllowed) {
    Hook hook({.roles = {"device"}, .roles_allowed = {"reader", "device"}}, current_of({user("carol", "x")}));
    hook.answer = response(200, R"({"result":"allow","roles":["admin","reader","device","reader"]})");
    EXPECT_THAT(attributes(hook.method.check(bob())).roles, ElementsAre("device", "reader"));
    hook.answer = response(200, R"({"result":"allow","user_name":"carol","roles":["reader"]})");
    EXPECT_THAT(attributes(hook.method.check(bob())).roles, ElementsAre("reader"));  // The account has its own.
    hook.answer = response(204);
    EXPECT_THAT(attributes(hook.method.check(bob())).roles, ElementsAre("device"));
}

TEST(HookMethod, HandsOnAttributesAndTheEnd) {
    Hook hook;
    auto who = bob();
    who.certificate = certificate();
    hook.answer = response(200, R"({"result":"allow","attributes":{"site":"north"},"expires_at":1000001})");
    const auto outcome = hook.method.check(who);
    EXPECT_THAT(attributes(outcome).claims, ElementsAre(Pair("site", "north")));
    EXPECT_EQ(attributes(outcome).certificate_name, "pump-7");
    EXPECT_EQ(std::get<Accepted>(outcome).expires_at, WallTime(1'000'001s));
    EXPECT_EQ(hook.says(200, R"({"result":"allow","expires_at":1000000})"),
              "refused: the client is let in until a time that is over (expires_at)");
    EXPECT_EQ(hook.says(200, R"({"result":"allow","expires_at":18446744073709551615})"), "accepted bob");
}

TEST(HookMethod, DoesNotLetADisabledAccountIn) {
    auto disabled = user("bob", "x");
    disabled.enabled = false;
    Hook hook({.remembered_for = 60s});
    EXPECT_EQ(hook.says(), "accepted bob");
    hook.current->replace(current_of({disabled})->share());
    EXPECT_EQ(hook.says(), "refused: the account bob is disabled");  // Also where it is remembered.
}

TEST(HookMethod, RemembersWhoWasLetInForAWhile) {
    Hook hook({.remembered_for = 60s});
    EXPECT_EQ(hook.method.effort(bob()), Effort::Waits);
    EXPECT_EQ(hook.says(), "accepted bob");
    hook.answer = std::unexpected("gone");
    EXPECT_EQ(hook.method.effort(bob()), Effort::Quick);
    EXPECT_EQ(hook.says(), "accepted bob");
    hook.advance(59500ms);
    EXPECT_EQ(hook.method.effort(bob()), Effort::Waits);  // It could end before it is looked for again.
    EXPECT_EQ(hook.says(), "accepted bob");
    EXPECT_EQ(hook.questions.size(), 1U);
    hook.advance(500ms);
    EXPECT_EQ(hook.says(), "cannot tell: gone");
    EXPECT_EQ(hook.questions.size(), 2U);
}

TEST(HookMethod, RemembersOnlyExactlyThisClient) {
    Hook hook({.remembered_for = 60s});
    EXPECT_EQ(hook.says(), "accepted bob");
    auto other_password = bob("other");
    auto other_name = bob();
    other_name.user_name = "carol";
    auto other_id = bob();
    other_id.client_id = "valve";
    auto other_address = bob();
    other_address.address = "1.2.3.5";
    auto with_certificate = bob();
    with_certificate.certificate = certificate();
    auto with_key = bob();
    with_key.psk_identity = std::make_shared<const std::string>("pump-7");
    for (const auto* other : {&other_password, &other_name, &other_id, &other_address, &with_certificate, &with_key}) {
        EXPECT_EQ(hook.method.effort(*other), Effort::Waits);
    }
    EXPECT_EQ(hook.method.effort(bob()), Effort::Quick);
}

TEST(HookMethod, RemembersNoRefusalNothingThatHasEndedAndNothingWhereItMayNot) {
    Hook hook({.remembered_for = 60s});
    for (const auto status : {403U, 404U, 500U}) {
        hook.answer = response(status);
        static_cast<void>(hook.says());
        EXPECT_EQ(hook.method.effort(bob()), Effort::Waits) << status;
    }
    hook.answer = response(200, R"({"result":"allow","expires_at":1000010})");
    EXPECT_EQ(hook.says(), "accepted bob");
    EXPECT_EQ(hook.method.effort(bob()), Effort::Quick);
    hook.advance(9500ms);
    EXPECT_EQ(hook.method.effort(bob()), Effort::Waits);

    Hook forgetful;
    EXPECT_EQ(forgetful.says(), "accepted bob");
    EXPECT_EQ(forgetful.method.effort(bob()), Effort::Waits);
}

}  // namespace
}  // namespace chappe::access
