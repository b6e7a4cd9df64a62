// Shared subscriptions: who gets a message, and who must not.

#include <array>

#include "tests/conformance/broker.h"

namespace chappe::conformance {
namespace {

using testing::Each;

class SharedSubscriptions : public testing::Test {
protected:
    Client member(std::string_view client_id, QoS qos) {
        return broker.subscriber(lasting(client_id), "$share/group/a", {.qos = qos});
    }

    Broker broker;
    Client publisher = broker.connect("p");
};

TEST_F(SharedSubscriptions, GiveEachMessageToOneMember) {  // [MQTT-4.8.2-3]
    auto first = member("one", AtMostOnce);
    auto second = member("two", AtMostOnce);
    for (int i = 0; i < 10; ++i) publisher.send(publish("a", "x"));
    const auto of_first = first.received().size();
    EXPECT_EQ(of_first + second.received().size(), 10U);
    EXPECT_EQ(of_first, 5U);  // Round robin.
}

TEST_F(SharedSubscriptions, GiveEachMemberTheQoSThatItWasGranted) {  // [MQTT-4.8.2-3]
    auto zero = member("zero", AtMostOnce);
    auto one = member("one", AtLeastOnce);
    auto two = member("two", ExactlyOnce);
    for (std::uint16_t i = 1; i <= 9; ++i) publisher.send(publish("a", "x", ExactlyOnce, i));
    EXPECT_THAT(zero.received(), ElementsAre("PUBLISH a 'x'", "PUBLISH a 'x'", "PUBLISH a 'x'"));
    EXPECT_THAT(one.received(),
                ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'x' qos=1 id=2", "PUBLISH a 'x' qos=1 id=3"));
    EXPECT_THAT(two.received(),
                ElementsAre("PUBLISH a 'x' qos=2 id=1", "PUBLISH a 'x' qos=2 id=2", "PUBLISH a 'x' qos=2 id=3"));
}

TEST_F(SharedSubscriptions, QoS2ThatHasBegunIsCompletedWithTheSameMember) {  // [MQTT-4.8.2-4]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    auto other = member("two", ExactlyOnce);
    chosen.drop();
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());

    chosen = broker.connect(lasting("one"));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1 dup"));
    EXPECT_THAT(chosen.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(other.received(), IsEmpty());
}

TEST_F(SharedSubscriptions, QoS2ThatHasBegunGoesToNobodyElseWhenTheMembersSessionEnds) {  // [MQTT-4.8.2-5]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", ExactlyOnce, 1));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    auto other = member("two", ExactlyOnce);
    chosen.drop();
    broker.connect("one");  // Clean start ends the session.
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());
}

// It is not there any more when its will is published, whether its session ends, waits, or goes on elsewhere.
TEST_F(SharedSubscriptions, AMembersOwnWillGoesToWhoIsThere) {
    const Will will{.topic = "a", .payload = as_bytes("gone"), .qos = AtLeastOnce};
    for (const std::string name : {"1", "2", "3", "4"}) {  // On both shards.
        const auto filter = "$share/" + name + "/a";       // Likewise.
        auto connect = lasting(name);
        connect.will = will;
        auto waits = broker.subscriber(connect, filter, {.qos = AtLeastOnce});
        waits.drop();
        connect.clean_start = false;
        auto goes_on = broker.open(connect);
        EXPECT_THAT(goes_on.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'gone' qos=1 id=1"));
        goes_on.send(puback(1));
        auto taken_over = broker.open(connect);
        EXPECT_THAT(taken_over.received(), ElementsAre("CONNACK 0x00 session_present", "PUBLISH a 'gone' qos=1 id=2"));
        connect.clean_start = true;
        auto ends = broker.open(connect);
        EXPECT_THAT(ends.received(), ElementsAre("CONNACK 0x00"));
        ends.send(disconnect());
    }
}

TEST_F(SharedSubscriptions, RefusedByOneMemberGoesToNoOther) {  // [MQTT-4.8.2-6]
    auto chosen = member("one", ExactlyOnce);
    publisher.send(publish("a", "x", AtLeastOnce, 1));
    publisher.send(publish("a", "y", ExactlyOnce, 2));
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'y' qos=2 id=2"));
    auto other = member("two", ExactlyOnce);
    chosen.send({puback(1, ReasonCode::UnspecifiedError), pubrec(2, ReasonCode::UnspecifiedError)});
    chosen.drop();
    broker.advance(1h);
    EXPECT_THAT(other.received(), IsEmpty());
    EXPECT_THAT(broker.open(lasting("one")).received(), ElementsAre("CONNACK 0x00 session_present"));
}

// PUBREC comes again after PUBREL, and now with an error: the exchange is over.
TEST_F(SharedSubscriptions, RefusedAfterItWasReleasedGivesTheMembersPlaceFree) {
    auto connect = lasting("one");
    connect.receive_maximum = 1;
    auto chosen = broker.subscriber(connect, "$share/group/a", {.qos = ExactlyOnce});
    publisher.send({publish("a", "x", ExactlyOnce, 1), publish("a", "y", ExactlyOnce, 2)});
    EXPECT_THAT(chosen.received(), ElementsAre("PUBLISH a 'x' qos=2 id=1"));
    EXPECT_THAT(chosen.exchange(pubrec(1)), ElementsAre("PUBREL 1"));
    EXPECT_THAT(chosen.exchange(pubrec(1, ReasonCode::UnspecifiedError)), ElementsAre("PUBLISH a 'y' qos=2 id=2"));
}

// With each strategy. Clients of several names, so that each is once on the shard where the shared subscription has its
// home, and once on another one.
class EveryStrategy : public testing::TestWithParam<broker::SharedStrategy> {
protected:
    static constexpr std::array<std::string_view, 4> names = {"one", "two", "three", "four"};

    [[nodiscard]] static bool by_hash() {
        return GetParam() == broker::SharedStrategy::HashTopic || GetParam() == broker::SharedStrategy::HashClient;
    }
    [[nodiscard]] static broker::Policy policy(broker::WhenFull when_full = broker::WhenFull::DropOldest) {
        return {.when_full = when_full, .shared_strategy = GetParam()};
    }
    // Acknowledges all that comes, until nothing comes any more. Returns the payloads.
    static Lines take_all(const Client& client) {
        Lines payloads;
        while (true) {
            const auto packets = client.packets();
            if (packets.empty()) return payloads;
            for (const auto& packet : packets) {
                if (const auto* message = std::get_if<Publish>(&packet)) {
                    payloads.emplace_back(as_text(message->payload));
                    if (message->qos == AtLeastOnce) client.send(puback(message->packet_id.value));
                    if (message->qos == ExactlyOnce) client.send(pubrec(message->packet_id.value));
                }
                if (const auto* release = std::get_if<PubRel>(&packet)) client.send(pubcomp(release->packet_id.value));
            }
        }
    }
    // The reason codes of all acknowledgements that came.
    static std::vector<ReasonCode> codes(const Client& client) {
        std::vector<ReasonCode> codes;
        for (const auto& packet : client.packets()) {
            if (const auto* ack = std::get_if<PubAck>(&packet)) codes.push_back(ack->reason_code);
        }
        return codes;
    }
};
#define CHAPPE_EVERY_STRATEGY(suite)                                                                             \
    INSTANTIATE_TEST_SUITE_P(Strategies, suite,                                                                  \
                             testing::Values(broker::SharedStrategy::RoundRobin, broker::SharedStrategy::Random, \
                                             broker::SharedStrategy::Sticky, broker::SharedStrategy::HashTopic,  \
                                             broker::SharedStrategy::HashClient))

class OwnWills : public EveryStrategy {
protected:
    static Connect with_will(std::string_view client_id, std::uint32_t expiry_interval_seconds) {
        auto connect = lasting(client_id);
        connect.session_expiry_interval_seconds = expiry_interval_seconds;
        connect.will = {.topic = "a", .payload = as_bytes("lost"), .qos = AtLeastOnce};
        return connect;
    }

    Broker broker{{.policy = policy()}};
};
CHAPPE_EVERY_STRATEGY(OwnWills);

TEST_P(OwnWills, OfTheOnlyMemberWaitForIt) {
    for (const auto name : names) {
        broker.subscriber(with_will(name, 3600), "$share/group/a", {.qos = AtLeastOnce}).drop();
        auto again = broker.connect(lasting(name));
        EXPECT_THAT(again.received(), ElementsAre("PUBLISH a 'lost' qos=1 id=1")) << name;
        again.send({puback(1), unsubscribe(2, {"$share/group/a"})});
    }
}

TEST_P(OwnWills, OfTheOnlyMemberWaitForTheConnectionThatTakesItOver) {
    for (const auto name : names) {
        auto first = broker.subscriber(with_will(name, 3600), "$share/group/a", {.qos = AtLeastOnce});
        auto again = broker.connect(lasting(name));
        EXPECT_THAT(again.received(), ElementsAre("PUBLISH a 'lost' qos=1 id=1")) << name;
        again.send({puback(1), unsubscribe(2, {"$share/group/a"})});
    }
}

TEST_P(OwnWills, OfAMemberWhoseSessionEndsGoToAnother) {
    auto other = broker.subscriber("other", "$share/group/a", AtLeastOnce);
    for (const auto name : names) {
        broker.subscriber(with_will(name, 0), "$share/group/a", {.qos = AtLeastOnce}).drop();
        EXPECT_EQ(other.received().size(), 1U) << name;
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

// What a member has no room for waits at the home of the shared subscription, where it is rejected in time.
class FullMembers : public EveryStrategy {
protected:
    static broker::Limits limits(std::uint16_t inflight_max, std::uint32_t queue_messages_max) {
        return {.inflight_max = inflight_max, .queue_messages_max = queue_messages_max};
    }
};
CHAPPE_EVERY_STRATEGY(FullMembers);

TEST_P(FullMembers, SuccessIsToldForWhatIsQueuedOnly) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 2), .policy = policy(broker::WhenFull::Reject)}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        auto publisher = broker.connect("p");
        for (std::uint16_t i = 1; i <= 6; ++i) publisher.send(publish("a", std::to_string(i), AtLeastOnce, i));
        EXPECT_THAT(codes(publisher),
                    ElementsAre(ReasonCode::Success, ReasonCode::Success, ReasonCode::Success,
                                ReasonCode::QuotaExceeded, ReasonCode::QuotaExceeded, ReasonCode::QuotaExceeded))
            << name;
        EXPECT_EQ(broker.dropped(broker::DropReason::Rejected), 3U);
        EXPECT_THAT(take_all(member), ElementsAre("1", "2", "3")) << name;
        EXPECT_EQ(broker.drops().size(), 3U);
    }
}

TEST_P(FullMembers, MayBeFullOfSomethingElse) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 2), .policy = policy(broker::WhenFull::Reject)}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        member.send(subscribe(2, "b", AtLeastOnce));
        (void)member.received();
        auto publisher = broker.connect("p");
        publisher.send(publish("b", "other", AtLeastOnce, 9));
        EXPECT_THAT(codes(publisher), ElementsAre(ReasonCode::Success));
        for (std::uint16_t i = 1; i <= 4; ++i) publisher.send(publish("a", std::to_string(i), AtLeastOnce, i));
        EXPECT_THAT(codes(publisher), ElementsAre(ReasonCode::Success, ReasonCode::Success, ReasonCode::QuotaExceeded,
                                                  ReasonCode::QuotaExceeded))
            << name;
        EXPECT_THAT(take_all(member), ElementsAre("other", "1", "2")) << name;
        EXPECT_EQ(broker.dropped(broker::DropReason::Rejected), 2U);
    }
}

