// What becomes of clients and their subscriptions when what they may do changes while they are here.

#include <map>
#include <set>
#include <string>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using broker::Access;
using broker::Verdict;

// Each user name may do what its role says; a role is a set of first levels, "*" for all, with a highest QoS.
class Roles : public broker::Permissions {
public:
    struct Role {
        std::set<std::string, std::less<>> levels;
        QoS qos_max = ExactlyOnce;
    };

    broker::Decision decide(const broker::Question& question) const override {
        ++asked;
        const auto& role = roles.at(question.who.attributes ? question.who.attributes->roles.front() : "all");
        const auto level = question.topic.substr(0, question.topic.find('/'));
        return {.allowed = role.levels.contains("*") || role.levels.contains(level),
                .reason = "not yours",
                .qos_max = role.qos_max};
    }
    bool restricts_receiving() const noexcept override { return true; }
    bool restricts_receiving_of(const broker::Identity& who) const noexcept override {
        return !roles.at(who.attributes ? who.attributes->roles.front() : "all").levels.contains("*");
    }

    std::map<std::string, Role, std::less<>> roles = {{"all", {{"*"}}}};
    mutable int asked = 0;
};

// The user name is also the role, and what a client authenticates with lasts for a while.
class Doorkeeper : public broker::Authenticator {
public:
    explicit Doorkeeper(const Broker*& broker) : broker_(broker) {}

    std::optional<Verdict> authenticate(const broker::Login& login, broker::Ticket) override {
        return verdict(login.user_name.value_or(""));
    }
    std::optional<Verdict> proceed(const broker::Continuation& said, broker::Ticket) override {
        const auto data = as_text(said.auth.authentication_data.value_or(Bytes{}));
        if (data == "silence") return Verdict{.code = ReasonCode::ContinueAuthentication};
        auto renewed = verdict("u");
        renewed.attributes = with_role(data);
        return renewed;
    }
    void abandon(broker::Ticket) override {}

    std::optional<Duration> lasts;

private:
    static std::shared_ptr<const broker::Attributes> with_role(std::string_view role) {
        return std::make_shared<broker::Attributes>(
            broker::Attributes{.roles = {std::string(role)}, .certificate_name = {}, .claims = {}});
    }

    Verdict verdict(std::string_view name) const {
        Verdict accepted{.user_name = std::string(name)};
        if (!name.empty()) accepted.attributes = with_role(name);
        if (lasts) accepted.expires_at = broker_->now() + *lasts;
        return accepted;
    }

    const Broker*& broker_;
};

class ChangedRights : public BothVersions {
protected:
    ChangedRights() { here = &broker; }

    static Connect as(std::string_view user, const Connect& connect) {
        auto with_name = connect;
        with_name.user_name = user;
        return with_name;
    }

    void dismiss_u(bool ends_sessions) {
        broker.dismiss([&](const broker::Identity& who, std::string_view) -> std::optional<broker::Farewell> {
            if (who.user_name != "u") return std::nullopt;
            return broker::Farewell{ReasonCode::NotAuthorized, "the account is disabled", ends_sessions};
        });
    }

    const Broker* here = nullptr;
    Doorkeeper authenticator{here};
    Roles permissions;
    Broker broker{{.authenticator = &authenticator, .permissions = &permissions}};
    Client publisher = broker.connect("p");
};
CHAPPE_BOTH_VERSIONS(ChangedRights);

