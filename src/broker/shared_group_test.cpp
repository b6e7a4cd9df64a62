#include "broker/shared_group.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

using mqtt::QoS;
using testing::ElementsAre;
using testing::UnorderedElementsAreArray;

class AGroup : public testing::Test {
protected:
    static constexpr std::uint64_t nobody = 0;

    void join(std::uint64_t session, std::uint16_t capacity = 100, bool online = true) {
        group.update({.shard = ShardId{0},
                      .session = SessionId{session},
                      .options = {.qos = QoS::ExactlyOnce},
                      .online = online,
                      .capacity = capacity});
    }
    void leave(std::uint64_t session) { group.leave(ShardId{0}, SessionId{session}); }
    SharedGroup::Member& member(std::uint64_t session) { return *group.find(ShardId{0}, SessionId{session}); }
    void done(std::uint64_t session) { member(session).done(1); }

    // The session that gets the next message.
    std::uint64_t choose(SharedStrategy strategy, std::string_view topic = "a", QoS qos = QoS::AtLeastOnce,
                         std::uint64_t publisher = 0) {
        const auto message = Message::create({.topic = topic, .qos = qos, .publisher = ClientKey{publisher}});
        auto* chosen = group.choose(*message, {strategy, random, hash});
        if (chosen == nullptr) return nobody;
        group.given_to(*chosen);
        return chosen->session.value;
    }
    std::vector<std::uint64_t> choose_many(SharedStrategy strategy, int count) {
        std::vector<std::uint64_t> chosen;
        for (int i = 0; i < count; ++i) chosen.push_back(choose(strategy));
        return chosen;
    }

    Limits limits;
    Counters counters;
    QueuedBytesTotal total = 0;
    Random random{1};
    TextHash hash{1};
    SharedGroup group{GroupId{1}, {.limits = limits, .counters = counters, .total = total}};
};

TEST_F(AGroup, OfNobodyChoosesNobody) {
    for (int strategy = 0; strategy <= static_cast<int>(SharedStrategy::HashClient); ++strategy) {
        EXPECT_EQ(choose(static_cast<SharedStrategy>(strategy)), nobody);
        EXPECT_EQ(choose(static_cast<SharedStrategy>(strategy), "a", QoS::AtMostOnce), nobody);
    }
    EXPECT_TRUE(group.empty());
}

TEST_F(AGroup, TakesTurns) {
    for (const std::uint64_t session : {1, 2, 3}) join(session);
    EXPECT_THAT(choose_many(SharedStrategy::RoundRobin, 6), ElementsAre(2, 3, 1, 2, 3, 1));
    leave(1);
    EXPECT_THAT(choose_many(SharedStrategy::RoundRobin, 3), ElementsAre(3, 2, 3));
    join(2, 100, false);
    EXPECT_THAT(choose_many(SharedStrategy::RoundRobin, 2), ElementsAre(3, 3));
    join(3, 100, false);
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), nobody);
    EXPECT_FALSE(group.anybody_online());
}

// Whoever leaves, each of the others gets one of the next messages.
TEST_F(AGroup, GoesOnInTurnWhenAMemberLeaves) {
    for (std::uint64_t leaver = 1; leaver <= 4; ++leaver) {
        for (int given = 0; given != 4; ++given) {
            for (const std::uint64_t session : {1, 2, 3, 4}) join(session);
            for (int i = 0; i != given; ++i) choose(SharedStrategy::RoundRobin);
            leave(leaver);
            std::vector<std::uint64_t> others = {1, 2, 3, 4};
            std::erase(others, leaver);
            EXPECT_THAT(choose_many(SharedStrategy::RoundRobin, 3), UnorderedElementsAreArray(others));
            for (const std::uint64_t session : {1, 2, 3, 4}) leave(session);
            EXPECT_TRUE(group.empty());
        }
    }
}

TEST_F(AGroup, GivesNobodyMoreThanTheyTake) {
    join(1, 1);
    join(2, 2);
    EXPECT_THAT(choose_many(SharedStrategy::RoundRobin, 4), ElementsAre(2, 1, 2, nobody));
    const auto taker = choose(SharedStrategy::RoundRobin, "a", QoS::AtMostOnce);  // Whoever gets QoS 0 has always room.
    ASSERT_NE(taker, nobody);
    done(taker);
    done(1);
    EXPECT_EQ(choose(SharedStrategy::Random), 1U);
    EXPECT_EQ(choose(SharedStrategy::Random), nobody);
    done(2);
    EXPECT_EQ(choose(SharedStrategy::Random), 2U);
}

