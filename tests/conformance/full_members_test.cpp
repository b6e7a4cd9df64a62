// Shared subscriptions whose members have no room for a message.

#include "tests/conformance/every_strategy.h"

namespace chappe::conformance {
namespace {

using testing::Each;

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

}  // namespace
}  // namespace chappe::conformance
