#include "access/chain.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/password_method.h"
#include "access/test_support.h"
#include "crypto/scram.h"

namespace chappe::access {
namespace {

using broker::Verdict;
using mqtt::ReasonCode;
using testing::ElementsAre;
using testing::IsEmpty;

// Knows users by their passwords, and says nothing of others.
class Book final : public Method {
public:
    Book(std::string name, std::map<std::string, std::string> passwords, Effort effort = Effort::Quick)
        : name_(std::move(name)), passwords_(std::move(passwords)), effort_(effort) {}

    std::string_view name() const noexcept override { return name_; }
    Effort effort(const Credentials&) const override { return effort_; }
    Outcome check(const Credentials& credentials) const override {
        ++asked;
        const auto found = passwords_.find(credentials.user_name.value_or(""));
        if (found == passwords_.end()) return Declined{"unknown"};
        if (found->second == "away") return Refused{.why = "away", .cannot_tell = true};
        if (found->second == "locked") return Refused{.why = "locked"};
        if (!credentials.password || !credentials.password->equals(found->second)) {
            return Refused{.why = "wrong", .wrong_secret = true};
        }
        return Accepted{.user_name = found->first, .attributes = nullptr, .expires_at = std::nullopt};
    }

    mutable std::atomic<int> asked = 0;

private:
    const std::string name_;
    const std::map<std::string, std::string> passwords_;
    const Effort effort_;
};

class ChainOfMethods : public testing::Test {
protected:
    void use(Methods methods, std::shared_ptr<Current> with = current_of({})) {
        current = std::move(with);
        Chain::Shards shards{.loop = [this](broker::ShardId) -> net::EventLoop& { return *loop; },
                             .answer =
                                 [this](broker::Ticket, const Verdict& verdict) {
                                     later = verdict;
                                     loop->stop();
                                 }};
        Chain::Options options{.waiting_max = waiting_max, .seed = 1, .scram_secret = crypto::Secret("secret")};
        chain = std::make_unique<Chain>(*current, std::move(methods), std::move(options), std::move(shards));
    }

    // The verdict that was given at once, or the one that came later.
    Verdict login(std::optional<std::string_view> name, std::optional<std::string_view> password,
                  std::optional<std::string_view> method = {}) {
        later.reset();
        const auto bytes = password ? std::optional(as_bytes(*password)) : std::nullopt;
        auto verdict = chain->authenticate({.peer = peer,
                                            .version = mqtt::ProtocolVersion::V5,
                                            .client_id = "c",
                                            .user_name = name,
                                            .password = bytes,
                                            .authentication_method = method,
                                            .authentication_data = {}},
                                           {.shard = broker::ShardId{0}, .connection = {}, .step = 1});
        if (verdict) return *verdict;
        loop->run();
        return later.value();
    }

