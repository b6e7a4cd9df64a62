#include "broker/match_cache.h"

#include <algorithm>
#include <stop_token>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::broker {
namespace {

SubscriberId session(std::uint64_t id, std::uint16_t shard = 0) {
    return {ShardId{shard}, SubscriberKind::Session, id};
}
Subscription subscription(std::uint64_t id, std::uint16_t shard = 0) { return {.subscriber = session(id, shard)}; }

TEST(MatchCache, AsksTheTreeOnceAsLongAsNothingChanges) {
    TopicTree tree;
    tree.add("a/+", subscription(1));
    MatchCache cache(tree, 10);
    const auto first = cache.match("a/b");
    EXPECT_EQ(first->all().size(), 1);
    EXPECT_EQ(cache.match("a/b"), first);
    tree.add("c/d", subscription(1));
    EXPECT_EQ(cache.match("a/b"), first);
    EXPECT_EQ(cache.misses(), 1);
    EXPECT_EQ(cache.hits(), 2);
}

TEST(MatchCache, SeesEveryChange) {
    TopicTree tree;
    MatchCache cache(tree, 10);
    for (const std::string filter : {"a/b", "a/+", "a/#", "+/b", "#", "a/b/#"}) {
        EXPECT_TRUE(cache.match("a/b")->empty());
        tree.add(filter, subscription(1));
        ASSERT_EQ(cache.match("a/b")->all().size(), 1) << filter;
        tree.add(filter, {.subscriber = session(1), .qos = mqtt::QoS::ExactlyOnce});
        EXPECT_EQ(cache.match("a/b")->all().front().qos, mqtt::QoS::ExactlyOnce) << filter;
        tree.remove(filter, session(1));
    }
    EXPECT_TRUE(cache.match("a/b")->empty());
    EXPECT_EQ(cache.size(), 1);
}

TEST(MatchCache, HoldsNoMoreTopicsThanAllowed) {
    const TopicTree tree;
    MatchCache cache(tree, 10);
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(cache.match(std::to_string(i))->empty());
        EXPECT_LE(cache.size(), 10);
    }
    EXPECT_EQ(cache.size(), 10);
}

TEST(MatchCache, HoldsNoMoreBytesThanAllowed) {
    TopicTree tree;
    for (std::uint64_t id = 0; id < 50; ++id) tree.add("a/#", subscription(id));
    constexpr std::size_t bytes_max = 10'000;
    MatchCache cache(tree, 1000, bytes_max);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(cache.match("a/" + std::to_string(i))->all().size(), 50);
        EXPECT_LE(cache.bytes(), bytes_max);
    }
    EXPECT_GE(cache.size(), 5);

    for (std::uint64_t id = 50; id < 200; ++id) tree.add("a/#", subscription(id));
    EXPECT_EQ(cache.match("a/0")->all().size(), 200) << "Too large to be kept, but answered";
    const auto misses = cache.misses();
    EXPECT_EQ(cache.match("a/0")->all().size(), 200);
    EXPECT_EQ(cache.misses(), misses + 1);
    EXPECT_LE(cache.bytes(), bytes_max);
}

TEST(MatchCache, KeepsWhatIsAskedAgainWhileOthersPassBy) {
    TopicTree tree;
    tree.add("hot", subscription(1));
    MatchCache cache(tree, 8);
    std::uint64_t hits = 0;
    for (int i = 0; i < 1000; ++i) {
        (void)cache.match("cold/" + std::to_string(i));
        EXPECT_EQ(cache.match("hot")->all().size(), 1);
        hits = cache.hits();
    }
    EXPECT_EQ(hits, 999);
}

TEST(MatchCache, AgreesWithTheTree) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        TopicTree tree;
        MatchCache cache(tree, 20, 10'000);
        const auto level = [&](std::string_view names) { return std::string(1, names[random.below(names.size())]); };
        for (int step = 0; step < 2'000; ++step) {
            const auto filter = level("abc+") + "/" + level("abc+") + "/" + level("abcdefgh+#");
            if (random.below(2) == 0) {
                tree.add(filter, subscription(random.below(5)));
            } else {
                tree.remove(filter, session(random.below(5)));
            }
            const auto topic = level("abc") + "/" + level("abc") + "/" + level("abcdefgh");
            const auto expected = tree.match(topic);
            ASSERT_TRUE(std::ranges::equal(cache.match(topic)->all(), expected->all())) << step;
            ASSERT_LE(cache.bytes(), 10'000);
        }
        EXPECT_GT(cache.hits(), 0);
    }
}

// A subscription that was there before a publisher asked is seen, whatever other threads do to the tree.
TEST(MatchCache, IsNeverBehindAChangeMadeBefore) {
    TopicTree tree;
    const std::jthread storm([&](const std::stop_token& stop) {
        for (std::uint64_t id = 0; !stop.stop_requested(); ++id) {
            tree.add("a/+", subscription(id % 10, 1));
            tree.remove("a/+", session((id + 5) % 10, 1));
        }
    });
    MatchCache cache(tree, 4);
    for (std::uint64_t id = 0; id < 2'000; ++id) {
        tree.add("a/#", subscription(id));
        ASSERT_EQ(std::ranges::count(cache.match("a/b")->all(), subscription(id)), 1);
        tree.remove("a/#", session(id));
        ASSERT_EQ(std::ranges::count(cache.match("a/b")->all(), subscription(id)), 0);
    }
}

}  // namespace
}  // namespace chappe::broker
