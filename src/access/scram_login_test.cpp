#include "access/scram_login.h"

#include <gtest/gtest.h>

#include "access/test_support.h"

namespace chappe::access {
namespace {

crypto::Secret secret() { return crypto::Secret("the server's own"); }

// How a client with this password fares; `meanwhile` happens between its messages.
std::string outcome(const std::shared_ptr<Current>& current, std::string_view name, std::string_view password,
                    const std::shared_ptr<Current>& meanwhile = nullptr) {
    crypto::ScramClient client(name, crypto::Secret(password));
    auto login = ScramLogin::begin(client.client_first());
    if (!login) return "refused: " + login.error().why;
    EXPECT_EQ(login->user_name(), name);
    const auto final_message = client.client_final(login->challenge(current->get(), secret()));
    EXPECT_TRUE(final_message.has_value());
    const auto proven = login->finish((meanwhile ? meanwhile : current)->get(), *final_message);
    if (!proven) return (proven.error().wrong_secret ? "refused as wrong: " : "refused: ") + proven.error().why;
    EXPECT_TRUE(client.check_server_final(proven->data).has_value());
    return "accepted " + proven->who.user_name;
}

TEST(ScramLogin, TellsUsersFromOthers) {
    auto disabled = scram_user("eve", "e");
    disabled.enabled = false;
    auto broken = user("mallory", "m");
    broken.password.scram_keys = "keys";
    const auto current = current_of({scram_user("bob", "secret"), disabled, user("carol", "c"), broken});
    EXPECT_EQ(outcome(current, "bob", "secret"), "accepted bob");
    EXPECT_EQ(outcome(current, "bob", "Secret"), "refused as wrong: the password is wrong");
    EXPECT_EQ(outcome(current, "nobody", "secret"), "refused as wrong: there is no such user");
    EXPECT_EQ(outcome(current, "eve", "e"), "refused: the account is disabled");
    const auto without_keys =
        "refused as wrong: the password of this user was stored without keys for SCRAM; chappe user passwd makes them";
    EXPECT_EQ(outcome(current, "carol", "c"), without_keys);
    EXPECT_EQ(outcome(current, "mallory", "m"), without_keys);
}

TEST(ScramLogin, GoesByWhatHoldsAtItsEnd) {
    const auto bob = scram_user("bob", "secret");
    auto disabled = bob;
    disabled.enabled = false;
    EXPECT_EQ(outcome(current_of({bob}), "bob", "secret", current_of({disabled})), "refused: the account is disabled");
    EXPECT_EQ(outcome(current_of({bob}), "bob", "secret", current_of({})), "refused as wrong: there is no such user");
    EXPECT_EQ(outcome(current_of({bob}), "bob", "secret", current_of({scram_user("bob", "secret")})),
              "refused: the password has just been changed");
}

// All that differs is what depends on the name, as salts do.
TEST(ScramLogin, DoesNotTellWhichUsersThereAre) {
    const auto current = current_of({scram_user("bob", "secret"), user("carol", "c")});
    const auto asked = [&](std::string_view name) {
        auto login = ScramLogin::begin("n,,n=" + std::string(name) + ",r=nonce");
        auto challenge = login.value().challenge(current->get(), secret());
        return challenge.substr(challenge.find(",s="));
    };
    EXPECT_EQ(asked("bob"), asked("bob"));
    for (const auto* name : {"carol", "nobody"}) {
        EXPECT_EQ(asked(name), asked(name));
        EXPECT_EQ(asked(name).size(), asked("bob").size());
        EXPECT_TRUE(asked(name).ends_with(",i=4096"));
    }
    EXPECT_NE(asked("carol"), asked("nobody"));
}

TEST(ScramLogin, DoesNotCountNonsenseAsGuessing) {
    for (const auto* message : {"", "n,,", "p=tls-unique,,n=bob,r=x", "n,,n=b=ob,r=x"}) {
        const auto login = ScramLogin::begin(message);
        ASSERT_FALSE(login.has_value()) << message;
        EXPECT_FALSE(login.error().wrong_secret);
    }
    const auto current = current_of({scram_user("bob", "secret")});
    auto login = ScramLogin::begin("n,,n=bob,r=x");
    (void)login->challenge(current->get(), secret());
    const auto proven = login->finish(current->get(), "nonsense");
    ASSERT_FALSE(proven.has_value());
    EXPECT_FALSE(proven.error().wrong_secret);
}

}  // namespace
}  // namespace chappe::access