// Much more than a connection keeps unsent waits at the home, comes back to it from another shard while more is on its
// way, and arrives in order all the same.
TEST_P(FullMembers, GetWhatWaitsInOrder) {
    const std::string padding(10'000, '.');
    for (const auto name : names) {
        Broker broker{{.limits = limits(50, 1000), .policy = policy()}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        auto publisher = broker.connect("p");
        Lines sent;
        std::uint16_t id = 0;
        const auto publish_some = [&](int count) {
            while (count-- != 0) {
                sent.push_back(std::to_string(++id) + padding);
                publisher.send(publish("a", sent.back(), AtLeastOnce, id));
            }
        };
        member.stop_reading();
        publish_some(30);
        broker.hold_mail();
        publish_some(10);
        member.read_again();
        publish_some(10);
        broker.read_mail();
        publish_some(100);
        EXPECT_THAT(take_all(member), ElementsAreArray(sent)) << name;
        EXPECT_THAT(broker.drops(), IsEmpty());
    }
}

TEST_P(FullMembers, OfSeveralSharedSubscriptionsServeThemInTurn) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 100), .policy = policy()}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        member.send(subscribe(2, {{"$share/other/a", {.qos = AtLeastOnce}}, {"$share/third/b", {.qos = ExactlyOnce}}}));
        (void)member.received();
        auto publisher = broker.connect("p");
        for (std::uint16_t i = 1; i <= 10; ++i) {
            publisher.send({publish("a", "a", AtLeastOnce, i), publish("b", "b", ExactlyOnce, i + 100)});
        }
        const auto taken = take_all(member);
        EXPECT_EQ(std::ranges::count(taken, "a"), 20) << name;
        EXPECT_EQ(std::ranges::count(taken, "b"), 10) << name;
        EXPECT_GE(std::ranges::count(taken.begin(), taken.begin() + 15, "b"), 3) << name;
    }
}

