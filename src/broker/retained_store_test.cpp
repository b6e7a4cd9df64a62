#include "broker/retained_store.h"

#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "broker/topic_scan.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

using Outcome = RetainedStore::Outcome;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();
const Instant start{1h};

MessagePtr message(std::string_view topic, std::string_view payload = "x", std::optional<Instant> expires_at = {}) {
    return Message::create({.topic = topic, .payload = as_bytes(payload), .retain = true, .expires_at = expires_at});
}

bool in_order(std::string_view a, std::string_view b) { return compare_topics(a, b) < 0; }

std::string_view first_level(const MessagePtr& message) {
    return message->topic().substr(0, message->topic().find('/'));
}

// All that is read, a few messages at a time. Those with the same first level must come together and in order.
std::vector<MessagePtr> read(RetainedStore& store, std::string_view filter, Instant now = start,
                             std::size_t looks_max = 64) {
    std::vector<MessagePtr> found;
    RetainedStore::Place place;
    const auto until = store.stamp();
    for (bool more = true; more;) {
        auto looks = looks_max;
        more = store.read({.filter = filter, .until = until, .now = now}, place, looks, found);
        EXPECT_LT(looks, looks_max) << "Each call costs something, or there could be endless calls";
    }
    std::ranges::stable_sort(found, in_order, first_level);
    EXPECT_TRUE(std::ranges::is_sorted(found, in_order, &Message::topic));
    return found;
}

std::vector<std::string> match(RetainedStore& store, std::string_view filter, Instant now = start) {
    std::vector<std::string> topics;
    for (const auto& one : read(store, filter, now)) topics.emplace_back(one->topic());
    return topics;
}

TEST(RetainedStore, KeepsTheLastMessageOfATopic) {  // [MQTT-3.3.1-5]
    RetainedStore store(10, unlimited);
    EXPECT_FALSE(store.get("a"));
    EXPECT_EQ(store.set(message("a", "1")), Outcome::Stored);
    EXPECT_EQ(store.set(message("a", "2")), Outcome::Replaced);
    EXPECT_EQ(as_text(store.get("a")->payload()), "2");
    EXPECT_FALSE(store.get("a/"));
    EXPECT_EQ(store.count(), 1);
}

// [MQTT-3.3.1-6] [MQTT-3.3.1-7]
TEST(RetainedStore, RemovesWithAnEmptyPayload) {
    RetainedStore store(10, unlimited);
    store.set(message("a"));
    store.set(message("b"));
    EXPECT_EQ(store.set(message("a", "")), Outcome::Removed);
    EXPECT_EQ(store.set(message("a", "")), Outcome::NothingToRemove);
    EXPECT_EQ(store.set(message("c", "")), Outcome::NothingToRemove);
    EXPECT_FALSE(store.get("a"));
    EXPECT_THAT(match(store, "#"), ElementsAre("b"));
    EXPECT_EQ(store.count(), 1);
}

TEST(RetainedStore, CountsBytesAsMessagesComeAndGo) {
    RetainedStore store(10, unlimited);
    const auto small = message("a", "1");
    const auto large = message("a", std::string(1000, 'x'));
    store.set(small);
    EXPECT_EQ(store.bytes(), small->size_bytes());
    store.set(large);
    EXPECT_EQ(store.bytes(), large->size_bytes());
    store.set(small);
    EXPECT_EQ(store.bytes(), small->size_bytes());
    store.set(message("b"));
    store.set(message("a", ""));
    store.set(message("b", ""));
    EXPECT_EQ(store.bytes(), 0);
    EXPECT_EQ(store.count(), 0);
}

TEST(RetainedStore, RefusesMoreMessagesThanAllowed) {
    RetainedStore store(2, unlimited);
    store.set(message("a"));
    store.set(message("b"));
    EXPECT_EQ(store.set(message("c")), Outcome::FullMessages);
    EXPECT_FALSE(store.get("c"));
    EXPECT_EQ(store.set(message("b", "2")), Outcome::Replaced);
    EXPECT_EQ(store.set(message("a", "")), Outcome::Removed);
    EXPECT_EQ(store.set(message("c")), Outcome::Stored);
    EXPECT_EQ(store.count(), 2);
}