TEST_P(ChangedRights, RevokedSubscriptionsStopAtOnce) {
    permissions.roles["u"] = {{"a", "b"}};
    auto client = broker.subscriber(as("u", brief("s")), "a/#");
    client.send(subscribe(2, "b/#"));
    (void)client.received();
    permissions.roles["u"] = {{"b"}};
    broker.permissions_changed();
    publisher.send({publish("a/1", "x"), publish("b/1", "y")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH b/1 'y'"));
    EXPECT_EQ(broker.dropped(broker::DropReason::NotAuthorized), 0U);
    permissions.roles["u"] = {{"a", "b"}};
    broker.permissions_changed();
    publisher.send(publish("a/1", "z"));
    EXPECT_THAT(client.received(), IsEmpty());  // It is gone, not only silent.
}

TEST_P(ChangedRights, SharedSubscriptionsAreRevokedAsWell) {
    permissions.roles["u"] = {{"a"}};
    permissions.roles["v"] = {{"a"}};
    auto loser = broker.subscriber(as("u", brief("1")), "$share/g/a/#");
    auto other = broker.subscriber(as("v", brief("2")), "$share/g/a/#");
    permissions.roles["u"] = {};
    broker.permissions_changed();
    for (int i = 0; i != 4; ++i) publisher.send(publish("a/1", "x"));
    EXPECT_THAT(loser.received(), IsEmpty());
    EXPECT_EQ(other.received().size(), 4U);
}

TEST_P(ChangedRights, SubscriptionsOfWhoIsAwayAreRevokedAsWell) {
    permissions.roles["u"] = {{"a"}};
    broker.subscriber(as("u", lasting("s")), "a", {.qos = AtLeastOnce}).drop();
    permissions.roles["u"] = {};
    broker.permissions_changed();
    permissions.roles["u"] = {{"a"}};
    publisher.send(publish("a", "1", AtLeastOnce, 1));
    EXPECT_THAT(broker.connect(as("u", lasting("s"))).received(), IsEmpty());
}

// The same user comes back with a role that may do less.
TEST_P(ChangedRights, SubscriptionsOfASessionThatGoesOnAreLookedAtAgain) {
    permissions.roles["u"] = {{"a", "b"}};
    auto client = broker.subscriber(as("u", lasting("s")), "a");
    client.send(subscribe(2, "b"));
    client.drop();
    permissions.roles["u"] = {{"b"}};
    client = broker.connect(as("u", lasting("s")));
    publisher.send({publish("a", "x"), publish("b", "y")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH b 'y'"));
}

TEST_P(ChangedRights, ManySessionsAreLookedAtInPortions) {
    permissions.roles["u"] = {{"a"}};
    std::vector<std::string> names;
    for (int i = 0; i != 1200; ++i) names.push_back("s" + std::to_string(i));
    std::vector<Client> clients;
    for (const auto& name : names) clients.push_back(broker.subscriber(as("u", brief(name)), "a"));
    permissions.roles["u"] = {};
    broker.permissions_changed();
    publisher.send(publish("a", "x"));
    for (const auto& client : clients) EXPECT_THAT(client.received(), IsEmpty());
}

TEST_P(ChangedRights, WhoMayReceiveEverythingIsNotAskedAboutEachMessage) {
    auto client = broker.subscriber(brief("s"), "a");
    const auto asked = permissions.asked;
    publisher.send({publish("a", "1"), publish("a", "2")});
    EXPECT_EQ(client.received().size(), 2U);
    EXPECT_EQ(permissions.asked, asked + 2);  // For the publisher alone.
    permissions.roles["all"] = {{"p"}};
    broker.permissions_changed();
    EXPECT_THAT(client.exchange(publish("p", "x")), IsEmpty());
}

TEST_P(ChangedRights, NoHigherQosIsGrantedThanPermitted) {  // [MQTT-3.8.4-7]
    permissions.roles["u"] = {{"a"}, AtLeastOnce};
    auto client = broker.connect(as("u", brief("s")));
    EXPECT_THAT(client.exchange(subscribe(1, {{"a", {.qos = ExactlyOnce}}, {"a/0", {.qos = AtMostOnce}}})),
                ElementsAre("SUBACK 1 0x01 0x00"));
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1"));
    permissions.roles["u"] = {{"a"}, AtMostOnce};
    broker.permissions_changed();
    publisher.send(publish("a", "y", ExactlyOnce, 2));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a 'y'"));
}

TEST_P(ChangedRights, AUserWhoIsDisabledIsDisconnectedAndKeepsTheSession) {
    permissions.roles["u"] = {{"a"}};
    auto client = broker.subscriber(as("u", lasting("s")), "a", {.qos = AtLeastOnce});
    dismiss_u(false);
    if (version() == V5) {
        EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x87", "closed"));
    } else {
        EXPECT_THAT(client.received(), ElementsAre("closed"));
    }
    EXPECT_TRUE(publisher.connected());
    publisher.send(publish("a", "1", AtLeastOnce, 1));
    EXPECT_THAT(broker.connect(as("u", lasting("s"))).received(), ElementsAre("PUBLISH a '1' qos=1 id=1"));
}

TEST_P(ChangedRights, AUserWhoIsRemovedLosesSessionsAsWell) {
    permissions.roles["u"] = {{"a"}};
    auto away = broker.subscriber(as("u", lasting("away")), "a", {.qos = AtLeastOnce});
    away.drop();
    auto client = broker.subscriber(as("u", lasting("here")), "a", {.qos = AtLeastOnce});
    dismiss_u(true);
    EXPECT_FALSE(client.connected());
    publisher.send(publish("a", "1", AtLeastOnce, 1));
    EXPECT_THAT(broker.connect(as("u", lasting("away"))).received(), IsEmpty());
    EXPECT_THAT(broker.connect(as("u", lasting("here"))).received(), IsEmpty());
}

// Each of two sends the other its will.
TEST_P(ChangedRights, WhoIsDismissedTogetherGetsNoLongerEachOthersWills) {
    permissions.roles["u"] = {{"a"}};
    auto connect = as("u", brief("1"));
    connect.will = Will{.topic = "a", .payload = as_bytes("gone")};
    auto first = broker.subscriber(connect, "a");
    connect.client_id = "2";
    auto second = broker.subscriber(connect, "a");
    std::map<std::string, bool> has_address;
    broker.subscriber(lasting("away"), "b").drop();
    broker.dismiss([&](const broker::Identity& who, std::string_view address) -> std::optional<broker::Farewell> {
        has_address[who.client_id] = !address.empty();
        if (who.user_name != "u") return std::nullopt;
        return broker::Farewell{ReasonCode::Banned, "banned", true};
    });
    EXPECT_FALSE(first.connected());
    EXPECT_FALSE(second.connected());
    EXPECT_THAT(has_address, ElementsAre(testing::Pair("1", true), testing::Pair("2", true),
                                         testing::Pair("away", false), testing::Pair("p", true)));
}

TEST_P(ChangedRights, TheConnectionEndsWithWhatItHasAuthenticatedWith) {  // 0xA0: 3.14.2.1
    permissions.roles["u"] = {{"a"}};
    authenticator.lasts = 60s;
    auto quiet = broker.connect(as("u", brief("quiet")));
    auto busy = brief("busy");
    busy.keep_alive_seconds = 10;
    auto client = broker.connect(as("u", busy));
    for (int i = 0; i != 5; ++i) {
        broker.advance(10s);
        EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
    }
    broker.advance(9s);
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(quiet.connected());
    broker.advance(1s);
    const auto end = version() == V5 ? Lines{"DISCONNECT 0xA0", "closed"} : Lines{"closed"};
    EXPECT_EQ(client.received(), end);
    EXPECT_EQ(quiet.received(), end);
}

class RenewedRights : public testing::Test {
protected:
    RenewedRights() { here = &broker; }

    static Auth again(std::string_view data) {
        return {.reason_code = ReasonCode::ReAuthenticate,
                .authentication_method = "m",
                .authentication_data = as_bytes(data)};
    }

    const Broker* here = nullptr;
    Doorkeeper authenticator{here};
    Roles permissions;
    Broker broker{{.authenticator = &authenticator, .permissions = &permissions}};
    Client publisher = broker.connect("p");
    Connect connect = {.client_id = "s", .user_name = "u", .authentication_method = "m"};
};

TEST_F(RenewedRights, ReAuthenticationGivesMoreTime) {  // 4.12.1
    permissions.roles["u"] = {{"a"}};
    authenticator.lasts = 60s;
    auto client = broker.connect(connect);
    broker.advance(40s);
    EXPECT_THAT(client.exchange(again("u")), ElementsAre("AUTH 0x00 method='m'"));
    broker.advance(59s);
    EXPECT_TRUE(client.connected());
    broker.advance(1s);
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0xA0", "closed"));
}

TEST_F(RenewedRights, ReAuthenticationWithLessRightsTakesSubscriptionsAway) {
    permissions.roles["u"] = {{"a", "b"}};
    permissions.roles["less"] = {{"b"}};
    auto client = broker.subscriber(connect, "a");
    client.send(subscribe(2, "b"));
    (void)client.received();
    EXPECT_THAT(client.exchange(again("less")), ElementsAre("AUTH 0x00 method='m'"));
    publisher.send({publish("a", "x"), publish("b", "y")});
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH b 'y'"));
}

TEST_F(RenewedRights, ReAuthenticationThatIsNotGoneOnWithEndsTheConnection) {
    permissions.roles["u"] = {{"a"}};
    auto client = broker.connect(connect);
    EXPECT_THAT(client.exchange(again("silence")), ElementsAre("AUTH 0x18 method='m'"));
    broker.advance(9s);
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
    broker.advance(1s);
    EXPECT_THAT(client.received(), ElementsAre("DISCONNECT 0x87", "closed"));
    EXPECT_EQ(broker.reached(broker::Bound::ConnectTimeoutSeconds), 1U);
}

}  // namespace
}  // namespace chappe::conformance