TEST_P(FullMembers, TakeTurnsWithWhatIsTheirOwn) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 100), .policy = policy()}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        member.send(subscribe(2, "b", AtLeastOnce));
        (void)member.received();
        auto publisher = broker.connect("p");
        for (std::uint16_t i = 1; i <= 10; ++i) {
            publisher.send({publish("b", "own", AtLeastOnce, i), publish("a", "shared", AtLeastOnce, i + 100)});
        }
        const auto taken = take_all(member);
        EXPECT_EQ(taken.size(), 20U) << name;
        EXPECT_GE(std::ranges::count(taken.begin(), taken.begin() + 10, "own"), 4) << name;
        EXPECT_GE(std::ranges::count(taken.begin(), taken.begin() + 10, "shared"), 4) << name;
    }
}

TEST_P(FullMembers, GetTheRestWhenTheyAreBack) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(2, 100), .policy = policy()}};
        auto member = broker.subscriber(lasting(name), "$share/group/a", {.qos = ExactlyOnce});
        auto publisher = broker.connect("p");
        broker.hold_mail();  // Some of it is on its way when the connection is lost.
        for (std::uint16_t i = 1; i <= 3; ++i) publisher.send(publish("a", std::to_string(i), ExactlyOnce, i));
        member.drop();
        member = broker.connect(lasting(name));
        broker.read_mail();
        for (std::uint16_t i = 4; i <= 6; ++i) publisher.send(publish("a", std::to_string(i), ExactlyOnce, i));
        EXPECT_THAT(take_all(member), ElementsAre("1", "2", "3", "4", "5", "6")) << name;
    }
}

