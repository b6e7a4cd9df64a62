#include "broker/group_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

using testing::ElementsAre;

class AGroupQueue : public testing::Test {
protected:
    static Delivery delivery(std::uint32_t sequence) {
        return {.message = Message::create({.topic = "a"}), .group = {.sequence = sequence}};
    }
    static std::vector<Delivery> deliveries(std::initializer_list<std::uint32_t> sequences) {
        std::vector<Delivery> made;
        for (const auto sequence : sequences) made.push_back(delivery(sequence));
        return made;
    }
    std::vector<std::uint32_t> take_all() {
        std::vector<std::uint32_t> sequences;
        for (const auto& taken : queue.take_all()) sequences.push_back(taken.group.sequence);
        return sequences;
    }

    Limits limits;
    Counters counters;
    QueuedBytesTotal total = 0;
    GroupQueue queue{{.limits = limits, .counters = counters, .total = total}};
};

TEST_F(AGroupQueue, TakesBackInOrder) {
    for (const std::uint32_t sequence : {3, 6, 9}) queue.push_back(delivery(sequence));
    queue.take_back(deliveries({1, 2}));
    queue.take_back(deliveries({4, 10}));
    queue.take_back(deliveries({}));
    queue.take_back(deliveries({5}));
    queue.take_back(deliveries({13, 11}));
    EXPECT_EQ(counters.queued_messages.value(), 10U);
    EXPECT_THAT(take_all(), ElementsAre(1, 2, 3, 4, 5, 6, 9, 10, 11, 13));
    EXPECT_TRUE(queue.empty());
    EXPECT_EQ(total.load(), 0U);
}

TEST_F(AGroupQueue, KeepsOrderWhereTheCountStartsAgain) {
    queue.push_back(delivery(1));
    queue.take_back(deliveries({0xFFFF'FFFE, 0xFFFF'FFFF, 2}));
    EXPECT_THAT(take_all(), ElementsAre(0xFFFF'FFFE, 0xFFFF'FFFF, 1, 2));
}

}  // namespace
}  // namespace chappe::broker