TEST(RetainedStore, RefusesMoreBytesThanAllowed) {
    const auto one = message("a", std::string(100, 'x'));
    RetainedStore store(10, 2 * one->size_bytes());
    EXPECT_EQ(store.set(one), Outcome::Stored);
    EXPECT_EQ(store.set(message("b", std::string(101, 'x'))), Outcome::FullBytes);
    EXPECT_EQ(store.set(message("b", std::string(100, 'x'))), Outcome::Stored);
    EXPECT_EQ(store.set(message("c")), Outcome::FullBytes);
    EXPECT_EQ(store.count(), 2);
    EXPECT_EQ(store.set(message("a", std::string(100, 'y'))), Outcome::Replaced) << "Room is what differs";
    EXPECT_EQ(store.set(message("a", std::string(101, 'z'))), Outcome::FullBytes);
    EXPECT_EQ(as_text(store.get("a")->payload()), std::string(100, 'y')) << "What was there stays";
    EXPECT_EQ(store.set(message("a", "smaller")), Outcome::Replaced);
    EXPECT_EQ(store.set(message("d", std::string(500, 'x'))), Outcome::FullBytes);
}

TEST(RetainedStore, TakesOtherBounds) {
    RetainedStore store(4, unlimited);
    for (const auto* topic : {"a", "b", "c", "d"}) store.set(message(topic));
    store.limits(2, 10);
    EXPECT_EQ(store.count(), 4) << "What is there stays";
    EXPECT_EQ(store.set(message("e")), Outcome::FullMessages);
    EXPECT_EQ(store.set(message("a", "y")), Outcome::Replaced) << "As long as it does not grow";
    EXPECT_EQ(store.set(message("a", "yy")), Outcome::FullBytes);
    store.limits(5, unlimited);
    EXPECT_EQ(store.set(message("e")), Outcome::Stored);
    EXPECT_EQ(store.set(message("a", "yy")), Outcome::Replaced);
}

// [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-4]
TEST(RetainedStore, MatchesFilters) {
    RetainedStore store(100, unlimited);
    for (const auto* topic : {"a", "a/", "a/b", "a/b/c", "a/c", "ab", "/a", "/", "b/b", "A/b", "a-b/b"}) {
        store.set(message(topic));
    }
    EXPECT_THAT(match(store, "a"), ElementsAre("a"));
    EXPECT_THAT(match(store, "a/b"), ElementsAre("a/b"));
    EXPECT_THAT(match(store, "a/#"), ElementsAre("a", "a/", "a/b", "a/b/c", "a/c"));
    EXPECT_THAT(match(store, "a/b/#"), ElementsAre("a/b", "a/b/c"));
    EXPECT_THAT(match(store, "a/+"), ElementsAre("a/", "a/b", "a/c"));
    EXPECT_THAT(match(store, "+"), ElementsAre("a", "ab"));
    EXPECT_THAT(match(store, "+/b"), ElementsAre("A/b", "a/b", "a-b/b", "b/b"));
    EXPECT_THAT(match(store, "+/b/#"), ElementsAre("A/b", "a/b", "a/b/c", "a-b/b", "b/b"));
    EXPECT_THAT(match(store, "/+"), ElementsAre("/", "/a"));
    EXPECT_THAT(match(store, "/#"), ElementsAre("/", "/a"));
    EXPECT_THAT(match(store, "+/+"), ElementsAre("/", "/a", "A/b", "a/", "a/b", "a/c", "a-b/b", "b/b"));
    EXPECT_THAT(match(store, "c/#"), IsEmpty());
    EXPECT_THAT(match(store, "a/+/d"), IsEmpty());
}