// The topic tree knows the member before the home does. What is published in between, on the home's own shard, is
// queued or rejected like everything else.
TEST_P(FullMembers, OfWhomTheHomeHasNotHeardYet) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 2), .policy = policy(broker::WhenFull::Reject)}};
        auto member = broker.connect(name);
        auto publisher = broker.connect("p");
        broker.hold_mail();
        member.send(subscribe(1, "$share/group/a", AtLeastOnce));
        for (std::uint16_t i = 1; i <= 6; ++i) publisher.send(publish("a", std::to_string(i), AtLeastOnce, i));
        broker.read_mail();
        const auto told = codes(publisher);
        const auto taken = std::ranges::count(told, ReasonCode::Success);
        EXPECT_EQ(told.size(), 6U);
        EXPECT_GE(taken, 2);
        EXPECT_EQ(take_all(member).size(), static_cast<std::size_t>(taken)) << name;
        EXPECT_EQ(broker.dropped(broker::DropReason::Rejected), told.size() - static_cast<std::size_t>(taken));
    }
}

// [MQTT-3.3.2-5]
TEST_P(FullMembers, AreNotKeptFromNewMessagesByExpiredOnes) {
    for (const auto when_full :
         {broker::WhenFull::Reject, broker::WhenFull::DropNewest, broker::WhenFull::DropOldest}) {
        for (const auto name : names) {
            Broker broker{{.limits = limits(1, 2), .policy = policy(when_full)}};
            auto member = broker.subscriber(lasting(name), "$share/group/a", {.qos = AtLeastOnce});
            auto publisher = broker.connect("p");
            member.drop();
            publisher.send({publish("a", "new", AtLeastOnce, 1), expiring(publish("a", "x", AtLeastOnce, 2), 1)});
            broker.advance(2s);
            publisher.send(publish("a", "newer", AtLeastOnce, 3));
            EXPECT_THAT(codes(publisher), Each(ReasonCode::Success));
            EXPECT_THAT(take_all(broker.connect(lasting(name))), ElementsAre("new", "newer")) << name;
            EXPECT_EQ(broker.dropped(broker::DropReason::Expired), 1U);
            EXPECT_EQ(broker.drops().size(), 1U);
        }
    }
}

