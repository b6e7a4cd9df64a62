#include "net/event_loop.h"

#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include <gmock/gmock.h>

#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::receive_text;
using test::run_until;
using test::send_text;
using test::SocketPair;
using test::TestHandler;
using ::testing::ElementsAre;

// --- Readiness ---

TEST(EventLoop, TellsAtOnceWhatIsReadyAlready) {
    const auto loop = make_loop();
    SocketPair pair;
    send_text(pair.far.get(), "x");
    TestHandler handler;
    const auto watch = loop->watch(pair.near.get(), handler);
    ASSERT_TRUE(watch.has_value());
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 1);
    EXPECT_TRUE(handler.last.readable);
    EXPECT_TRUE(handler.last.writable);
    EXPECT_FALSE(handler.last.hung_up);
}

TEST(EventLoop, TellsAReadinessOnce) {
    const auto loop = make_loop();
    SocketPair pair;
    TestHandler handler;
    const auto watch = loop->watch(pair.near.get(), handler);
    loop->run_once(0ms);
    send_text(pair.far.get(), "x");
    loop->run_once(0ms);
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 2) << "The byte is still unread, but nothing new has happened.";
    send_text(pair.far.get(), "y");
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 3);
    EXPECT_TRUE(handler.last.readable);
}

TEST(EventLoop, TellsThatThePeerHasGone) {
    const auto loop = make_loop();
    SocketPair pair;
    TestHandler handler;
    const auto watch = loop->watch(pair.near.get(), handler);
    loop->run_once(0ms);
    pair.far.close();
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 2);
    EXPECT_TRUE(handler.last.hung_up);
    EXPECT_TRUE(handler.last.readable) << "so that a handler that only reads notices";
    EXPECT_TRUE(handler.last.writable) << "so that a handler that only writes notices";
}

TEST(EventLoop, ReportsADescriptorThatCannotBeWatched) {
    const auto loop = make_loop();
    TestHandler handler;
    const auto watch = loop->watch(-1, handler);
    ASSERT_FALSE(watch.has_value());
    EXPECT_EQ(watch.error().code, EBADF);
    EXPECT_EQ(watch.error().what, "watch a descriptor: Bad file descriptor");
}

TEST(EventLoop, ServesMoreReadySocketsThanOneRoundTakes) {
    const auto loop = make_loop({.events_per_round_max = 2});
    std::vector<SocketPair> pairs(7);
    std::vector<Watch> watches;
    watches.reserve(pairs.size());
    TestHandler handler;
    for (const auto& pair : pairs) watches.push_back(loop->watch(pair.near.get(), handler).value());
    for (auto round = 0; round < 4; ++round) loop->run_once(0ms);
    EXPECT_GE(handler.calls, 7 - 1) << "The loop's own eventfd may have taken one of the eight places.";
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 7);
}

// --- Removal during dispatch ---

// A watched socket with something to read.
struct Watched {
    Watched(EventLoop& loop, TestHandler::Action action)
        : handler(std::move(action)), watch(loop.watch(pair.near.get(), handler).value()) {
        send_text(pair.far.get(), "x");
    }

    SocketPair pair;
    TestHandler handler;
    Watch watch;
};

TEST(EventLoop, AHandlerMayDestroyTheOthersOfTheSameRound) {
    const auto loop = make_loop();
    std::vector<std::unique_ptr<Watched>> all;
    all.reserve(3);
    auto calls = 0;
    for (auto i = 0; i < 3; ++i) {
        all.push_back(std::make_unique<Watched>(*loop, [&all, &calls, i](Readiness) {
            ++calls;
            for (auto other = 0; other < 3; ++other) {
                if (other != i) all[static_cast<std::size_t>(other)].reset();
            }
        }));
    }
    loop->run_once(0ms);
    EXPECT_EQ(calls, 1);
    loop->run_once(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AHandlerMayDestroyItself) {
    const auto loop = make_loop();
    std::unique_ptr<Watched> watched;
    auto calls = 0;
    watched = std::make_unique<Watched>(*loop, [&watched, &calls](Readiness) {
        ++calls;
        watched.reset();
    });
    loop->run_once(0ms);
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(watched, nullptr);
    loop->run_once(0ms);
}

// The new socket gets the slot of the destroyed one, whose event the round has already collected.
TEST(EventLoop, AnEventOfADestroyedHandlerDoesNotReachItsSuccessor) {
    const auto loop = make_loop();
    SocketPair quiet;
    TestHandler successor;
    Watch successor_watch;
    std::array<std::unique_ptr<Watched>, 2> both;
    const auto replace_other = [&](std::size_t other) {
        return [&, other](Readiness) {
            both[other].reset();
            successor_watch = loop->watch(quiet.near.get(), successor).value();
            EXPECT_EQ(successor.calls, 0);
        };
    };
    both[0] = std::make_unique<Watched>(*loop, replace_other(1));
    both[1] = std::make_unique<Watched>(*loop, replace_other(0));
    loop->run_once(0ms);
    EXPECT_EQ(successor.calls, 0) << "It was called for the event of another socket.";
    loop->run_once(0ms);
    EXPECT_EQ(successor.calls, 1);
    EXPECT_FALSE(successor.last.readable);
}

TEST(EventLoop, EndsAWatchWithoutClosingItsSocket) {
    const auto loop = make_loop();
    SocketPair pair;
    TestHandler handler;
    auto watch = loop->watch(pair.near.get(), handler).value();
    watch.reset();
    send_text(pair.far.get(), "x");
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 0);
    EXPECT_EQ(receive_text(pair.near.get()), "x");

    const auto second = loop->watch(pair.near.get(), handler);
    EXPECT_TRUE(second.has_value()) << "The same socket can be watched again.";
}