TEST(RetainedStore, HidesDollarTopicsFromLeadingWildcards) {  // [MQTT-4.7.2-1]
    RetainedStore store(10, unlimited);
    for (const auto* topic : {"$SYS/a", "$", "x/$SYS", "$x/y"}) store.set(message(topic));
    EXPECT_THAT(match(store, "#"), ElementsAre("x/$SYS"));
    EXPECT_THAT(match(store, "+/#"), ElementsAre("x/$SYS"));
    EXPECT_THAT(match(store, "+/a"), IsEmpty());
    EXPECT_THAT(match(store, "+"), IsEmpty());
    EXPECT_THAT(match(store, "$SYS/#"), ElementsAre("$SYS/a"));
    EXPECT_THAT(match(store, "$SYS/+"), ElementsAre("$SYS/a"));
    EXPECT_THAT(match(store, "$"), ElementsAre("$"));
}

class RetainedReader : public testing::Test {
protected:
    RetainedReader() {
        for (const auto* topic : {"a/1", "a/2", "a/3", "a/4", "a/5"}) store.set(message(topic));
    }

    std::vector<std::string> next(std::size_t looks_max, std::size_t messages_max = 64) {
        auto looks = looks_max;
        std::vector<MessagePtr> found;
        more = store.read({.filter = "a/+", .until = until, .now = start, .messages_max = messages_max}, place, looks,
                          found);
        looked = looks_max - looks;
        std::vector<std::string> topics;
        for (const auto& one : found) topics.emplace_back(one->topic());
        return topics;
    }

    RetainedStore store{10, unlimited};
    const RetainedStamp until = 5;  // One for each of them.
    RetainedStore::Place place;
    std::size_t looked = 0;
    bool more = true;
};

TEST_F(RetainedReader, GoesOnWhereItWas) {
    EXPECT_THAT(next(2), ElementsAre("a/1", "a/2"));
    EXPECT_TRUE(more);
    EXPECT_THAT(next(10, 1), ElementsAre("a/3"));
    EXPECT_EQ(looked, 1);
    EXPECT_THAT(next(10), ElementsAre("a/4", "a/5"));
    EXPECT_FALSE(more);
}

TEST_F(RetainedReader, GoesOnWhateverHasBeenRemoved) {
    EXPECT_THAT(next(2), ElementsAre("a/1", "a/2"));
    store.set(message("a/2", ""));
    store.set(message("a/3", ""));
    EXPECT_THAT(next(1), ElementsAre("a/4"));
}

TEST_F(RetainedReader, PassesOverWhatIsRetainedLater) {
    store.set(message("a/2", "new"));
    store.set(message("a/6"));
    EXPECT_THAT(next(10), ElementsAre("a/1", "a/3", "a/4", "a/5"));
}

TEST_F(RetainedReader, GoesBackToAMessage) {
    EXPECT_THAT(next(3), ElementsAre("a/1", "a/2", "a/3"));
    place = store.place_of(*store.get("a/2"));
    EXPECT_THAT(next(2), ElementsAre("a/2", "a/3"));
}