TEST_P(FullMembers, WhoAreThereAreNotKeptFromNewMessagesByExpiredOnes) {  // [MQTT-3.3.2-5]
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 1), .policy = policy(broker::WhenFull::Reject)}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        auto publisher = broker.connect("p");
        publisher.send({publish("a", "1", AtLeastOnce, 1), expiring(publish("a", "x", AtLeastOnce, 2), 1)});
        broker.advance(2s);
        publisher.send({publish("a", "2", AtLeastOnce, 3), publish("a", "3", AtLeastOnce, 4)});
        EXPECT_THAT(codes(publisher), ElementsAre(ReasonCode::Success, ReasonCode::Success, ReasonCode::Success,
                                                  ReasonCode::QuotaExceeded));
        EXPECT_THAT(take_all(member), ElementsAre("1", "2")) << name;
    }
}

// While it is asked back what somebody has left, new messages wait: but none is lost for that.
TEST_P(FullMembers, WithRoomGetWhatCannotWaitForOlderMessages) {
    std::size_t tried = 0;
    for (const auto name : names) {
        for (const std::string other_name : {"1", "2", "3", "4"}) {
            for (const auto* publisher_name : {"p", "q", "r", "s"}) {
                Broker broker{{.limits = limits(100, 10), .policy = policy()}};
                auto gone = broker.subscriber(lasting(name), "$share/group/a", {.qos = AtLeastOnce});
                auto publisher = broker.connect(publisher_name);
                publisher.send(publish("a", "first", AtLeastOnce, 1));
                gone.drop();
                auto other = broker.connect(other_name);
                broker.hold_mail();
                other.send(subscribe(1, "$share/group/a", AtLeastOnce));
                (void)take_all(other);
                publisher.send(publish("a", "now or never"));
                if (take_all(other).empty()) continue;  // They are not both on the shard of the shared subscription.
                for (std::uint16_t i = 1; i <= 50; ++i) publisher.send(publish("a", "x", AtLeastOnce, i));
                broker.read_mail();
                EXPECT_GE(take_all(other).size(), 50U) << name << ' ' << other_name << ' ' << publisher_name;
                EXPECT_EQ(broker.drops().size(), 0U);
                ++tried;
            }
        }
    }
    EXPECT_GT(tried, 0U);
}

TEST_P(FullMembers, StopNobodyElse) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 1000), .policy = policy()}};
        auto slow = broker.subscriber(name, "$share/group/+", AtLeastOnce);
        std::vector<Client> publishers;
        for (int i = 0; i != 8; ++i) publishers.push_back(broker.connect("p" + std::to_string(i)));
        publishers.front().send(publish("t", "x", AtLeastOnce, 1));
        EXPECT_EQ(slow.received().size(), 1U);
        auto quick = broker.subscriber("quick", "$share/group/+", AtLeastOnce);
        std::size_t got = 0;
        const std::array<std::string_view, 8> topics = {"a", "b", "c", "d", "e", "f", "g", "h"};
        for (std::uint16_t i = 0; i != 40; ++i) {
            publishers[i % 8].send(publish(topics[i % 8], "x", AtLeastOnce, static_cast<std::uint16_t>(i + 10)));
            got += take_all(quick).size();
        }
        if (GetParam() == broker::SharedStrategy::Sticky) {
            EXPECT_EQ(got, 0U) << name;
        } else if (by_hash()) {
            EXPECT_EQ(got % 5, 0U) << name;  // All of a topic, or of a publisher.
            EXPECT_GT(got, 0U) << name;
            EXPECT_LT(got, 40U) << name;
        } else {
            EXPECT_EQ(got, 40U) << name;
        }
        slow.send(disconnect());
        EXPECT_EQ(got + take_all(quick).size(), 41U) << name;
        EXPECT_THAT(broker.drops(), IsEmpty());
    }
}

