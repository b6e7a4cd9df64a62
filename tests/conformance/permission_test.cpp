// What a client hears that may not publish or subscribe.

#include <array>
#include <map>
#include <set>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

// Nothing may be done with the topic "secret".
class Secrets : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        return {.allowed = question.topic != "secret", .reason = "it is a secret"};
    }
    bool restricts_receiving() const noexcept override { return false; }
};

class NotAllowed : public BothVersions {
protected:
    Secrets secrets;
    Broker broker{{.permissions = &secrets}};
    Client watcher = broker.subscriber("w", "#");
    Client client = broker.connect(brief("c"));
};
CHAPPE_BOTH_VERSIONS(NotAllowed);

// [MQTT3-3.3.5-2] [MQTT-3.4.2-1] [MQTT-4.3.2-4]
TEST_P(NotAllowed, PublishOfQoS1IsRefusedOrEndsTheConnection) {
    EXPECT_THAT(client.exchange(publish("secret", "x", AtLeastOnce, 1)),
                ElementsAre(version() == V5 ? "PUBACK 1 0x87" : "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// [MQTT3-3.3.5-2] [MQTT-3.5.2-1] [MQTT-4.3.3-9]
TEST_P(NotAllowed, PublishOfQoS2IsRefusedOrEndsTheConnection) {
    EXPECT_THAT(client.exchange(publish("secret", "x", ExactlyOnce, 1)),
                ElementsAre(version() == V5 ? "PUBREC 1 0x87" : "closed"));
    EXPECT_THAT(watcher.received(), IsEmpty());
    if (version() == V311) return;
    EXPECT_THAT(client.exchange(publish("open", "y", ExactlyOnce, 1)), ElementsAre("PUBREC 1"));
    EXPECT_THAT(watcher.received(), ElementsAre("PUBLISH open 'y'"));
}

TEST_P(NotAllowed, PublishOfQoS0IsNotDelivered) {
    EXPECT_THAT(client.exchange(publish("secret", "x")), IsEmpty());
    EXPECT_THAT(watcher.received(), IsEmpty());
    EXPECT_THAT(client.exchange(PingReq{}), ElementsAre("PINGRESP"));
}

// [MQTT-3.8.4-7] [MQTT-3.9.3-2] [MQTT3-3.8.4-5] [MQTT3-3.9.3-2]
TEST_P(NotAllowed, SubscribeGetsAFailureForThatFilter) {
    EXPECT_THAT(client.exchange(subscribe(1, {{"open", {}}, {"secret", {}}})),
                ElementsAre(version() == V5 ? "SUBACK 1 0x00 0x87" : "SUBACK 1 0x00 0x80"));
}

TEST_P(NotAllowed, WillIsNotPublished) {
    auto connect = brief("with a will");
    connect.will = Will{.topic = "secret", .payload = as_bytes("x")};
    broker.connect(connect).drop();
    EXPECT_THAT(watcher.received(), IsEmpty());
}

// Receiving is permitted until it is forbidden.
class Revocable : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        return {.allowed = !revoked || question.access != broker::Access::Receive};
    }
    bool restricts_receiving() const noexcept override { return true; }

    bool revoked = false;
};

class RevokedWhileWaiting : public BothVersions {
protected:
    [[nodiscard]] std::uint64_t dropped() const { return broker.dropped(broker::DropReason::NotAuthorized); }

    Revocable permissions;
    Broker broker{{.permissions = &permissions}};
    Client publisher = broker.connect("p");
};
CHAPPE_BOTH_VERSIONS(RevokedWhileWaiting);

TEST_P(RevokedWhileWaiting, QueuedMessagesAreNotSent) {
    broker.subscriber(lasting("s"), "a", {.qos = AtLeastOnce}).drop();
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", AtLeastOnce, 2)});
    permissions.revoked = true;
    auto client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), IsEmpty());
    EXPECT_EQ(dropped(), 2U);
    permissions.revoked = false;
    publisher.send(publish("a", "3", AtLeastOnce, 3));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '3' qos=1 id=1"));
    EXPECT_EQ(dropped(), 2U);
}

TEST_P(RevokedWhileWaiting, RetainedMessagesAreNotSent) {
    for (const auto* topic : {"a/1", "a/2", "a/3"}) publisher.send(retained(publish(topic, "x", AtLeastOnce, 1)));
    broker.configure({.inflight_max = 1});
    auto client = broker.connect(brief("s"));
    EXPECT_THAT(client.exchange(subscribe(1, "a/+", AtLeastOnce)),
                ElementsAre("SUBACK 1 0x01", "PUBLISH a/1 'x' qos=1 id=1 retain"));
    permissions.revoked = true;
    EXPECT_THAT(client.exchange(puback(1)), IsEmpty());
    EXPECT_EQ(dropped(), 2U);
}

