#include "broker/topic_tree.h"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "base/random.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

using mqtt::QoS;

SubscriberId session(std::uint64_t id, std::uint16_t shard = 0) {
    return {ShardId{shard}, SubscriberKind::Session, id};
}
Subscription subscription(std::uint64_t id, std::uint16_t shard = 0) { return {.subscriber = session(id, shard)}; }

struct MatchCase {
    std::string filter;
    std::string topic;
    bool matches;
};

class TopicTreeMatch : public testing::TestWithParam<MatchCase> {};

// Also with other filters around, which must make no difference.
TEST_P(TopicTreeMatch, AsSection47Says) {
    const auto& [filter, topic, matches] = GetParam();
    TopicTree tree;
    tree.add(filter, subscription(1));
    EXPECT_EQ(!tree.match(topic)->empty(), matches) << filter << " " << topic;
    EXPECT_EQ(mqtt::matches(filter, topic), matches);

    std::uint64_t others = 2;
    for (const auto* other : {"#", "+", "/", "a", "a/#", "a/+", "a/b", "+/b", "a/b/c", "+/+/+/#", "$SYS/#", "//"}) {
        if (other != filter) tree.add(other, subscription(others++));
    }
    const auto found = tree.match(topic);
    const bool among = !found->empty() && found->all().front() == subscription(1);
    EXPECT_EQ(among, matches) << filter << " " << topic;
}

INSTANTIATE_TEST_SUITE_P(Literal, TopicTreeMatch,
                         testing::Values(MatchCase{"a", "a", true}, MatchCase{"a", "b", false},
                                         MatchCase{"a/b", "a/b", true}, MatchCase{"a/b", "a", false},
                                         MatchCase{"a", "a/b", false}, MatchCase{"a/b/c", "a/b", false}));

// [MQTT-4.7.3-4] No normalisation: case, slashes at the ends, empty levels and spaces make a difference.
INSTANTIATE_TEST_SUITE_P(NotNormalised, TopicTreeMatch,
                         testing::Values(MatchCase{"ACCOUNTS", "Accounts", false}, MatchCase{"a", "/a", false},
                                         MatchCase{"a", "a/", false}, MatchCase{"/a", "/a", true},
                                         MatchCase{"a/", "a/", true}, MatchCase{"a//b", "a//b", true},
                                         MatchCase{"a//b", "a/b", false}, MatchCase{"/", "/", true},
                                         MatchCase{"//", "/", false}, MatchCase{"a b", "a b", true},
                                         MatchCase{"a ", "a", false}, MatchCase{"\xc3\xa9", "e\xcc\x81", false}));

// [MQTT-4.7.1-1] '#' stands for the parent level and any number of levels below it.
INSTANTIATE_TEST_SUITE_P(MultiLevel, TopicTreeMatch,
                         testing::Values(MatchCase{"#", "a", true}, MatchCase{"#", "a/b/c", true},
                                         MatchCase{"#", "/", true}, MatchCase{"a/#", "a", true},
                                         MatchCase{"a/#", "a/", true}, MatchCase{"a/#", "a/b", true},
                                         MatchCase{"a/#", "a/b/c/d", true}, MatchCase{"a/#", "b", false},
                                         MatchCase{"a/#", "ab", false}, MatchCase{"a/#", "/a", false},
                                         MatchCase{"/#", "/", true}, MatchCase{"/#", "/a", true},
                                         MatchCase{"/#", "a", false}, MatchCase{"a/b/#", "a", false},
                                         MatchCase{"+/#", "a", true}, MatchCase{"+/#", "a/b/c", true},
                                         MatchCase{"+/b/#", "a/b", true}, MatchCase{"+/b/#", "a/c", false}));