// --- again() ---

TEST(EventLoop, CallsAgainWithoutStarvingOthers) {
    const auto loop = make_loop();
    TestHandler busy([&](Readiness) { loop->again(busy); });
    TestHandler other;
    loop->again(busy);
    loop->again(other);
    loop->run_once({});
    EXPECT_EQ(busy.calls, 1);
    EXPECT_EQ(other.calls, 1);
    loop->run_once({});
    EXPECT_EQ(busy.calls, 2);
    EXPECT_EQ(other.calls, 1);
    loop->cancel_again(busy);
    loop->run_once(0ms);
    EXPECT_EQ(busy.calls, 2);
}

TEST(EventLoop, CallsOnceForAnEventAndAnAgain) {
    const auto loop = make_loop();
    SocketPair pair;
    TestHandler handler;
    const auto watch = loop->watch(pair.near.get(), handler);
    loop->again(handler);
    loop->again(handler, {.hung_up = true});
    loop->run_once({});
    EXPECT_EQ(handler.calls, 1);
    EXPECT_TRUE(handler.last.readable && handler.last.writable && handler.last.hung_up);
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 1);
}

TEST(EventLoop, DoesNotCallAgainWhatHasBeenDestroyed) {
    const auto loop = make_loop();
    auto gone_before = std::make_unique<TestHandler>([](Readiness) { FAIL(); });
    auto gone_meanwhile = std::make_unique<TestHandler>([](Readiness) { FAIL(); });
    TestHandler last;
    TestHandler first([&](Readiness) { gone_meanwhile.reset(); });
    loop->again(first);
    loop->again(*gone_before);
    loop->again(*gone_meanwhile);
    loop->again(last);
    gone_before.reset();
    loop->run_once({});
    EXPECT_EQ(first.calls, 1);
    EXPECT_EQ(last.calls, 1);
}

TEST(EventLoop, OutlivedByAHandlerThatWaitedForAgain) {
    TestHandler one;
    TestHandler two;
    {
        const auto loop = make_loop();
        loop->again(one);
        loop->again(two);
    }
    const auto next = make_loop();
    next->cancel_again(one);
    next->cancel_again(two);
    next->again(two);
    next->run_once({});
    EXPECT_EQ(one.calls, 0);
    EXPECT_EQ(two.calls, 1);
}

// --- Order within a round ---

TEST(EventLoop, KeepsTheOrderOfARound) {
    const auto loop = make_loop();
    std::vector<std::string> log;
    SocketPair pair;
    TestHandler handler([&](Readiness) { log.emplace_back("ready"); });
    TestHandler again([&](Readiness) { log.emplace_back("again"); });
    Timer timer(*loop, [&] { log.emplace_back("timer"); });
    const auto watch = loop->watch(pair.near.get(), handler);
    loop->on_wake([&] { log.emplace_back("wake"); });
    loop->on_deadline([&] { log.emplace_back("deadline"); });
    loop->on_round_end([&] { log.emplace_back("end"); });
    loop->again(again);
    loop->set_deadline(loop->now());
    timer.set(loop->now());
    loop->post([&] { log.emplace_back("posted"); });
    loop->run_once({});
    EXPECT_THAT(log, ElementsAre("posted", "wake", "ready", "again", "timer", "deadline", "end"));
    log.clear();
    loop->run_once(0ms);
    EXPECT_THAT(log, ElementsAre("end"));
}

TEST(EventLoop, HasOneTimePerRound) {
    const auto loop = make_loop();
    Instant seen;
    TestHandler handler([&](Readiness) {
        seen = loop->now();
        while (std::chrono::steady_clock::now() <= seen) {
        }
        EXPECT_EQ(loop->now(), seen);
    });
    loop->again(handler);
    loop->run_once({});
    EXPECT_EQ(loop->now(), seen);
    loop->run_once(0ms);
    EXPECT_GT(loop->now(), seen);
}