// Of QoS 2 the exchange goes on without the message, for the client may know its packet identifier: it would take the
// next message of that identifier for this one.
TEST_P(RevokedWhileWaiting, UnacknowledgedMessagesAreNotSentAgain) {  // [MQTT-2.2.1-4] [MQTT-4.3.3-5]
    auto client = broker.subscriber(lasting("s"), "a", {.qos = ExactlyOnce});
    publisher.send({publish("a", "1", AtLeastOnce, 1), publish("a", "2", ExactlyOnce, 2)});
    publisher.send(publish("a", "3", ExactlyOnce, 3));
    client.send(pubrec(3));
    client.drop();

    permissions.revoked = true;
    client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBREL 3", "PUBREL 2"));
    EXPECT_EQ(dropped(), 2U);
    permissions.revoked = false;
    client.send({pubcomp(3), pubcomp(2)});
    publisher.send(publish("a", "4", ExactlyOnce, 4));
    EXPECT_THAT(client.received(), ElementsAre("PUBLISH a '4' qos=2 id=4"));
    EXPECT_EQ(dropped(), 2U);
}

TEST_P(RevokedWhileWaiting, WithheldMessageOfAnExchangeIsNotSentWhenPermittedAgain) {
    auto client = broker.subscriber(lasting("s"), "a", {.qos = ExactlyOnce});
    publisher.send(publish("a", "1", ExactlyOnce, 1));
    client.drop();
    permissions.revoked = true;
    broker.connect(lasting("s")).drop();
    permissions.revoked = false;
    client = broker.connect(lasting("s"));
    EXPECT_THAT(client.received(), ElementsAre("PUBREL 1"));
    EXPECT_THAT(client.exchange(pubcomp(1)), IsEmpty());
    EXPECT_EQ(dropped(), 1U);
}

// Each client may receive the topics that are listed for it.
class Lists : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question& question) const override {
        if (question.access != broker::Access::Receive) return {};
        ++asked;
        const auto found = lists.find(question.who.client_id);
        return {.allowed = found != lists.end() && found->second.contains(question.topic)};
    }
    bool restricts_receiving() const noexcept override { return restricts; }

    bool restricts = true;
    mutable std::size_t asked = 0;
    std::map<std::string, std::set<std::string, std::less<>>, std::less<>> lists;
};

// With each strategy, and with clients of several names: on the shard where the shared subscription has its home, and
// on another one.
class SharedAmongUnequals : public testing::TestWithParam<broker::SharedStrategy> {
protected:
    Client member(std::string_view client_id, QoS qos = AtLeastOnce) {
        return broker.subscriber(lasting(client_id), "$share/group/+", {.qos = qos});
    }
    void permit(std::string_view client_id, std::set<std::string, std::less<>> topics) {
        permissions.lists[std::string(client_id)] = std::move(topics);
    }
    void publish_one(std::string_view topic, QoS qos = AtLeastOnce) {
        publisher.send(publish(topic, std::to_string(next_id), qos, next_id));
        ++next_id;
    }
    // The topics of what has come. All of it is acknowledged.
    static Lines topics(const Client& client) {
        Lines topics;
        while (true) {
            const auto packets = client.packets();
            if (packets.empty()) return topics;
            for (const auto& packet : packets) {
                const auto* message = std::get_if<Publish>(&packet);
                if (message == nullptr) continue;
                topics.emplace_back(message->topic);
                if (message->qos == AtLeastOnce) client.send(puback(message->packet_id.value));
            }
        }
    }
    void end(std::string_view client_id) { broker.connect(client_id).send(disconnect()); }
    [[nodiscard]] std::uint64_t not_authorized() const { return broker.dropped(broker::DropReason::NotAuthorized); }

    static constexpr std::array<std::string_view, 4> names = {"one", "two", "three", "four"};
    Lists permissions;
    Broker broker{
        {.limits = {.inflight_max = 1}, .policy = {.shared_strategy = GetParam()}, .permissions = &permissions}};
    Client publisher = broker.connect("p");
    std::uint16_t next_id = 1;
};
INSTANTIATE_TEST_SUITE_P(Strategies, SharedAmongUnequals,
                         testing::Values(broker::SharedStrategy::RoundRobin, broker::SharedStrategy::Random,
                                         broker::SharedStrategy::Sticky, broker::SharedStrategy::HashTopic,
                                         broker::SharedStrategy::HashClient));