// [MQTT-4.7.1-2] '+' stands for exactly one level, which may be empty.
INSTANTIATE_TEST_SUITE_P(SingleLevel, TopicTreeMatch,
                         testing::Values(MatchCase{"+", "a", true}, MatchCase{"+", "/a", false},
                                         MatchCase{"+/+", "/a", true}, MatchCase{"/+", "/a", true},
                                         MatchCase{"a/+", "a", false}, MatchCase{"a/+", "a/", true},
                                         MatchCase{"a/+", "a/b", true}, MatchCase{"a/+", "a/b/c", false},
                                         MatchCase{"a/+/c", "a/b/c", true}, MatchCase{"a/+/c", "a//c", true},
                                         MatchCase{"a/+/c", "a/b/d", false}, MatchCase{"a/+/c", "a/c", false},
                                         MatchCase{"+/b", "a/b", true}, MatchCase{"+/+/+", "a/b", false},
                                         MatchCase{"a/+/+/d", "a/b/c/d", true}, MatchCase{"a/+/#", "a", false},
                                         MatchCase{"a/+/#", "a/b", true}));

// [MQTT-4.7.2-1] What begins with '$' is not for filters that begin with a wildcard.
INSTANTIATE_TEST_SUITE_P(Dollar, TopicTreeMatch,
                         testing::Values(MatchCase{"#", "$SYS/a", false}, MatchCase{"+/a", "$SYS/a", false},
                                         MatchCase{"+/#", "$SYS/a", false}, MatchCase{"#", "$", false},
                                         MatchCase{"+", "$SYS", false}, MatchCase{"$SYS/#", "$SYS/a", true},
                                         MatchCase{"$SYS/+", "$SYS/a", true}, MatchCase{"$SYS/a", "$SYS/a", true},
                                         MatchCase{"a/+", "a/$b", true}, MatchCase{"a/#", "a/$b/c", true},
                                         MatchCase{"+/$b", "a/$b", true}));

TEST(TopicTree, KeepsOneSubscriptionPerSubscriberAndFilter) {  // [MQTT-3.8.4-3]
    TopicTree tree;
    EXPECT_TRUE(tree.add("a/+", {.subscriber = session(1), .qos = QoS::AtMostOnce}));
    EXPECT_FALSE(tree.add("a/+", {.subscriber = session(1), .qos = QoS::ExactlyOnce, .subscription_identifier = 5}));
    EXPECT_EQ(tree.subscription_count(), 1);
    const auto found = tree.match("a/b");
    ASSERT_EQ(found->all().size(), 1);
    EXPECT_EQ(found->all().front(),
              (Subscription{.subscriber = session(1), .qos = QoS::ExactlyOnce, .subscription_identifier = 5}));
}

TEST(TopicTree, RemovesExactlyTheFilterNamed) {  // [MQTT-3.10.4-1]
    TopicTree tree;
    tree.add("a/+", subscription(1));
    tree.add("a/b", subscription(1));
    EXPECT_FALSE(tree.remove("a/+", session(2)));
    EXPECT_FALSE(tree.remove("a/c", session(1)));
    EXPECT_FALSE(tree.remove("a/#", session(1)));
    EXPECT_FALSE(tree.remove("+/b", session(1)));
    EXPECT_FALSE(tree.remove("a", session(1)));
    EXPECT_EQ(tree.match("a/b")->all().size(), 2);
    EXPECT_TRUE(tree.remove("a/+", session(1)));
    EXPECT_FALSE(tree.remove("a/+", session(1)));
    EXPECT_EQ(tree.match("a/b")->all().size(), 1);
    EXPECT_EQ(tree.subscription_count(), 1);
}

