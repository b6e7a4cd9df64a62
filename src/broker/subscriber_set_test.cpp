#include "broker/subscriber_set.h"

#include <map>
#include <memory_resource>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::broker {
namespace {

using Change = SubscriberSet::Change;
using Removal = SubscriberSet::Removal;
using mqtt::QoS;

static_assert(sizeof(SubscriberSet) == 32, "A node of a FilterTree is to fit into a cache line");

SubscriberId session(std::uint64_t id, std::uint16_t shard = 0) {
    return {ShardId{shard}, SubscriberKind::Session, id};
}

std::vector<Subscription> content(const SubscriberSet& set) {
    std::pmr::vector<Subscription> out;
    set.append_to(out);
    return {out.begin(), out.end()};
}

TEST(SubscriberSet, TellsWhatChanged) {
    for (const std::uint64_t others : {0, 1, 1000}) {
        SubscriberSet set;
        for (std::uint64_t id = 1; id <= others; ++id) set.set({.subscriber = session(id)});
        EXPECT_EQ(set.set({.subscriber = session(0)}), Change::Added);
        EXPECT_EQ(set.set({.subscriber = session(0)}), Change::None);
        EXPECT_EQ(set.set({.subscriber = session(0), .qos = QoS::ExactlyOnce}), Change::Replaced);
        EXPECT_EQ(set.set({.subscriber = session(0), .no_local = true}), Change::Replaced);
        EXPECT_EQ(content(set).front(), (Subscription{.subscriber = session(0), .no_local = true}));
        EXPECT_EQ(set.erase(session(others + 1)), Removal::None);
        EXPECT_EQ(set.erase(session(0)), Removal::Removed);
        EXPECT_EQ(set.erase(session(0)), Removal::None);
        EXPECT_EQ(content(set).size(), others);
        EXPECT_EQ(set.empty(), others == 0);
    }
}

TEST(SubscriberSet, SortsByShardKindAndId) {
    const std::vector<Subscription> sorted = {
        {.subscriber = session(9)},
        {.subscriber = {ShardId{0}, SubscriberKind::Group, 1}},
        {.subscriber = session(3, 1)},
        {.subscriber = session(4, 1)},
        {.subscriber = {ShardId{1}, SubscriberKind::Local, 0}},
    };
    SubscriberSet set;
    for (const std::size_t i : {3, 1, 4, 0, 2}) set.set(sorted[i]);
    EXPECT_EQ(content(set), sorted);
}

// Its members are on many shards and come and go independently, so the set counts them.
TEST(SubscriberSet, KeepsAGroupUntilItsLastMemberIsErased) {
    for (const std::uint64_t others : {0, 3}) {
        SubscriberSet set;
        for (std::uint64_t i = 0; i < others; ++i) set.set({.subscriber = session(i)});
        const SubscriberId group{ShardId{0}, SubscriberKind::Group, 99};
        const Subscription one_member{.subscriber = group, .subscription_identifier = 1};
        EXPECT_EQ(set.set(one_member), Change::Added);
        EXPECT_EQ(set.set(one_member), Change::MemberJoined);
        EXPECT_EQ(set.erase(group), Removal::MemberLeft);
        EXPECT_EQ(content(set).back().subscriber, group);
        EXPECT_EQ(set.erase(group), Removal::Removed);
        EXPECT_EQ(content(set).size(), others);
        EXPECT_EQ(set.erase(group), Removal::None);
    }
}

TEST(SubscriberSet, AgreesWithAMap) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        SubscriberSet set;
        std::map<SubscriberId, Subscription> model;
        for (int step = 0; step < 5'000; ++step) {
            const auto id = session(random.below(700), static_cast<std::uint16_t>(random.below(2)));
            if (random.below(100) < (step < 2'500 ? 80 : 20)) {
                const Subscription subscription{.subscriber = id, .qos = static_cast<QoS>(random.below(3))};
                set.set(subscription);
                model[id] = subscription;
            } else {
                ASSERT_EQ(set.erase(id), model.erase(id) == 1 ? Removal::Removed : Removal::None);
            }
        }
        std::vector<Subscription> expected;
        for (const auto& [id, subscription] : model) expected.push_back(subscription);
        EXPECT_EQ(content(set), expected);
    }
}

}  // namespace
}  // namespace chappe::broker
