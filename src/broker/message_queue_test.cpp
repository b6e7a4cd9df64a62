#include "broker/message_queue.h"

#include <algorithm>
#include <deque>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"

namespace chappe::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Instant at(int second) { return Instant{} + std::chrono::seconds{second}; }

// Its topic is its name.
Delivery delivery(std::string_view name, std::optional<Instant> expires_at = {}) {
    return {.message = Message::create({.topic = name,
                                        .payload = {},
                                        .properties = {},
                                        .qos = mqtt::QoS::AtLeastOnce,
                                        .expires_at = expires_at,
                                        .publisher = {}}),
            .qos = mqtt::QoS::AtLeastOnce,
            .subscription_identifiers = {},
            .group = {}};
}

std::vector<std::string> names(const std::vector<Delivery>& deliveries) {
    std::vector<std::string> names;
    for (const auto& one : deliveries) names.emplace_back(one.message->topic());
    return names;
}

class MessageQueueTest : public testing::Test {
protected:
    std::vector<std::string> expired(int second) {
        std::vector<Delivery> taken;
        queue.take_expired(at(second), taken);
        return names(taken);
    }

    std::vector<std::string> rest() {
        std::vector<Delivery> taken;
        while (!queue.empty()) taken.push_back(queue.pop_front());
        return names(taken);
    }

    Limits limits;
    Counters counters;
    QueuedBytesTotal total = 0;
    MessageQueue queue{{.limits = limits, .counters = counters, .total = total}};
};

TEST_F(MessageQueueTest, TakesWhatHasExpiredFromTheMiddle) {
    queue.push_back(delivery("1"));
    queue.push_back(delivery("2", at(20)));
    queue.push_back(delivery("3", at(10)));
    queue.push_back(delivery("4", at(30)));
    EXPECT_THAT(expired(9), IsEmpty());
    EXPECT_THAT(expired(20), ElementsAre("3", "2"));
    EXPECT_EQ(queue.size(), 2U);
    EXPECT_THAT(expired(20), IsEmpty());
    EXPECT_THAT(rest(), ElementsAre("1", "4"));
    EXPECT_EQ(total, 0U);
    EXPECT_EQ(counters.queued_messages.value(), 0U);
    EXPECT_EQ(counters.queued_bytes.value(), 0U);
}

TEST_F(MessageQueueTest, IsEmptyWhenAllHasExpired) {
    for (const auto* name : {"1", "2", "3"}) queue.push_back(delivery(name, at(10)));
    EXPECT_EQ(expired(10).size(), 3U);
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_EQ(total, 0U);
    queue.push_back(delivery("4", at(20)));
    EXPECT_THAT(rest(), ElementsAre("4"));
}

TEST_F(MessageQueueTest, WhatComesBackToTheFrontIsNotTakenForWhatWasThere) {
    queue.push_back(delivery("gone", at(10)));
    queue.push_back(delivery("2"));
    static_cast<void>(queue.pop_front());
    queue.push_front(delivery("back", at(20)));
    queue.push_front(delivery("before", at(15)));
    EXPECT_THAT(expired(10), IsEmpty());
    EXPECT_THAT(expired(15), ElementsAre("before"));
    EXPECT_THAT(expired(20), ElementsAre("back"));
    EXPECT_THAT(rest(), ElementsAre("2"));
}

TEST_F(MessageQueueTest, ExtractTakesTheRestInOrder) {
    queue.push_back(delivery("1"));
    queue.push_back(delivery("expired", at(10)));
    queue.push_back(delivery("2", at(20)));
    queue.push_back(delivery("3"));
    EXPECT_THAT(expired(10), ElementsAre("expired"));
    std::vector<Delivery> taken;
    queue.extract([](const Delivery& one) { return one.message->topic() != "2"; }, taken);
    EXPECT_THAT(names(taken), ElementsAre("1", "3"));
    EXPECT_EQ(queue.size(), 1U);
    EXPECT_THAT(expired(20), ElementsAre("2"));
    EXPECT_EQ(total, 0U);
}

// Against a plain list of what must be there.
TEST_F(MessageQueueTest, AgreesWithAListWhateverIsDone) {
    struct Waiting {
        std::string name;
        Instant expires_at;
    };
    for (std::uint64_t seed = 1; seed != 20; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        std::deque<Waiting> expected;
        int now = 0;
        for (int step = 0; step != 1000; ++step) {
            const auto name = std::to_string(step);
            const bool expires = random.below(3) != 0;
            const auto expires_at = at(now + 1 + static_cast<int>(random.below(200)));
            const Waiting waiting{name, expires ? expires_at : Instant::max()};
            const auto created = delivery(name, expires ? std::optional(expires_at) : std::nullopt);
            switch (random.below(8)) {
                case 0:
                    queue.push_front(created);
                    expected.push_front(waiting);
                    break;
                case 1:
                case 2:
                    if (expected.empty()) break;
                    ASSERT_EQ(queue.front().message->topic(), expected.front().name);
                    ASSERT_EQ(queue.pop_front().message->topic(), expected.front().name);
                    expected.pop_front();
                    break;
                case 3: {
                    now += static_cast<int>(random.below(50));
                    auto taken = expired(now);
                    std::vector<std::string> gone;
                    for (const auto& one : expected) {
                        if (one.expires_at <= at(now)) gone.push_back(one.name);
                    }
                    std::erase_if(expected, [&](const Waiting& one) { return one.expires_at <= at(now); });
                    ASSERT_THAT(taken, testing::UnorderedElementsAreArray(gone));
                    break;
                }
                default:
                    queue.push_back(created);
                    expected.push_back(waiting);
            }
            ASSERT_EQ(queue.size(), expected.size());
            ASSERT_EQ(queue.empty(), expected.empty());
        }
        std::vector<std::string> left;
        for (const auto& one : expected) left.push_back(one.name);
        EXPECT_EQ(rest(), left);
        EXPECT_EQ(total, 0U);
        EXPECT_EQ(queue.size_bytes(), 0U);
    }
}

}  // namespace
}  // namespace chappe::broker