TEST(TopicTree, PutsOverlappingSubscriptionsOfOneSubscriberSideBySide) {
    TopicTree tree;
    for (const auto* filter : {"a/b", "a/+", "a/#", "#", "+/b", "+/+"}) {
        for (const std::uint64_t id : {3, 1, 2}) {
            for (const std::uint16_t shard : {std::uint16_t{1}, std::uint16_t{0}})
                tree.add(filter, subscription(id, shard));
        }
    }
    tree.add("a/b", {.subscriber = {ShardId{0}, SubscriberKind::Group, 1}});
    const auto found = tree.match("a/b");
    ASSERT_EQ(found->all().size(), 37);
    EXPECT_TRUE(std::ranges::is_sorted(found->all(), {}, &Subscription::subscriber));

    ASSERT_EQ(found->shards().size(), 2);
    EXPECT_EQ(found->of(found->shards()[0]).size(), 19);
    EXPECT_EQ(found->of(found->shards()[1]).size(), 18);
    for (const auto& range : found->shards()) {
        for (const auto& one : found->of(range)) EXPECT_EQ(one.subscriber.shard, range.shard);
    }
}

TEST(TopicTree, CountsEachMemberOfAGroup) {
    TopicTree tree;
    const Subscription member{.subscriber = {ShardId{0}, SubscriberKind::Group, 1}, .subscription_identifier = 1};
    EXPECT_TRUE(tree.add("a", member));
    EXPECT_FALSE(tree.add("a", member));
    EXPECT_EQ(tree.subscription_count(), 2);
    EXPECT_FALSE(tree.remove("a", member.subscriber));
    EXPECT_EQ(tree.subscription_count(), 1);
    EXPECT_TRUE(tree.remove("a", member.subscriber));
    EXPECT_FALSE(tree.remove("a", member.subscriber));
    EXPECT_EQ(tree.subscription_count(), 0);
}

TEST(TopicTree, RemovesNodesThatNothingNeeds) {
    TopicTree tree;
    for (const auto* filter : {"a/+/b", "a/+/c", "a/+/#", "#", "x/y/z", "a/b/c/d/+"}) tree.add(filter, subscription(1));
    EXPECT_EQ(tree.node_count(), 5 + 1 + 1 + 4);
    EXPECT_EQ(tree.size_bytes(), 11 * 80 + 5 + 1 + 5 + 4);
    EXPECT_TRUE(tree.remove("a/+/b", session(1)));
    EXPECT_EQ(tree.node_count(), 10);
    EXPECT_EQ(tree.match("a/x/c")->all().size(), 3);
    for (const auto* filter : {"a/b/c/d/+", "a/+/#", "x/y/z", "#", "a/+/c"}) tree.remove(filter, session(1));
    EXPECT_EQ(tree.node_count(), 0);
    EXPECT_EQ(tree.size_bytes(), 0);
    EXPECT_EQ(tree.subscription_count(), 0);
}

