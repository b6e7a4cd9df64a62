#include "broker/mailbox.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::broker {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Mail that can be told apart: Receipts whose numbers say who sent them and in which order.
Mail numbered(std::uint64_t number) { return mail::Receipt{.pending = PendingId{number}}; }

std::vector<std::uint64_t> numbers(const std::vector<Mail>& mail) {
    std::vector<std::uint64_t> numbers;
    for (const auto& one : mail) numbers.push_back(std::get<mail::Receipt>(one).pending.value);
    return numbers;
}

class AMailbox : public testing::Test {
protected:
    bool put(std::initializer_list<std::uint64_t> batch, std::size_t bytes = 0) {
        std::vector<Mail> mail;
        for (const auto number : batch) mail.push_back(numbered(number));
        const bool wake = mailbox.put(mail, bytes);
        EXPECT_THAT(mail, IsEmpty());
        return wake;
    }

    std::vector<std::uint64_t> take() {
        std::vector<Mail> mail;
        waiting.clear();
        mailbox.take(mail, waiting);
        return numbers(mail);
    }

    Mailbox mailbox;
    std::vector<ShardId> waiting;
};

TEST_F(AMailbox, GivesAllBatchesAtOnceInOrder) {
    put({1, 2});
    put({3});
    EXPECT_THAT(take(), ElementsAre(1, 2, 3));
    EXPECT_THAT(take(), IsEmpty());
}

TEST_F(AMailbox, AsksForOneWakeUpUntilItIsEmptied) {
    EXPECT_TRUE(put({1}));
    EXPECT_FALSE(put({2}));
    take();
    EXPECT_TRUE(put({3}));
}

TEST_F(AMailbox, RemembersWhoFoundItFullUntilItIsEmptied) {
    put({1}, 100);
    EXPECT_FALSE(mailbox.full_for(ShardId{1}, 100));
    put({2}, 1);
    EXPECT_EQ(mailbox.bytes(), 101U);
    EXPECT_TRUE(mailbox.full_for(ShardId{2}, 100));
    EXPECT_TRUE(mailbox.full_for(ShardId{3}, 100));
    take();
    EXPECT_THAT(waiting, ElementsAre(ShardId{2}, ShardId{3}));
    EXPECT_EQ(mailbox.bytes(), 0U);
    EXPECT_FALSE(mailbox.full_for(ShardId{2}, 100));
    take();
    EXPECT_THAT(waiting, IsEmpty());
}

TEST_F(AMailbox, KeepsTheOrderOfEachOfManySenders) {
    constexpr std::uint64_t senders = 3;
    constexpr std::uint64_t each = 5000;
    std::vector<std::uint64_t> next(senders, 0);
    {
        std::vector<std::jthread> threads;
        for (std::uint64_t sender = 0; sender < senders; ++sender) {
            threads.emplace_back([this, sender] {
                for (std::uint64_t number = 0; number < each; ++number) {
                    std::vector<Mail> batch;
                    batch.push_back(numbered(number * senders + sender));
                    (void)mailbox.put(batch, 1);
                }
            });
        }
        for (std::uint64_t taken = 0; taken < senders * each;) {
            for (const auto number : take()) {
                ASSERT_EQ(number / senders, next[number % senders]++);
                ++taken;
            }
        }
    }
    EXPECT_EQ(mailbox.bytes(), 0U);
}

}  // namespace
}  // namespace chappe::broker