// --- Deadlines ---

TEST(EventLoop, CallsAtTheDeadlineOnce) {
    const auto loop = make_loop();
    const auto deadline = std::chrono::steady_clock::now() + 5ms;
    auto calls = 0;
    loop->on_deadline([&] {
        ++calls;
        EXPECT_GE(loop->now(), deadline);
    });
    loop->set_deadline(deadline);
    auto rounds = 0;
    while (calls == 0 && ++rounds < 1000) loop->run_once({});
    EXPECT_EQ(calls, 1);
    EXPECT_LE(rounds, 4) << "It sleeps until the deadline and does not spin.";
    loop->run_once(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(EventLoop, ForgetsADeadlineThatIsTakenBack) {
    const auto loop = make_loop();
    loop->on_deadline([] { FAIL(); });
    loop->set_deadline(loop->now());
    loop->set_deadline({});
    loop->run_once(0ms);
}

TEST(EventLoop, TheDeadlineSetsTheNextOne) {
    const auto loop = make_loop();
    auto calls = 0;
    loop->on_deadline([&] {
        if (++calls < 3) loop->set_deadline(loop->now());
    });
    loop->set_deadline(loop->now());
    loop->run_once({});
    EXPECT_EQ(calls, 1) << "One call a round, so that a deadline in the past cannot hold the loop.";
    EXPECT_TRUE(run_until(*loop, [&] { return calls == 3; }));
}

TEST(Timer, IsCalledInTheOrderOfTime) {
    const auto loop = make_loop();
    const auto start = std::chrono::steady_clock::now();
    std::vector<int> log;
    const auto note = [&](int milliseconds) {
        return [&log, &loop, start, milliseconds] {
            log.push_back(milliseconds);
            EXPECT_GE(loop->now(), start + std::chrono::milliseconds(milliseconds));
        };
    };
    Timer third(*loop, note(6));
    Timer first(*loop, note(2));
    Timer second(*loop, note(4));
    Timer never(*loop, note(0));
    third.set(start + 6ms);
    first.set(start + 2ms);
    second.set(start + 40s);
    second.set(start + 4ms);
    never.set(start);
    never.cancel();
    loop->on_deadline([&] { log.push_back(5); });
    loop->set_deadline(start + 5ms);
    EXPECT_TRUE(second.is_set());
    EXPECT_FALSE(never.is_set());
    ASSERT_TRUE(run_until(*loop, [&] { return log.size() == 4; }));
    std::erase(log, 5);  // The loop's deadline comes in its time, but its order among timers of one round is not told.
    EXPECT_THAT(log, ElementsAre(2, 4, 6));
}

TEST(Timer, MayDestroyOthersAndItself) {
    const auto loop = make_loop();
    auto calls = 0;
    std::array<std::unique_ptr<Timer>, 3> timers;
    for (auto& timer : timers) {
        timer = std::make_unique<Timer>(*loop, [&] {
            ++calls;
            timers = {};
        });
        timer->set(loop->now());
    }
    loop->run_once({});
    EXPECT_EQ(calls, 1);
}

TEST(Timer, SetToThePastIsCalledInTheNextRound) {
    const auto loop = make_loop();
    auto calls = 0;
    Timer timer(*loop, [&] {
        ++calls;
        timer.set(loop->now() - 1s);
    });
    timer.set(loop->now());
    loop->run_once({});
    EXPECT_EQ(calls, 1);
    loop->run_once({});
    EXPECT_EQ(calls, 2);
}

// --- Other threads ---

// How often the process's only eventfd has been written to: the loop never reads it, so its counter tells.
std::uint64_t eventfd_writes() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        if (std::filesystem::read_symlink(entry.path(), error) != "anon_inode:[eventfd]") continue;
        std::ifstream info("/proc/self/fdinfo/" + entry.path().filename().string());
        for (std::string word; info >> word;) {
            if (word == "eventfd-count:") {
                info >> word;
                return std::stoull(word, nullptr, 16);
            }
        }
    }
    ADD_FAILURE() << "There is no eventfd.";
    return 0;
}

TEST(LoopRemote, ManyWakesAreOneCallAndNoWriteWhileTheLoopIsAwake) {
    const auto loop = make_loop();
    auto calls = 0;
    loop->on_wake([&] { ++calls; });
    for (auto i = 0; i < 1000; ++i) loop->wake();
    EXPECT_EQ(eventfd_writes(), 0U);
    loop->run_once({});
    EXPECT_EQ(calls, 1);
    loop->run_once(0ms);
    EXPECT_EQ(calls, 1);
}

TEST(LoopRemote, AWakeDuringOnWakeIsNotLost) {
    const auto loop = make_loop();
    auto calls = 0;
    loop->on_wake([&] {
        if (++calls == 1) loop->wake();
    });
    loop->wake();
    loop->run_once({});
    EXPECT_EQ(calls, 1);
    loop->run_once({});
    EXPECT_EQ(calls, 2);
}