TEST_P(SharedAmongUnequals, MessagesGoToThoseWhoMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a", "both"});
        permit("other", {"b", "both"});
        auto of_a = member(name);
        auto of_b = member("other");
        std::size_t both = 0;
        for (int i = 0; i != 3; ++i) {
            for (const auto qos : {AtMostOnce, AtLeastOnce}) {
                publish_one("a", qos);
                EXPECT_THAT(topics(of_a), ElementsAre("a")) << name;
                publish_one("b", qos);
                EXPECT_THAT(topics(of_b), ElementsAre("b")) << name;
                publish_one("both", qos);
                both += topics(of_a).size() + topics(of_b).size();
            }
        }
        EXPECT_EQ(both, 6U);
        EXPECT_THAT(broker.drops(), IsEmpty());
        end(name);
        end("other");
    }
}

TEST_P(SharedAmongUnequals, MessagesWaitForThoseWhoMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        auto of_a = member(name);
        auto of_b = member("other");
        for (int i = 0; i != 3; ++i) publish_one("a");
        publish_one("b");
        EXPECT_THAT(topics(of_b), ElementsAre("b")) << name;
        of_a.drop();
        for (int i = 0; i != 2; ++i) {
            publish_one("a");
            publish_one("b");
        }
        EXPECT_THAT(topics(of_b), ElementsAre("b", "b")) << name;
        EXPECT_THAT(topics(broker.connect(lasting(name))), ElementsAre("a", "a", "a", "a", "a")) << name;
        EXPECT_THAT(broker.drops(), IsEmpty());
        end(name);
        end("other");
    }
}

TEST_P(SharedAmongUnequals, MessagesOfQoS0DoNotWait) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        member(name).drop();
        auto of_b = member("other");
        publish_one("a", AtMostOnce);
        publish_one("a", AtLeastOnce);
        publish_one("b", AtMostOnce);
        EXPECT_THAT(topics(of_b), ElementsAre("b")) << name;
        EXPECT_THAT(topics(broker.connect(lasting(name))), ElementsAre("a")) << name;
        end(name);
        end("other");
    }
    EXPECT_EQ(broker.dropped(broker::DropReason::Offline), names.size());
}

TEST_P(SharedAmongUnequals, MessagesAreDroppedWhereNoMemberMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        auto of_a = member(name);
        auto of_b = member("other");
        publish_one("secret");
        publish_one("secret", AtMostOnce);
        publish_one("a");
        publish_one("b");
        EXPECT_THAT(topics(of_a), ElementsAre("a")) << name;
        EXPECT_THAT(topics(of_b), ElementsAre("b")) << name;
        end(name);
        end("other");
    }
    EXPECT_EQ(not_authorized(), 2 * names.size());
    EXPECT_EQ(broker.drops().size(), 2 * names.size());
    EXPECT_THAT(broker.drops(), testing::Each(testing::Field(&broker::Drop::client_id, "$share/group/+")));
}

TEST_P(SharedAmongUnequals, MessagesThatWaitGoToAnotherWhenPermissionIsTakenBack) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {});
        auto first = member(name);
        auto second = member("other");
        for (int i = 0; i != 4; ++i) publish_one("a");
        permit(name, {});
        permit("other", {"a"});
        EXPECT_THAT(topics(first), ElementsAre("a")) << name;  // It had been sent. Its acknowledgement moves the rest.
        EXPECT_THAT(topics(second), ElementsAre("a", "a", "a")) << name;
        end(name);
        end("other");
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(SharedAmongUnequals, MessagesOnTheirWayGoToAnotherWhenPermissionIsTakenBack) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {});
        auto first = member(name);
        auto second = member("other");
        broker.hold_mail();
        publish_one("a");
        const auto got = topics(first).size();  // Nothing was on its way where it all is on one shard.
        permit(name, {});
        permit("other", {"a"});
        broker.read_mail();
        EXPECT_THAT(topics(first), IsEmpty()) << name;
        EXPECT_EQ(topics(second).size(), 1 - got) << name;
        end(name);
        end("other");
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