TEST_P(FullMembers, HaveDropsListedUnderTheirSharedSubscription) {
    for (const auto name : names) {
        Broker broker{{.limits = limits(1, 2), .policy = policy(broker::WhenFull::DropOldest)}};
        auto member = broker.subscriber(name, "$share/group/a", AtLeastOnce);
        auto publisher = broker.connect("p");
        publisher.send({publish("a", "1", AtLeastOnce, 1), expiring(publish("a", "2", AtLeastOnce, 2), 1)});
        broker.advance(2s);
        for (std::uint16_t i = 3; i <= 5; ++i) publisher.send(publish("a", std::to_string(i), AtLeastOnce, i));
        member.send(disconnect());
        const auto drops = broker.drops();
        const auto count = [&](broker::DropReason reason) {
            return std::ranges::count(drops, reason, &broker::Drop::reason);
        };
        EXPECT_EQ(count(broker::DropReason::Expired), 1) << name;
        EXPECT_EQ(count(broker::DropReason::QueueFull), 1) << name;
        EXPECT_EQ(count(broker::DropReason::NoMember), 3) << name;  // One of them had been sent to the member.
        EXPECT_THAT(drops, Each(testing::Field(&broker::Drop::client_id, "$share/group/a")));
    }
}

// What a member has not acknowledged when its connection ends.
class LeftByMembers : public EveryStrategy {
protected:
    void publish_one(QoS qos, std::string_view payload = "x") { publisher.send(publish("a", payload, qos, next_id++)); }
    Client member(std::string_view client_id, QoS qos = ExactlyOnce) {
        return broker.subscriber(lasting(client_id), "$share/group/a", {.qos = qos});
    }
    // For the next round of the same test.
    void end(std::string_view client_id) {
        Connect connect{.client_id = client_id};
        broker.connect(connect).send(disconnect());
    }

    Broker broker{{.limits = {.inflight_max = 2}, .policy = policy()}};
    Client publisher = broker.connect("p");
    std::uint16_t next_id = 1;
};
CHAPPE_EVERY_STRATEGY(LeftByMembers);