// Whatever else is believed of it, it takes nothing that can wait until it says that it has room: so giving out what
// waits comes to an end.
TEST_F(AGroup, GivesNothingToAMemberThatHasRefused) {
    for (const std::uint64_t session : {1, 2}) join(session);
    const auto message = Message::create({.topic = "a", .qos = QoS::AtLeastOnce});
    for (int strategy = 0; strategy <= static_cast<int>(SharedStrategy::HashClient); ++strategy) {
        const SharedGroup::Choice choice{static_cast<SharedStrategy>(strategy), random, hash};
        member(1).refused = true;
        member(2).refused = true;
        for (const std::uint64_t session : {1, 2}) join(session);  // An update is no such word.
        const auto* chosen = group.choose(*message, choice);
        EXPECT_TRUE(chosen == nullptr || !chosen->takes(*message)) << strategy;
        EXPECT_NE(choose(choice.strategy, "a", QoS::AtMostOnce), nobody) << strategy;
        member(1).refused = false;
        member(2).refused = false;
        chosen = group.choose(*message, choice);
        EXPECT_TRUE(chosen != nullptr && chosen->takes(*message)) << strategy;
    }
}

TEST_F(AGroup, AsksBackWhatOthersTake) {
    join(1, 3, false);
    std::vector<Delivery> left;
    for (const std::uint32_t sequence : {7, 8, 9}) {
        left.push_back({.message = Message::create({.topic = "a", .qos = QoS::AtLeastOnce}),
                        .group = {.sequence = sequence, .group = group.id}});
    }
    group.leave_for_others(member(1), left);
    const SharedGroup::Choice choice{SharedStrategy::RoundRobin, random, hash};
    EXPECT_TRUE(group.recall(choice).empty());
    join(2, 2);
    const auto recalls = group.recall(choice);
    ASSERT_EQ(recalls.size(), 1U);
    EXPECT_EQ(recalls.front().second.session, SessionId{1});
    EXPECT_THAT(recalls.front().second.sequences, ElementsAre(7, 8));
    EXPECT_EQ(member(2).outstanding, 0U);  // It gets them when they are there.
    EXPECT_TRUE(group.anything_left());
    leave(1);
    EXPECT_FALSE(group.anything_left());
}

// Whose client identifier is the topic.
class OwnTopics : public Permissions {
public:
    Decision decide(const Question& question) const override {
        ++asked;
        return {.allowed = question.who.client_id == question.topic};
    }
    bool restricts_receiving() const noexcept override { return true; }

    mutable int asked = 0;
};

TEST_F(AGroup, ChoosesAmongThoseWhoMayReceive) {
    const OwnTopics permissions;
    const auto named = [&](std::uint64_t session, std::string_view name, std::uint16_t capacity) {
        join(session, capacity);
        member(session).identity = std::make_shared<const Identity>(Identity{.client_id = std::string(name)});
    };
    named(1, "a", 100);
    named(2, "b", 100);
    named(3, "b", 0);
    const auto a = Message::create({.topic = "a", .qos = QoS::AtLeastOnce});
    const auto b = Message::create({.topic = "b", .qos = QoS::AtLeastOnce});
    const auto c = Message::create({.topic = "c", .qos = QoS::AtLeastOnce});
    for (int strategy = 0; strategy <= static_cast<int>(SharedStrategy::HashClient); ++strategy) {
        const SharedGroup::Choice choice{static_cast<SharedStrategy>(strategy), random, hash, &permissions};
        for (int i = 0; i != 3; ++i) {
            EXPECT_EQ(group.choose(*a, choice), &member(1));
            EXPECT_NE(group.choose(*b, choice), &member(1));
            EXPECT_EQ(group.choose(*c, choice), nullptr);
            EXPECT_EQ(group.permitted(*a, choice), &member(1));
            EXPECT_EQ(group.permitted(*c, choice), nullptr);
        }
    }
}