TEST(TopicTree, WalksTheDeepestTopicsWithoutRecursion) {
    const auto repeat = [](std::string_view text, std::size_t times) {
        std::string out;
        for (std::size_t i = 0; i < times; ++i) out += text;
        return out;
    };
    TopicTree tree;
    const auto pluses = "a" + repeat("/+", 32'767);
    tree.add(pluses, subscription(1));
    tree.add(repeat("/", 65'534) + "#", subscription(2));
    tree.add(repeat("/", 65'534) + "+", subscription(3));
    EXPECT_EQ(tree.match("a" + repeat("/", 32'767))->all().size(), 1);
    EXPECT_EQ(tree.match(repeat("/", 65'535))->all().size(), 1);
    EXPECT_EQ(tree.match(repeat("/", 65'534))->all().size(), 2);
    EXPECT_TRUE(tree.remove(pluses, session(1)));
    EXPECT_TRUE(tree.match("a" + repeat("/", 32'767))->empty());
}

// 2^12 filters, each level "a" or "+", in front of a level that does not match. The walk is bounded by their nodes.
TEST(TopicTree, MatchesDespiteFiltersMadeToBranch) {
    TopicTree tree;
    for (std::uint64_t bits = 0; bits < 4096; ++bits) {
        std::string filter = "a/";
        for (int level = 0; level < 12; ++level) filter += (bits >> level & 1) != 0 ? "a/" : "+/";
        tree.add(filter + "z", subscription(bits));
    }
    EXPECT_TRUE(tree.match("a/a/a/a/a/a/a/a/a/a/a/a/a/y")->empty());
    EXPECT_EQ(tree.match("a/a/a/a/a/a/a/a/a/a/a/a/a/z")->all().size(), 4096);
    EXPECT_EQ(tree.match("a/b/a/a/a/a/a/a/a/a/a/a/a/z")->all().size(), 2048);
}

// 100,000 sessions with the same filter come and go. That each does not move all others is what makes this end soon.
TEST(TopicTree, BearsManySubscribersOfOneFilter) {
    TopicTree tree;
    constexpr std::uint64_t sessions = 100'000;
    const auto id = [](std::uint64_t i) { return i * 7919 % sessions; };  // In no particular order.
    for (std::uint64_t i = 0; i < sessions; ++i) ASSERT_TRUE(tree.add("alarm/+", subscription(id(i))));
    EXPECT_EQ(tree.subscription_count(), sessions);
    const auto found = tree.match("alarm/fire");
    EXPECT_EQ(found->all().size(), sessions);
    EXPECT_TRUE(std::ranges::is_sorted(found->all(), {}, &Subscription::subscriber));
    for (std::uint64_t i = 0; i < sessions; ++i) ASSERT_TRUE(tree.remove("alarm/+", session(id(i * 3))));
    EXPECT_EQ(tree.node_count(), 0);
}

TEST(TopicTree, CountsGenerationsOnlyWhereMatchesMayChange) {
    TopicTree tree;
    const auto changes = [&](std::string_view topic, std::string_view filter, QoS qos = QoS::AtMostOnce) {
        const auto before = tree.generation(topic);
        tree.add(filter, {.subscriber = session(1), .qos = qos});
        return tree.generation(topic) != before;
    };
    EXPECT_TRUE(changes("a/b/c", "a/b/c"));
    EXPECT_FALSE(changes("a/b/c", "a/b/c")) << "The same subscription again";
    EXPECT_TRUE(changes("a/b/c", "a/b/c", QoS::AtLeastOnce));
    EXPECT_TRUE(changes("a/b/c", "a/b/+"));
    EXPECT_TRUE(changes("a/b/c", "a/#"));
    EXPECT_TRUE(changes("a/b/c", "#"));
    EXPECT_TRUE(changes("a", "a/+"));
    EXPECT_FALSE(changes("a/b/c", "a/b/d"));
    EXPECT_FALSE(changes("a/b/c", "a/c/#"));
    EXPECT_FALSE(changes("a/b/c", "b/#"));
    EXPECT_FALSE(changes("$SYS/a", "+/a"));

    const auto before = tree.generation("a/b/c");
    tree.remove("a/b/c", session(2));
    EXPECT_EQ(tree.generation("a/b/c"), before) << "Nothing removed";
    tree.remove("a/b/c", session(1));
    EXPECT_NE(tree.generation("a/b/c"), before);
}

std::vector<Subscription> sorted(std::span<const Subscription> subscriptions) {
    std::vector<Subscription> out(subscriptions.begin(), subscriptions.end());
    std::ranges::sort(out, {}, [](const Subscription& one) { return std::tuple(one.subscriber, one.qos); });
    return out;
}

// A slow and obvious tree: every filter with its subscriptions, and mqtt::matches().
struct NaiveTree {
    std::map<std::string, std::map<SubscriberId, Subscription>, std::less<>> filters;

    std::vector<Subscription> match(std::string_view topic) const {
        std::vector<Subscription> found;
        for (const auto& [filter, subscriptions] : filters) {
            if (!mqtt::matches(filter, topic)) continue;
            for (const auto& [id, one] : subscriptions) found.push_back(one);
        }
        return sorted(found);
    }
};

std::string random_text(Random& random, std::span<const char* const> levels) {
    std::string text;
    for (auto left = 1 + random.below(5); left > 0; --left) {
        text += levels[random.below(levels.size())];
        if (text.ends_with('#') || left == 1) break;
        text += '/';
    }
    return text.empty() ? "/" : text;
}

std::string random_topic(Random& random) {
    static constexpr const char* levels[] = {"", "a", "b", "c", "$d", "a level that is longer than fifteen bytes"};
    return random_text(random, levels);
}

std::string random_filter(Random& random) {
    static constexpr const char* levels[] = {"",  "a", "b", "$d",
                                             "+", "+", "#", "a level that is longer than fifteen bytes"};
    return random_text(random, levels);
}

TEST(TopicTree, AgreesWithTheNaiveTree) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        TopicTree tree(seed);
        NaiveTree naive;
        std::map<std::string, std::pair<Generation, std::vector<Subscription>>> remembered;
        for (int step = 0; step < 1'000; ++step) {
            const auto filter = random_filter(random);
            const Subscription one{.subscriber = session(random.below(4), static_cast<std::uint16_t>(random.below(2))),
                                   .qos = static_cast<QoS>(random.below(3))};
            auto& known = naive.filters[filter];
            if (random.below(100) < (step < 500 ? 70 : 30)) {
                ASSERT_EQ(tree.add(filter, one), !known.contains(one.subscriber)) << step;
                known[one.subscriber] = one;
            } else {
                ASSERT_EQ(tree.remove(filter, one.subscriber), known.erase(one.subscriber) == 1) << step;
            }
            const auto topic = random_topic(random);
            const auto generation = tree.generation(topic);
            const auto found = tree.match(topic);
            ASSERT_TRUE(std::ranges::is_sorted(found->all(), {}, &Subscription::subscriber));
            const auto all = sorted(found->all());
            ASSERT_EQ(all, naive.match(topic)) << topic << " at step " << step;
            const auto last = remembered.find(topic);
            if (last != remembered.end() && last->second.first == generation) {
                ASSERT_EQ(all, last->second.second) << topic << " at step " << step;
            }
            remembered[topic] = {generation, all};
        }
        for (const auto& [filter, subscriptions] : naive.filters) {
            for (const auto& [id, one] : subscriptions) ASSERT_TRUE(tree.remove(filter, id));
        }
        ASSERT_EQ(tree.node_count(), 0);
    }
}

// Threads add and remove subscriptions of their own and look for them, while others do the same to the same filters.
TEST(TopicTree, IsChangedAndReadByManyThreads) {
    constexpr std::uint16_t threads = 4;
    constexpr int rounds = 2'000;
    TopicTree tree;
    tree.add("a/#", subscription(1, threads));  // Always there.
    const auto work = [&](std::uint16_t shard) {
        Random random(shard);
        static constexpr const char* filters[] = {"#", "+/b", "a/+", "a/b", "a/b/#", "b/+", "b/c"};
        for (int round = 0; round < rounds; ++round) {
            const std::string filter = filters[random.below(std::size(filters))];
            const std::string topic = filter.contains("b/c") || filter.contains("b/+") ? "b/c" : "a/b";
            const auto mine = subscription(random.below(3), shard);
            const auto before = tree.generation(topic);
            ASSERT_TRUE(tree.add(filter, mine));
            ASSERT_NE(tree.generation(topic), before);
            ASSERT_EQ(std::ranges::count(tree.match(topic)->all(), mine), 1);
            ASSERT_EQ(std::ranges::count(tree.match("a/b")->all(), subscription(1, threads)), 1);
            ASSERT_TRUE(tree.remove(filter, mine.subscriber));
            ASSERT_EQ(std::ranges::count(tree.match(topic)->all(), mine), 0);
        }
    };
    {
        std::vector<std::jthread> running;
        for (std::uint16_t shard = 0; shard < threads; ++shard) running.emplace_back(work, shard);
    }
    EXPECT_EQ(tree.subscription_count(), 1);
    EXPECT_EQ(tree.node_count(), 2);
}

}  // namespace
}  // namespace chappe::broker