TEST_P(LeftByMembers, IsSentAgainWhereThereIsNobodyElse) {  // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
    for (const auto name : names) {
        auto alone = member(name);
        publish_one(AtLeastOnce);
        publish_one(ExactlyOnce);
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1", "PUBLISH a 'x' qos=2 id=2"));
        alone.drop();
        alone = broker.connect(lasting(name));
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        alone = broker.connect(lasting(name));  // Takes it over.
        EXPECT_THAT(alone.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        end(name);
    }
}

TEST_P(LeftByMembers, IsSentAgainToOneWhoHasUnsubscribed) {  // [MQTT-3.10.4-3]
    for (const auto name : names) {
        auto leaver = member(name);
        publish_one(AtLeastOnce);
        publish_one(ExactlyOnce);
        leaver.send(unsubscribe(2, {"$share/group/a"}));
        (void)leaver.received();
        auto other = member("other");
        leaver.drop();
        EXPECT_THAT(other.received(), IsEmpty());
        leaver = broker.connect(lasting(name));
        EXPECT_THAT(leaver.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1 dup", "PUBLISH a 'x' qos=2 id=2 dup"))
            << name;
        EXPECT_THAT(leaver.exchange(puback(1)), IsEmpty());
        EXPECT_THAT(leaver.exchange(pubrec(2)), ElementsAre("PUBREL 2"));
        end(name);
        end("other");
    }
    EXPECT_THAT(broker.drops(), IsEmpty());
}

TEST_P(LeftByMembers, GoesToAnotherAtOnce) {
    for (const auto name : names) {
        auto gone = member(name);
        publish_one(AtLeastOnce);
        EXPECT_EQ(gone.received().size(), 1U);
        auto other = member("other");
        gone.drop();
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a 'x' qos=1 id=1")) << name;
        EXPECT_THAT(broker.connect(lasting(name)).received(), IsEmpty()) << name;
        EXPECT_THAT(take_all(other), IsEmpty());
        end(name);
        EXPECT_THAT(other.received(), IsEmpty());
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhoComesLater) {
    for (const auto name : names) {
        auto gone = member(name);
        publish_one(AtLeastOnce);
        gone.drop();
        auto other = broker.connect(lasting("other"));
        EXPECT_THAT(other.exchange(subscribe(1, "$share/group/a", AtLeastOnce)),
                    ElementsAre("SUBACK 1 0x01", "PUBLISH a 'x' qos=1 id=1"))
            << name;
        end(name);
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhenThatHasRoom) {
    for (const auto name : names) {
        auto other = member("other");
        for (const auto* payload : {"1", "2"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(other.received().size(), 2U);
        auto gone = member(name);
        for (const auto* payload : {"3", "4", "5"}) publish_one(AtLeastOnce, payload);
        const auto taken = gone.received().size();
        gone.drop();
        EXPECT_THAT(other.received(), IsEmpty()) << name;
        other.send(puback(1));
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a '3' qos=1 id=3")) << name;
        if (taken == 2 && !by_hash()) {
            gone = broker.connect(lasting(name));
            EXPECT_THAT(gone.received(), ElementsAre("PUBLISH a '4' qos=1 id=2 dup", "PUBLISH a '5' qos=1 id=3"))
                << name;
            EXPECT_THAT(other.exchange(puback(2)), IsEmpty());
        } else {  // It was not its turn, or a hash has given its turn to the other.
            EXPECT_THAT(other.exchange(puback(2)), ElementsAre("PUBLISH a '4' qos=1 id=4")) << name;
            EXPECT_THAT(other.exchange(puback(3)), ElementsAre("PUBLISH a '5' qos=1 id=5")) << name;
            EXPECT_THAT(broker.connect(lasting(name)).received(), IsEmpty());
        }
        end(name);
        end("other");
    }
}

TEST_P(LeftByMembers, GoesToAnotherWhenTheSessionEnds) {  // [MQTT-4.8.2-5]
    for (const auto name : names) {
        auto ends = broker.subscriber(Connect{.client_id = name}, "$share/group/a", {.qos = ExactlyOnce});
        publish_one(AtLeastOnce, "one");
        publish_one(ExactlyOnce, "two");
        EXPECT_EQ(ends.received().size(), 2U);
        auto other = member("other");
        ends.drop();
        EXPECT_THAT(other.received(), ElementsAre("PUBLISH a 'one' qos=1 id=1")) << name;
        end("other");
    }
    EXPECT_EQ(broker.dropped(broker::DropReason::SessionEnded), names.size());  // QoS 2.
}

// What waits for this member, or in the queue of all, is younger.
TEST_P(LeftByMembers, GoesToAnotherInOrderWhenTheSessionEnds) {
    for (const auto name : names) {
        Connect connect{.client_id = name};
        connect.receive_maximum = 1;
        auto ends = broker.subscriber(connect, "$share/group/a", {.qos = AtLeastOnce});
        for (const auto* payload : {"1", "2", "3"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(ends.received().size(), 1U);
        auto other = broker.connect("other");
        other.send(subscribe(1, "$share/group/a", AtLeastOnce));
        const auto before = take_all(other);
        ends.drop();
        const auto after = take_all(other);
        EXPECT_TRUE(std::ranges::is_sorted(after)) << name << testing::PrintToString(after);
        EXPECT_EQ(before.size() + after.size(), 3U);
        end("other");
    }
}

TEST_P(LeftByMembers, TakesItsRoomWhenItSubscribesAgain) {
    for (const auto name : names) {
        auto back = member(name);
        publish_one(AtLeastOnce, "1");
        back.send({unsubscribe(2, {"$share/group/a"}), subscribe(3, "$share/group/a", AtLeastOnce)});
        for (const auto* payload : {"2", "3", "4"}) publish_one(AtLeastOnce, payload);
        EXPECT_THAT(back.received(), testing::IsSupersetOf({"PUBLISH a '1' qos=1 id=1", "PUBLISH a '2' qos=1 id=2"}));
        EXPECT_THAT(back.exchange(puback(1)), ElementsAre("PUBLISH a '3' qos=1 id=3")) << name;
        EXPECT_THAT(back.exchange(puback(2)), ElementsAre("PUBLISH a '4' qos=1 id=4")) << name;
        back.send({puback(3), puback(4)});
        end(name);
    }
}

// What comes while it is asked for is younger, and waits for it.
TEST_P(LeftByMembers, GoesToAnotherBeforeWhatIsYounger) {
    for (const auto name : names) {
        auto gone = member(name);
        for (const auto* payload : {"1", "2"}) publish_one(AtLeastOnce, payload);
        EXPECT_EQ(gone.received().size(), 2U);
        auto other = member("other");
        broker.hold_mail();
        gone.drop();
        for (const auto* payload : {"3", "4"}) publish_one(AtLeastOnce, payload);
        broker.read_mail();
        EXPECT_THAT(take_all(other), ElementsAre("1", "2", "3", "4")) << name;
        end(name);
        end("other");
    }
}

// Others ask for it while something else happens to the member. Whatever that is, one of them gets it, and the shared
// subscription goes on.
class Recalled : public LeftByMembers {
protected:
    void expect_that_one_gets_it(std::string_view name) {
        const auto taken = take_all(gone).size() + take_all(other).size();
        EXPECT_EQ(taken, 1U) << name;
        EXPECT_THAT(broker.drops(), IsEmpty());
        expect_that_it_goes_on(name);
    }
    void expect_that_it_goes_on(std::string_view name) {
        for (int i = 0; i != 6; ++i) publish_one(i % 2 == 0 ? AtLeastOnce : ExactlyOnce);
        EXPECT_EQ(take_all(gone).size() + take_all(other).size(), 6U) << name;
        end(name);
        end("other");
    }
    // From here on shards do not hear of one another.
    void lose(std::string_view name) {
        gone = member(name);
        publish_one(AtLeastOnce);
        EXPECT_EQ(gone.received().size(), 1U);
        other = member("other");
        broker.hold_mail();
        gone.drop();
    }

    Client gone = publisher;
    Client other = publisher;
};
CHAPPE_EVERY_STRATEGY(Recalled);

TEST_P(Recalled, WhileTheMemberComesBack) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(lasting(name));
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMemberComesBackAndIsLostAgain) {
    for (const auto name : names) {
        lose(name);
        broker.connect(lasting(name)).drop();
        broker.connect(lasting(name)).drop();
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMembersSessionEnds) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(name);
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

TEST_P(Recalled, WhileTheMemberUnsubscribes) {
    for (const auto name : names) {
        lose(name);
        gone = broker.connect(lasting(name));
        gone.send(unsubscribe(2, {"$share/group/a"}));
        broker.read_mail();
        expect_that_one_gets_it(name);
    }
}

// Who asks is on the same shard as the shared subscription, so that the question is already on its way.
TEST_P(Recalled, WhileTheMemberUnsubscribesAndIsLostAgain) {  // [MQTT-3.10.4-3]
    for (const auto name : names) {
        for (const std::string other_name : {"1", "2", "3", "4"}) {
            gone = member(name);
            publish_one(AtLeastOnce);
            gone.drop();
            other = broker.connect(lasting(other_name));
            broker.hold_mail();
            other.send(subscribe(1, "$share/group/a", AtLeastOnce));
            gone = broker.connect(lasting(name));
            const auto kept = gone.received();  // Unless it was there to be asked at once.
            gone.send(unsubscribe(2, {"$share/group/a"}));
            gone.drop();
            broker.read_mail();
            EXPECT_EQ(broker.connect(lasting(name)).received(), kept) << name << ' ' << other_name;
            EXPECT_EQ(take_all(other).size(), 1 - kept.size()) << name << ' ' << other_name;
            end(name);
            end(other_name);
        }
    }
}

TEST_P(Recalled, WhileEverybodyUnsubscribes) {
    for (const auto name : names) {
        lose(name);
        other.send(unsubscribe(2, {"$share/group/a"}));
        gone = broker.connect(lasting(name));
        gone.send({unsubscribe(2, {"$share/group/a"}), subscribe(3, "$share/group/a", AtLeastOnce)});
        other.send(subscribe(3, "$share/group/a", ExactlyOnce));
        broker.read_mail();
        take_all(gone);
        take_all(other);
        expect_that_it_goes_on(name);
    }
}

TEST_P(Recalled, WhileTheServerShutsDown) {
    lose("one");
    broker.read_mail();
    broker.hold_mail();
    other.drop();
    broker.shut_down();
    EXPECT_FALSE(publisher.connected());
}

}  // namespace
}  // namespace chappe::conformance