TEST_F(AGroup, AtRandomAsksAboutFewMembersOnly) {
    const OwnTopics permissions;
    const auto identity = std::make_shared<const Identity>(Identity{.client_id = "a"});
    for (std::uint64_t session = 1; session <= 1000; ++session) {
        join(session);
        member(session).identity = identity;
    }
    const auto message = Message::create({.topic = "a", .qos = QoS::AtLeastOnce});
    EXPECT_NE(group.choose(*message, {SharedStrategy::Random, random, hash, &permissions}), nullptr);
    EXPECT_LT(permissions.asked, 30);
}

TEST_F(AGroup, LetsAMessageWaitForWhoIsThereAndHasTheLeastWaiting) {
    const SharedGroup::Choice choice{SharedStrategy::RoundRobin, random, hash};
    const auto message = Message::create({.topic = "a", .qos = QoS::AtLeastOnce});
    join(1, 0, false);
    EXPECT_EQ(group.permitted(*message, choice), &member(1));
    join(2, 0);
    join(3, 0);
    for (const std::uint64_t session : {2, 3, 2, 3}) {
        auto* chosen = group.permitted(*message, choice);
        ASSERT_EQ(chosen, &member(session));
        if (!chosen->backlog) {
            chosen->backlog =
                std::make_unique<GroupQueue>(QueueAccounts{.limits = limits, .counters = counters, .total = total});
        }
        chosen->backlog->push_back({.message = message});
    }
}

TEST_F(AGroup, CountsWhatAMemberHasLeftFromBefore) {
    group.update({.session = SessionId{1},
                  .options = {.qos = QoS::ExactlyOnce},
                  .online = true,
                  .capacity = 2,
                  .unacknowledged = 1});
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), 1U);
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), nobody);
}

TEST_F(AGroup, KeepsCountWhenAMemberIsUpdated) {
    join(1, 1);
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), 1U);
    join(1, 2);
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), 1U);
    EXPECT_EQ(choose(SharedStrategy::RoundRobin), nobody);
}

TEST_F(AGroup, AtRandomChoosesEverybody) {
    for (const std::uint64_t session : {1, 2, 3, 4}) join(session, 10'000);
    std::map<std::uint64_t, int> chosen;
    for (int i = 0; i < 4000; ++i) ++chosen[choose(SharedStrategy::Random)];
    EXPECT_EQ(chosen.size(), 4U);
    for (const auto& [session, count] : chosen) EXPECT_NEAR(count, 1000, 200) << session;
}

TEST_F(AGroup, SticksToAMemberUntilItIsAway) {
    for (const std::uint64_t session : {1, 2, 3}) join(session, 1);
    EXPECT_THAT(choose_many(SharedStrategy::Sticky, 3), ElementsAre(1, 1, 1));
    join(1, 1, false);
    EXPECT_THAT(choose_many(SharedStrategy::Sticky, 2), ElementsAre(2, 2));
    join(1, 1);
    EXPECT_EQ(choose(SharedStrategy::Sticky), 2U);
    leave(1);
    EXPECT_EQ(choose(SharedStrategy::Sticky), 2U);
}

TEST_F(AGroup, ByTopicMovesOnlyTheShareOfWhoLeaves) {
    for (const std::uint64_t session : {1, 2, 3, 4}) join(session);
    std::map<std::string, std::uint64_t> before;
    for (int i = 0; i < 200; ++i) {
        const auto topic = "topic/" + std::to_string(i);
        before[topic] = choose(SharedStrategy::HashTopic, topic);
        ASSERT_EQ(choose(SharedStrategy::HashTopic, topic), before[topic]);
    }
    leave(2);
    int moved = 0;
    for (const auto& [topic, session] : before) {
        const auto now = choose(SharedStrategy::HashTopic, topic);
        if (session != 2) {
            ASSERT_EQ(now, session);
        } else {
            ASSERT_NE(now, 2U);
            ++moved;
        }
    }
    EXPECT_NEAR(moved, 50, 25);
}

TEST_F(AGroup, ByClientGivesAllOfOnePublisherToOneMember) {
    for (const std::uint64_t session : {1, 2, 3, 4}) join(session);
    std::map<std::uint64_t, int> members;
    for (std::uint64_t publisher = 1; publisher <= 40; ++publisher) {
        const auto member = choose(SharedStrategy::HashClient, "a", QoS::AtLeastOnce, publisher);
        EXPECT_EQ(choose(SharedStrategy::HashClient, "b", QoS::AtLeastOnce, publisher), member);
        ++members[member];
    }
    EXPECT_EQ(members.size(), 4U);
}

}  // namespace
}  // namespace chappe::broker