    std::unique_ptr<net::EventLoop> loop = *net::EventLoop::create();
    std::shared_ptr<Current> current;
    broker::Peer peer{.address = "192.0.2.1:5000", .anonymous_allowed = false};
    std::optional<Verdict> later;
    std::size_t waiting_max = 10;
    std::unique_ptr<Chain> chain;
};

std::shared_ptr<Book> book(std::string name, std::map<std::string, std::string> passwords,
                           Effort effort = Effort::Quick) {
    return std::make_shared<Book>(std::move(name), std::move(passwords), effort);
}

TEST_F(ChainOfMethods, IsAskedInItsOrder) {
    auto first = book("first", {{"bob", "1"}, {"eve", "locked"}, {"frank", "away"}});
    auto second = book("second", {{"bob", "2"}, {"eve", "2"}, {"frank", "2"}, {"carol", "2"}});
    use({first, second});
    const auto by_first = login("bob", "1");
    EXPECT_EQ(by_first.code, ReasonCode::Success);
    EXPECT_EQ(by_first.user_name, "bob");
    EXPECT_EQ(by_first.detail, "first");
    const auto wrong = login("bob", "2");
    EXPECT_EQ(wrong.code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(wrong.user_name, "bob");
    EXPECT_EQ(wrong.detail, "first: wrong");
    const auto by_second = login("carol", "2");
    EXPECT_EQ(by_second.code, ReasonCode::Success);
    EXPECT_EQ(by_second.detail, "second");
    EXPECT_EQ(login("eve", "2").detail, "first: locked");
    const auto nobody_can_say = login("frank", "2");
    EXPECT_EQ(nobody_can_say.code, ReasonCode::ServerUnavailable);
    EXPECT_EQ(nobody_can_say.detail, "first: away");
    const auto nobody = login("mallory", "x");
    EXPECT_EQ(nobody.code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(nobody.reason, "user name or password is not right");
    EXPECT_EQ(nobody.detail, "first: unknown; second: unknown");
    EXPECT_EQ(second->asked, 2);
}

TEST_F(ChainOfMethods, GoesOnElsewhereAndComesBack) {
    for (const auto effort : {Effort::Computes, Effort::Waits}) {
        use({book("slow", {{"bob", "1"}}, effort), book("quick", {{"carol", "2"}}),
             book("slow too", {{"dave", "3"}}, effort)});
        EXPECT_EQ(login("bob", "1").user_name, "bob");
        EXPECT_TRUE(later.has_value());
        EXPECT_EQ(login("carol", "2").user_name, "carol");
        EXPECT_EQ(login("dave", "3").user_name, "dave");
        EXPECT_EQ(login("eve", "x").detail, "slow: unknown; quick: unknown; slow too: unknown");
    }
}

// A method that answers when the test says so.
class Slow final : public Method {
public:
    std::string_view name() const noexcept override { return "slow"; }
    Effort effort(const Credentials& credentials) const override {
        return credentials.user_name == "asked elsewhere" ? Effort::Waits : Effort::Computes;
    }
    Outcome check(const Credentials& credentials) const override {
        const std::string_view only = allowed.load();
        const auto number = asked.fetch_add(1);
        asked.notify_all();
        while (answered.load() <= number) answered.wait(answered.load());
        if (*credentials.user_name != only) return Refused{.why = "not any more"};
        return Accepted{.user_name = *credentials.user_name, .attributes = nullptr, .expires_at = std::nullopt};
    }

    void await(int questions) const {
        while (asked.load() < questions) asked.wait(asked.load());
    }
    void answer(int questions) const {
        answered = questions;
        answered.notify_all();
    }

    mutable std::atomic<int> asked = 0;
    mutable std::atomic<int> answered = 0;
    mutable std::atomic<const char*> allowed = "bob";
};

class SlowAnswers : public ChainOfMethods {
protected:
    SlowAnswers() { use({slow}); }
    ~SlowAnswers() override { slow->answer(1000); }

    // Nothing: the answer comes later.
    std::optional<Verdict> begin(std::uint64_t connection, std::string_view user_name = "bob") {
        return chain->authenticate({.peer = peer,
                                    .version = mqtt::ProtocolVersion::V5,
                                    .client_id = "c",
                                    .user_name = user_name,
                                    .password = as_bytes("x"),
                                    .authentication_method = {},
                                    .authentication_data = {}},
                                   ticket(connection));
    }
    static broker::Ticket ticket(std::uint64_t connection) {
        return {.shard = broker::ShardId{0}, .connection = broker::ConnectionId{connection}, .step = 1};
    }

    std::shared_ptr<Slow> slow = std::make_shared<Slow>();
};

// Its account may have been disabled while its password was hashed.
TEST_F(SlowAnswers, AreAskedForAgainWhenAccountsHaveChanged) {
    EXPECT_FALSE(begin(1));
    slow->await(1);
    slow->allowed = "nobody";
    current->replace(current_of({})->share());
    slow->answer(2);
    loop->run();
    EXPECT_EQ(later->code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(later->detail, "slow: not any more");
    EXPECT_EQ(slow->asked, 2);
}

TEST_F(SlowAnswers, AreAwaitedByABoundedNumber) {
    waiting_max = 1;
    use({slow});
    EXPECT_FALSE(begin(1));
    slow->await(1);
    const auto second = begin(2);
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ(second->code, ReasonCode::ServerBusy);
    chain->abandon(ticket(1));
    EXPECT_FALSE(begin(3));
}

TEST_F(SlowAnswers, OfAnotherServerKeepNobodyOutWhomItIsNotAskedAbout) {
    waiting_max = 1;
    use({slow});
    EXPECT_FALSE(begin(1, "asked elsewhere"));
    EXPECT_FALSE(begin(2, "bob"));
    slow->await(2);
    EXPECT_EQ(begin(3, "asked elsewhere")->code, ReasonCode::ServerBusy);
    EXPECT_EQ(begin(4, "bob")->code, ReasonCode::ServerBusy);
    chain->abandon(ticket(1));
    EXPECT_FALSE(begin(5, "asked elsewhere"));
    EXPECT_EQ(begin(6, "bob")->code, ReasonCode::ServerBusy);
}

TEST_F(SlowAnswers, AreNotWorkedOutForWhoIsGone) {
    use({slow});
    const auto threads = std::clamp(std::thread::hardware_concurrency(), 1U, 8U);
    for (std::uint64_t i = 0; i != threads; ++i) EXPECT_FALSE(begin(i));
    slow->await(static_cast<int>(threads));
    EXPECT_FALSE(begin(100));
    EXPECT_FALSE(begin(101));
    chain->abandon(ticket(100));
    for (std::uint64_t i = 0; i != threads; ++i) chain->abandon(ticket(i));
    slow->answer(1000);
    loop->run();  // Until the one that is wanted is answered.
    EXPECT_EQ(later->user_name, "bob");
    EXPECT_EQ(slow->asked, static_cast<int>(threads) + 1);
}

TEST_F(ChainOfMethods, TakesAnonymousClientsWhereTheListenerDoes) {
    auto method = book("book", {{"bob", "1"}});
    use({method});
    EXPECT_EQ(login({}, {}).code, ReasonCode::NotAuthorized);
    peer.anonymous_allowed = true;
    const auto anonymous = login({}, {});
    EXPECT_EQ(anonymous.code, ReasonCode::Success);
    EXPECT_EQ(anonymous.user_name, "");
    EXPECT_EQ(anonymous.detail, "anonymous");
    // A name that is claimed has to be proved, there too.
    EXPECT_EQ(login("bob", "2").code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(login("eve", {}).code, ReasonCode::BadUserNameOrPassword);
    use({});
    EXPECT_EQ(login("eve", "x").code, ReasonCode::Success);
    EXPECT_EQ(login("eve", "x").user_name, "");
    peer.anonymous_allowed = false;
    EXPECT_EQ(login("eve", "x").code, ReasonCode::BadUserNameOrPassword);
}

TEST_F(ChainOfMethods, LetsTheOperatorIn) {
    use({book("book", {})});
    peer.is_operator = true;
    EXPECT_EQ(login({}, {}).code, ReasonCode::Success);
}

TEST_F(ChainOfMethods, HasNoEnhancedAuthenticationOfItsOwn) {  // [MQTT-4.12.0-1]
    use({book("book", {{"bob", "1"}})});
    EXPECT_EQ(login("bob", "1", "SCRAM-SHA-256").code, ReasonCode::BadAuthenticationMethod);
}

class EnhancedAuthentication : public ChainOfMethods {
protected:
    EnhancedAuthentication() { use_accounts({scram_user("bob", "secret"), scram_user("carol", "c")}); }

    void use_accounts(std::vector<accounts::User> users, std::vector<accounts::Ban> bans = {}) {
        const auto known = current_of(std::move(users), {}, std::move(bans));
        use({std::make_shared<PasswordMethod>(known, 0s)}, known);
    }

    static broker::Ticket ticket(std::uint64_t connection, std::uint32_t step) {
        return {.shard = broker::ShardId{0}, .connection = broker::ConnectionId{connection}, .step = step};
    }

    Verdict begin(const crypto::ScramClient& client, std::uint64_t connection = 1,
                  std::optional<std::string_view> user_name = {}, std::string_view method = "SCRAM-SHA-256") {
        const auto data = client.client_first();
        return chain
            ->authenticate({.peer = peer,
                            .version = mqtt::ProtocolVersion::V5,
                            .client_id = "c",
                            .user_name = user_name,
                            .password = {},
                            .authentication_method = method,
                            .authentication_data = as_bytes(data)},
                           ticket(connection, 1))
            .value();
    }

    Verdict say(std::string_view data, std::uint64_t connection = 1,
                ReasonCode code = ReasonCode::ContinueAuthentication, std::uint32_t step = 2) {
        const mqtt::Auth auth{
            .reason_code = code, .authentication_method = "SCRAM-SHA-256", .authentication_data = as_bytes(data)};
        return chain->proceed({.peer = peer, .client_id = "c", .auth = auth}, ticket(connection, step)).value();
    }

    Verdict answer(crypto::ScramClient& client, const Verdict& challenge, std::uint64_t connection = 1) {
        EXPECT_EQ(challenge.code, ReasonCode::ContinueAuthentication);
        return say(client.client_final(challenge.authentication_data.value()).value(), connection);
    }

    static crypto::ScramClient client(std::string_view name, std::string_view password) {
        return {name, crypto::Secret(password)};
    }

    // From the first message to the last.
    Verdict outcome(std::string_view name, std::string_view password) {
        auto made = client(name, password);
        const auto challenge = begin(made);
        return is_error(challenge.code) ? challenge : answer(made, challenge);
    }
};

TEST_F(EnhancedAuthentication, ProvesBothSides) {
    auto bob = client("bob", "secret");
    const auto accepted = answer(bob, begin(bob));
    EXPECT_EQ(accepted.code, ReasonCode::Success);
    EXPECT_EQ(accepted.user_name, "bob");
    EXPECT_EQ(accepted.detail, "SCRAM-SHA-256");
    EXPECT_TRUE(bob.check_server_final(accepted.authentication_data.value()).has_value());
    const auto wrong = outcome("bob", "Secret");
    EXPECT_EQ(wrong.code, ReasonCode::NotAuthorized);
    EXPECT_EQ(wrong.user_name, "bob");
    EXPECT_EQ(wrong.reason, "the authentication has failed");
    EXPECT_EQ(wrong.detail, "SCRAM-SHA-256: the password is wrong");
    EXPECT_EQ(outcome("nobody", "x").detail, "SCRAM-SHA-256: there is no such user");
}

TEST_F(EnhancedAuthentication, CanBeDoneAgain) {
    auto bob = client("bob", "secret");
    EXPECT_EQ(answer(bob, begin(bob)).code, ReasonCode::Success);
    auto again = client("bob", "secret");
    const auto challenge = say(again.client_first(), 1, ReasonCode::ReAuthenticate, 3);
    EXPECT_EQ(answer(again, challenge).user_name, "bob");
}

TEST_F(EnhancedAuthentication, IsKeptApartByConnection) {
    auto bob = client("bob", "secret");
    auto carol = client("carol", "c");
    const auto for_bob = begin(bob, 1);
    const auto for_carol = begin(carol, 2);
    EXPECT_EQ(answer(carol, for_carol, 2).user_name, "carol");
    EXPECT_EQ(answer(bob, for_bob, 1).user_name, "bob");
    // Whose client is gone leaves nothing behind for the next one.
    auto gone = client("bob", "secret");
    (void)begin(gone, 1);
    chain->abandon(ticket(1, 1));
    auto other = client("carol", "c");
    EXPECT_EQ(answer(other, begin(other, 1), 1).user_name, "carol");
}

TEST_F(EnhancedAuthentication, WantsOneName) {
    auto bob = client("bob", "secret");
    EXPECT_EQ(begin(bob, 1, "carol").detail, "SCRAM-SHA-256: the user name of CONNECT is not that of SCRAM");
    auto same = client("bob", "secret");
    EXPECT_EQ(answer(same, begin(same, 1, "bob")).user_name, "bob");
}

TEST_F(EnhancedAuthentication, StopsWhoGuessesOrIsBanned) {
    for (int i = 0; i != 5; ++i) EXPECT_EQ(outcome("bob", "x").code, ReasonCode::NotAuthorized);
    EXPECT_EQ(outcome("bob", "secret").code, ReasonCode::Banned);
    EXPECT_EQ(outcome("carol", "c").code, ReasonCode::Success);
    use_accounts({scram_user("eve", "e")}, {accounts::Ban{accounts::BanKind::User, "eve", std::nullopt, "left", 0}});
    EXPECT_EQ(outcome("eve", "e").detail, "the user is banned: left");
}

TEST_F(EnhancedAuthentication, IsOnlyWhatIsOffered) {  // [MQTT-4.12.0-1]
    EXPECT_EQ(begin(client("bob", "secret"), 1, {}, "SCRAM-SHA-1").code, ReasonCode::BadAuthenticationMethod);
    chain->replace({book("book", {})});
    EXPECT_EQ(begin(client("bob", "secret")).code, ReasonCode::BadAuthenticationMethod);
}

TEST_F(ChainOfMethods, StopsWhoGuesses) {
    auto method = book("book", {{"bob", "1"}});
    use({method});
    for (int i = 0; i != 5; ++i) EXPECT_EQ(login("bob", "x").code, ReasonCode::BadUserNameOrPassword);
    const auto stopped = login("bob", "1");
    EXPECT_EQ(stopped.code, ReasonCode::Banned);
    EXPECT_EQ(stopped.reason, "too many wrong passwords; try again in 1 s");
    EXPECT_EQ(method->asked, 5);
    peer.address = "192.0.2.2:5000";  // It is not the name that is locked.
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Success);
    peer.address = "192.0.2.1:6000";  // And the port does not matter.
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Banned);
}

// Knows who somebody is whatever name is claimed, as a token says it.
class Token final : public Method {
public:
    std::string_view name() const noexcept override { return "token"; }
    Effort effort(const Credentials&) const override { return Effort::Quick; }
    Outcome check(const Credentials& credentials) const override {
        if (!credentials.password->equals("eve's token")) return Declined{"no token"};
        return Accepted{.user_name = "eve", .attributes = nullptr, .expires_at = std::nullopt};
    }
};

TEST_F(ChainOfMethods, ForgivesNobodyForWhatAnotherProves) {
    use({std::make_shared<Token>(), book("book", {{"bob", "1"}})});
    for (int i = 0; i != 4; ++i) EXPECT_EQ(login("bob", "x").code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(login("bob", "eve's token").user_name, "eve");
    EXPECT_EQ(login("bob", "x").code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Banned);
}

TEST_F(ChainOfMethods, RefusesWhoIsBanned) {
    using accounts::Ban;
    using accounts::BanKind;
    use({book("book", {{"bob", "1"}, {"eve", "1"}})},
        current_of({}, {},
                   {Ban{BanKind::User, "eve", std::nullopt, "left", 0},
                    Ban{BanKind::Address, "2001:db8::/32", std::nullopt, "noise", 0}}));
    const auto banned = login("eve", "1");
    EXPECT_EQ(banned.code, ReasonCode::Banned);
    EXPECT_EQ(banned.reason, "banned");
    EXPECT_EQ(banned.detail, "the user is banned: left");
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Success);
    peer.address = "[2001:db8::7]:5000";
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Banned);
}

TEST_F(ChainOfMethods, AsksTheMethodsOfNow) {
    use({book("book", {{"bob", "1"}})});
    EXPECT_EQ(login("bob", "1").code, ReasonCode::Success);
    chain->replace({book("book", {{"bob", "2"}})});
    EXPECT_EQ(login("bob", "1").code, ReasonCode::BadUserNameOrPassword);
    EXPECT_EQ(login("bob", "2").code, ReasonCode::Success);
}

}  // namespace
}  // namespace chappe::access