// One is on its way, the other waits for the same member.
TEST_P(SharedAmongUnequals, MessagesBehindOneOnItsWayGoToAnotherWhenPermissionIsTakenBack) {
    for (const auto name : names) {
        for (const auto* publisher_name : {"p", "q", "r", "s"}) {
            permit(name, {"a"});
            permit("other", {});
            auto first = member(name);
            auto second = member("other");
            publisher = broker.connect(publisher_name);
            broker.hold_mail();
            publish_one("a");
            publish_one("a");
            const auto got = topics(first).size();
            permit(name, {});
            permit("other", {"a"});
            broker.read_mail();
            EXPECT_EQ(got + topics(second).size(), 2U) << name << ' ' << publisher_name;
            end(name);
            end("other");
        }
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(SharedAmongUnequals, MessagesThatWaitAreLookedAtWhenSomebodyComesWhoMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        permit("third", {"a"});
        auto gone = member(name);
        auto other = member("other");
        gone.drop();
        for (int i = 0; i != 20; ++i) publish_one("a");
        const auto asked = permissions.asked;
        other.send(subscribe(2, "$share/group/+", AtLeastOnce));  // As before.
        EXPECT_EQ(permissions.asked, asked);
        auto third = broker.connect(lasting("third"));
        third.send(subscribe(1, "$share/group/+", AtLeastOnce));
        EXPECT_EQ(topics(third).size(), 20U) << name;
        for (const auto client_id : {name, std::string_view("other"), std::string_view("third")}) end(client_id);
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

// It has room for one of them; of the others each has the same share.
TEST_P(SharedAmongUnequals, MessagesThatWaitForASilentMemberGoToOneWhoComes) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        permit("third", {"a"});
        auto silent = member(name);
        auto other = member("other");
        for (int i = 0; i != 4; ++i) publish_one("a");
        auto third = broker.connect(lasting("third"));
        third.send(subscribe(1, "$share/group/+", AtLeastOnce));
        const bool by_hash =
            GetParam() == broker::SharedStrategy::HashTopic || GetParam() == broker::SharedStrategy::HashClient;
        const bool decided = by_hash || GetParam() == broker::SharedStrategy::Sticky;
        EXPECT_EQ(topics(third).size(), decided ? 0U : 2U) << name;
        EXPECT_EQ(topics(silent).size(), decided ? 4U : 2U) << name;
        for (const auto client_id : {name, std::string_view("other"), std::string_view("third")}) end(client_id);
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(SharedAmongUnequals, MessagesThatWaitGoToWhoComesWhenNothingIsRestrictedAnyMore) {
    for (const auto name : names) {
        permissions.restricts = true;
        permit(name, {"a"});
        auto gone = member(name);
        auto other = member("other");
        gone.drop();
        publish_one("a");
        EXPECT_THAT(topics(other), IsEmpty()) << name;
        permissions.restricts = false;
        EXPECT_THAT(topics(broker.connect(lasting("other"))), ElementsAre("a")) << name;
        end(name);
        end("other");
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(SharedAmongUnequals, MessagesLeftUnacknowledgedGoToThoseWhoMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        permit("third", {"a"});
        auto gone = member(name);
        publish_one("a");
        EXPECT_EQ(gone.received().size(), 1U);
        auto other = member("other");
        gone.drop();
        publish_one("b");
        EXPECT_THAT(topics(other), ElementsAre("b")) << name;
        gone = broker.connect(lasting(name));
        EXPECT_EQ(gone.received().size(), 1U) << name;  // Sent again.
        gone.drop();
        auto third = broker.connect(lasting("third"));
        third.send(subscribe(1, "$share/group/+", AtLeastOnce));
        EXPECT_THAT(topics(third), ElementsAre("a")) << name;
        EXPECT_THAT(topics(broker.connect(lasting(name))), IsEmpty()) << name;
        for (const auto client_id : {name, std::string_view("other"), std::string_view("third")}) end(client_id);
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(SharedAmongUnequals, MessagesLeftUnacknowledgedWaitForThoseWhoMayReceiveThem) {
    for (const auto name : names) {
        permit(name, {"a"});
        permit("other", {"b"});
        permit("third", {"a"});
        auto gone = member(name);
        publish_one("a");
        EXPECT_EQ(gone.received().size(), 1U);
        auto other = member("other");
        auto third = member("third");
        publish_one("a");
        const auto to_third = third.received();
        gone.drop();
        if (!to_third.empty()) third.send(puback(1));
        EXPECT_EQ(to_third.size() + topics(third).size(), 2U) << name;
        EXPECT_THAT(topics(other), IsEmpty());
        for (const auto client_id : {name, std::string_view("other"), std::string_view("third")}) end(client_id);
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

}  // namespace
}  // namespace chappe::conformance