TEST(LoopRemote, NoWakeIsLostAndFewAreWritten) {
    const auto loop = make_loop();
    constexpr std::uint64_t threads = 4;
    constexpr std::uint64_t wakes = 5000;
    std::atomic<std::uint64_t> sent = 0;
    std::uint64_t on_wake_calls = 0;
    loop->on_wake([&] {
        ++on_wake_calls;
        // The only stop there is: should the last wake be lost, the loop would sleep for ever.
        if (sent.load(std::memory_order_relaxed) == threads * wakes) loop->stop();
    });
    {
        std::vector<std::jthread> senders;
        senders.reserve(threads);
        for (std::uint64_t i = 0; i < threads; ++i) {
            senders.emplace_back([&] {
                for (std::uint64_t n = 0; n < wakes; ++n) {
                    sent.fetch_add(1, std::memory_order_relaxed);
                    loop->wake();
                }
            });
        }
        loop->run();
    }
    EXPECT_EQ(sent.load(), threads * wakes);
    EXPECT_LE(eventfd_writes(), on_wake_calls + 1) << "At most one write for each time that the loop slept.";
}

TEST(LoopRemote, RunsPostedFunctionsOfManyThreadsInOrder) {
    const auto loop = make_loop();
    constexpr std::size_t threads = 8;
    constexpr int posts = 500;
    std::array<int, threads> next{};
    auto run = std::size_t{0};
    const auto own_thread = std::this_thread::get_id();
    {
        std::vector<std::jthread> senders;
        senders.reserve(threads);
        for (std::size_t i = 0; i < threads; ++i) {
            senders.emplace_back([&, i] {
                for (auto n = 0; n < posts; ++n) {
                    loop->post([&, i, n] {
                        EXPECT_EQ(std::this_thread::get_id(), own_thread);
                        EXPECT_EQ(next[i]++, n);
                        if (++run == threads * posts) loop->stop();
                    });
                }
            });
        }
        loop->run();
    }
    EXPECT_THAT(next, ::testing::Each(posts));
}

TEST(LoopRemote, WhatIsPostedByAPostedFunctionRunsInTheNextRound) {
    const auto loop = make_loop();
    auto calls = 0;
    loop->post([&] {
        ++calls;
        loop->post([&] { ++calls; });
    });
    loop->run_once({});
    EXPECT_EQ(calls, 1);
    loop->run_once({});
    EXPECT_EQ(calls, 2);
}

TEST(LoopRemote, OutlivesTheLoopAndRefuses) {
    auto loop = make_loop();
    const auto remote = loop->remote();
    const auto owned = std::make_shared<int>();
    EXPECT_TRUE(remote->post([owned] { FAIL(); }));
    EXPECT_EQ(owned.use_count(), 2);
    loop.reset();
    EXPECT_EQ(owned.use_count(), 1) << "What the loop has not run is destroyed with it.";
    EXPECT_FALSE(remote->post([owned] { FAIL(); }));
    EXPECT_EQ(owned.use_count(), 1);
    remote->wake();
    remote->stop();
}

TEST(EventLoop, StopsFromAnotherThreadAndRunsAgain) {
    const auto loop = make_loop();
    for (auto i = 0; i < 3; ++i) {
        std::latch running(1);
        auto posted = false;
        loop->post([&] {
            posted = true;
            running.count_down();
        });
        const std::jthread stopper([&] {
            running.wait();
            loop->stop();
        });
        loop->run();
        EXPECT_TRUE(posted);
    }
}

TEST(EventLoop, AStopBeforeRunEndsItAtOnce) {
    const auto loop = make_loop();
    auto rounds = 0;
    loop->on_round_end([&] { ++rounds; });
    loop->stop();
    loop->run();
    EXPECT_EQ(rounds, 0);
}

TEST(EventLoopDeathTest, IsUsedFromItsOwnThreadOnly) {
    testing::GTEST_FLAG(death_test_style) = "threadsafe";
    const auto use_from_another_thread = [] {
        const auto loop = make_loop();
        TestHandler handler;
        std::latch done(1);
        std::jthread other;
        loop->post([&] {
            other = std::jthread([&] {
                loop->again(handler);
                done.count_down();
            });
            done.wait();
        });
        loop->run();
    };
    EXPECT_DEATH(use_from_another_thread(), "may_be_used_here");
}

TEST(EventLoop, HasABufferToReadInto) {
    const auto loop = make_loop({.read_buffer_bytes = 4096});
    EXPECT_EQ(loop->read_buffer().size(), 4096U);
    EXPECT_EQ(make_loop()->read_buffer().size(), 256U * 1024);
}

}  // namespace
}  // namespace chappe::net