TEST(RetainedStore, CountsLooksAtWhatDoesNotMatch) {
    RetainedStore store(1000, unlimited);
    for (int i = 0; i < 1000; ++i) store.set(message("a/" + std::to_string(i) + "/x"));
    std::vector<MessagePtr> found;
    RetainedStore::Place place;
    std::size_t looks = 400;
    EXPECT_TRUE(store.read({.filter = "a/+/y", .until = store.stamp(), .now = start}, place, looks, found));
    EXPECT_EQ(looks, 0);
    looks = 10'000;
    EXPECT_FALSE(store.read({.filter = "a/+/y", .until = store.stamp(), .now = start}, place, looks, found));
    EXPECT_GT(looks, 9'000);
    EXPECT_THAT(found, IsEmpty());
}

TEST(RetainedStore, GivesNoMessageThatHasExpired) {  // [MQTT-3.3.2-5]
    RetainedStore store(10, unlimited);
    store.set(message("a/b", "x", start + 10s));
    store.set(message("a/c"));
    EXPECT_THAT(match(store, "a/+", start + 10s - 1ns), ElementsAre("a/b", "a/c"));
    EXPECT_THAT(match(store, "a/b", start + 10s - 1ns), ElementsAre("a/b"));
    EXPECT_THAT(match(store, "a/+", start + 10s), ElementsAre("a/c"));
    EXPECT_THAT(match(store, "a/b", start + 10s), IsEmpty());
}

TEST(RetainedStore, RemovesExactlyWhatHasExpired) {
    RetainedStore store(10, unlimited);
    store.set(message("later", "x", start + 20s));
    store.set(message("never"));
    store.set(message("replaced by one that lasts", "x", start + 5s));
    store.set(message("replaced by one that lasts", "y"));
    store.set(message("replaced by a later one", "x", start + 5s));
    store.set(message("replaced by a later one", "x", start + 20s));
    store.set(message("replaced by a sooner one", "x", start + 20s));
    store.set(message("replaced by a sooner one", "x", start + 5s));
    store.set(message("removed", "x", start + 5s));
    store.set(message("removed", ""));
    EXPECT_EQ(store.remove_expired(start + 4s), 0);
    EXPECT_EQ(store.remove_expired(start + 5s), 1);
    EXPECT_FALSE(store.get("replaced by a sooner one"));
    EXPECT_EQ(store.remove_expired(start + 5s), 0);
    EXPECT_EQ(store.count(), 4);
    EXPECT_EQ(store.remove_expired(start + 1000h), 2);
    EXPECT_THAT(match(store, "#"), ElementsAre("never", "replaced by one that lasts"));
    store.set(message("never", ""));
    store.set(message("replaced by one that lasts", ""));
    EXPECT_EQ(store.bytes(), 0);
}

TEST(RetainedStore, RemovesABoundedNumberPerCall) {
    RetainedStore store(100'000, unlimited);
    for (int i = 0; i < 2'500; ++i)
        store.set(message("a/" + std::to_string(i % 5) + "/" + std::to_string(i), "x", start));
    EXPECT_EQ(store.remove_expired(start), RetainedStore::remove_expired_max);
    EXPECT_EQ(store.remove_expired(start), RetainedStore::remove_expired_max);
    EXPECT_EQ(store.remove_expired(start), 500);
    EXPECT_EQ(store.remove_expired(start), 0);
    EXPECT_EQ(store.count(), 0);
}

TEST(RetainedStore, HoldsAHundredThousandTopics) {
    constexpr int topics = 100'000;
    RetainedStore store(topics, unlimited);
    for (int i = 0; i < topics; ++i) {
        const auto number = i * 7919 % topics;
        const auto topic = "site" + std::to_string(number % 7) + "/device" + std::to_string(number / 10) + "/" +
                           std::to_string(number % 10);
        ASSERT_EQ(store.set(message(topic)), Outcome::Stored);
    }
    EXPECT_EQ(store.set(message("one more")), Outcome::FullMessages);
    const auto all = match(store, "#");
    EXPECT_EQ(all.size(), topics);
    EXPECT_TRUE(std::ranges::is_sorted(all, [](auto& a, auto& b) { return compare_topics(a, b) < 0; }));
    EXPECT_EQ(match(store, "+/+/3").size(), topics / 10);
    EXPECT_EQ(match(store, "+/device77/#").size(), 10);
    EXPECT_EQ(match(store, "site3/+/+").size(),
              std::ranges::count_if(all, [](auto& t) { return t.starts_with("site3"); }));
}

std::string random_text(Random& random, std::span<const char* const> levels) {
    std::string text;
    for (auto left = 1 + random.below(4); left > 0; --left) {
        text += levels[random.below(levels.size())];
        if (text.ends_with('#') || left == 1) break;
        text += '/';
    }
    return text.empty() ? "/" : text;
}

// A slow and obvious store.
class NaiveStore {
public:
    Outcome set(const MessagePtr& message) {
        const std::string topic(message->topic());
        const bool known = messages_.erase(topic) == 1;
        if (message->payload().empty()) return known ? Outcome::Removed : Outcome::NothingToRemove;
        messages_[topic] = message;
        return known ? Outcome::Replaced : Outcome::Stored;
    }

    std::size_t remove_expired(Instant now) {
        return std::erase_if(messages_, [&](auto& entry) { return entry.second->expired(now); });
    }

    std::vector<MessagePtr> match(std::string_view filter, Instant now) const {
        std::vector<MessagePtr> found;
        for (const auto& [topic, message] : messages_) {
            if (mqtt::matches(filter, topic) && !message->expired(now)) found.push_back(message);
        }
        return found;
    }

    std::size_t count() const { return messages_.size(); }
    std::size_t bytes() const {
        std::size_t sum = 0;
        for (const auto& [topic, message] : messages_) sum += message->size_bytes();
        return sum;
    }

private:
    struct ByTopic {
        bool operator()(std::string_view a, std::string_view b) const { return compare_topics(a, b) < 0; }
    };
    std::map<std::string, MessagePtr, ByTopic> messages_;
};

MessagePtr random_message(Random& random, Instant now, std::uint64_t removals_percent) {
    static constexpr const char* levels[] = {"", "a", "b", "a b", "ab", "c", "d", "$e"};
    const auto payload = std::string(random.below(100) < removals_percent ? 0 : 1 + random.below(5), 'x');
    const auto expiry = random.below(3) == 0 ? std::optional(now + random.below(300) * 1s) : std::nullopt;
    return message(random_text(random, levels), payload, expiry);
}

TEST(RetainedStore, AgreesWithTheNaiveStore) {
    static constexpr const char* filter_levels[] = {"", "a", "b", "a b", "$e", "+", "+", "+", "#"};
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        RetainedStore store(1'000, unlimited, seed);
        NaiveStore naive;
        auto now = start;
        for (int step = 0; step < 1'000; ++step, now += 1s) {
            const auto one = random_message(random, now, step < 500 ? 20 : 60);
            ASSERT_EQ(store.set(one), naive.set(one)) << one->topic() << " at step " << step;
            if (step % 10 == 0) {
                ASSERT_EQ(store.remove_expired(now), naive.remove_expired(now)) << step;
            }
            const auto filter = random_text(random, filter_levels);
            ASSERT_EQ(read(store, filter, now, 1 + random.below(5)), naive.match(filter, now))
                << filter << " at step " << step;
            ASSERT_EQ(store.count(), naive.count());
            ASSERT_EQ(store.bytes(), naive.bytes());
        }
    }
}

// Topics come and go between the portions of a reader; those that stay are all found, once.
TEST(RetainedStore, IsChangedAndReadByManyThreads) {
    constexpr int lasting = 5'000;
    constexpr std::uint32_t messages_max = lasting + 100;
    RetainedStore store(messages_max, unlimited);
    for (int i = 0; i < lasting; ++i) store.set(message("lasting/" + std::to_string(i)));
    const auto change = [&](std::uint64_t seed) {
        Random random(seed);
        for (int round = 0; round < 4'000; ++round) {
            const auto topic = (random.below(2) == 0 ? "lasting/x" : "b/") + std::to_string(random.below(200));
            store.set(message(topic, random.below(2) == 0 ? "" : "x", start + random.below(10) * 1s));
            if (random.below(10) == 0) store.remove_expired(start + 5s);
        }
    };
    const auto read = [&](std::string_view filter) {
        for (int round = 0; round < 20; ++round) {
            const auto found = match(store, filter);
            const auto is_lasting = [](auto& topic) { return topic.starts_with("lasting/") && !topic.contains('x'); };
            ASSERT_EQ(std::ranges::count_if(found, is_lasting), lasting);
            ASSERT_TRUE(std::ranges::is_sorted(found, [](auto& a, auto& b) { return compare_topics(a, b) < 0; }));
            ASSERT_EQ(std::ranges::adjacent_find(found), found.end());
            ASSERT_LE(store.count(), messages_max);
        }
    };
    {
        std::vector<std::jthread> running;
        running.emplace_back(change, 1);
        running.emplace_back(change, 2);
        running.emplace_back(read, "#");
        running.emplace_back(read, "lasting/+");
    }
    while (store.remove_expired(start + 1h) > 0) continue;
    EXPECT_EQ(store.count(), lasting);
}

}  // namespace
}  // namespace chappe::broker
