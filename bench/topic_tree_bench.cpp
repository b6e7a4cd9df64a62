// The topic tree, the match cache and the retained store: time per operation, and bytes per filter and message.

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/random.h"
#include "broker/match_cache.h"
#include "broker/retained_store.h"
#include "broker/topic_tree.h"

namespace chappe::broker {
namespace {

constexpr std::uint64_t filters = 100'000;
constexpr std::uint64_t connections = 40;
constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

// What malloc has given out, with its own overhead.
double heap_bytes() {
    const auto info = mallinfo2();
    return static_cast<double>(info.uordblks + info.hblkhd);
}

SubscriberId session(std::uint64_t id) {
    return {ShardId{static_cast<std::uint16_t>(id % 2)}, SubscriberKind::Session, id};
}

std::string device(std::uint64_t i) { return "dev" + std::to_string(i); }

// 40 connections with 2,500 filters each; every topic below matches three of them.
std::unique_ptr<TopicTree> tree_with_wildcards() {
    auto tree = std::make_unique<TopicTree>(1);
    for (std::uint64_t i = 0; i < filters; ++i) {
        const Subscription subscription{.subscriber = session(i % connections)};
        switch (i % 3) {
            case 0:
                tree->add("site/area/+/" + device(i / 3) + "/x", subscription);
                break;
            case 1:
                tree->add("site/+/line/" + device(i / 3) + "/x", subscription);
                break;
            case 2:
                tree->add("site/area/line/" + device(i / 3) + "/#", subscription);
                break;
        }
    }
    return tree;
}

std::vector<std::string> topics(std::size_t count) {
    std::vector<std::string> out;
    Random random(1);
    for (std::size_t i = 0; i < count; ++i) out.push_back("site/area/line/" + device(random.below(filters / 3)) + "/x");
    return out;
}

template <class Make>
void report_bytes(benchmark::State& state, const char* name, double count, Make make) {
    for (auto _ : state) {
        const auto before = heap_bytes();
        const auto made = make();
        state.counters[name] = (heap_bytes() - before) / count;
    }
}

void wildcard_filter_bytes(benchmark::State& state) {
    report_bytes(state, "bytes_per_filter", filters, [] {
        auto tree = std::make_unique<TopicTree>(1);
        for (std::uint64_t i = 0; i < filters; ++i) {
            tree->add("site/area/+/" + device(i) + "/x", {.subscriber = session(i % connections)});
        }
        return tree;
    });
}
BENCHMARK(wildcard_filter_bytes)->Iterations(1);

void exact_filter_bytes(benchmark::State& state) {
    report_bytes(state, "bytes_per_filter", filters, [] {
        auto tree = std::make_unique<TopicTree>(1);
        for (std::uint64_t i = 0; i < filters; ++i) {
            tree->add("site/area/line/" + device(i) + "/command", {.subscriber = session(i)});
        }
        return tree;
    });
}
BENCHMARK(exact_filter_bytes)->Iterations(1);

void one_filter_of_many_subscribers_bytes(benchmark::State& state) {
    report_bytes(state, "bytes_per_subscription", filters, [] {
        auto tree = std::make_unique<TopicTree>(1);
        for (std::uint64_t i = 0; i < filters; ++i) tree->add("alarm/+", {.subscriber = session(i * 7919 % filters)});
        return tree;
    });
}
BENCHMARK(one_filter_of_many_subscribers_bytes)->Iterations(1);

// With 100 topics the nodes are in the processor's cache, with 20,000 they are not.
void match_uncached(benchmark::State& state) {
    const auto tree = tree_with_wildcards();
    const auto asked = topics(static_cast<std::size_t>(state.range(0)));
    std::size_t found = 0;
    std::size_t next = 0;
    for (auto _ : state) {
        found += tree->match(asked[next])->all().size();
        next = (next + 1) % asked.size();
    }
    state.counters["matches"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}
BENCHMARK(match_uncached)->Arg(100)->Arg(20'000);

void match_cached(benchmark::State& state) {
    const auto tree = tree_with_wildcards();
    const auto asked = topics(static_cast<std::size_t>(state.range(0)));
    MatchCache cache(*tree, asked.size());
    for (const auto& topic : asked) (void)cache.match(topic);
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(cache.match(asked[next]));
        next = (next + 1) % asked.size();
    }
    state.counters["misses"] = static_cast<double>(cache.misses() - cache.size());
}
BENCHMARK(match_cached)->Arg(100)->Arg(20'000);

void subscribe_and_unsubscribe(benchmark::State& state) {
    const auto tree = tree_with_wildcards();
    const auto asked = topics(20'000);
    std::size_t next = 0;
    for (auto _ : state) {
        tree->add(asked[next], {.subscriber = session(connections)});
        tree->remove(asked[next], session(connections));
        next = (next + 1) % asked.size();
    }
}
BENCHMARK(subscribe_and_unsubscribe);

void subscribe_and_unsubscribe_among_100000(benchmark::State& state) {
    TopicTree tree(1);
    for (std::uint64_t i = 0; i < filters; ++i) tree.add("alarm/+", {.subscriber = session(i * 7919 % filters)});
    std::uint64_t next = 0;
    for (auto _ : state) {
        const auto id = next++ * 7919 % filters;
        tree.remove("alarm/+", session(id));
        tree.add("alarm/+", {.subscriber = session(id)});
    }
}
BENCHMARK(subscribe_and_unsubscribe_among_100000);

void match_100000_subscribers(benchmark::State& state) {
    TopicTree tree(1);
    for (std::uint64_t i = 0; i < filters; ++i) tree.add("alarm/+", {.subscriber = session(i * 7919 % filters)});
    tree.add("#", {.subscriber = session(filters)});
    for (auto _ : state) benchmark::DoNotOptimize(tree.match("alarm/fire"));
}
BENCHMARK(match_100000_subscribers)->Unit(benchmark::kMillisecond);

// 2^12 filters of which each level is "a" or "+": the most that one topic can make match() visit.
void match_hostile_filters(benchmark::State& state) {
    TopicTree tree(1);
    for (std::uint64_t bits = 0; bits < 4096; ++bits) {
        std::string filter = "a/";
        for (int level = 0; level < 12; ++level) filter += (bits >> level & 1) != 0 ? "a/" : "+/";
        tree.add(filter + "z", {.subscriber = session(bits)});
    }
    for (auto _ : state) benchmark::DoNotOptimize(tree.match("a/a/a/a/a/a/a/a/a/a/a/a/a/y"));
}
BENCHMARK(match_hostile_filters)->Unit(benchmark::kMicrosecond);

const std::string payload(64, 'x');

MessagePtr message(std::uint64_t i, bool expires) {
    const auto topic = "site/area" + std::to_string(i % 10) + "/" + device(i / 10) + "/temperature";
    return Message::create({.topic = topic,
                            .payload = as_bytes(payload),
                            .retain = true,
                            .expires_at = expires ? std::optional(Instant(1h + i * 1s)) : std::nullopt});
}

std::unique_ptr<RetainedStore> store_of(std::uint64_t count, bool expires) {
    auto store = std::make_unique<RetainedStore>(10'000'000, unlimited, 1);
    for (std::uint64_t i = 0; i < count; ++i) store->set(message(i * 7919 % count, expires));
    return store;
}

void retained_message_bytes(benchmark::State& state) {
    report_bytes(state, "bytes_per_message", static_cast<double>(state.range(0)),
                 [&] { return store_of(static_cast<std::uint64_t>(state.range(0)), state.range(1) != 0); });
}
BENCHMARK(retained_message_bytes)
    ->ArgNames({"messages", "expire"})
    ->Args({100'000, 0})
    ->Args({100'000, 1})
    ->Iterations(1);

void retained_replace(benchmark::State& state) {
    const auto store = store_of(filters, state.range(0) != 0);
    std::vector<MessagePtr> messages;
    for (std::uint64_t i = 0; i < 10'000; ++i) messages.push_back(message(i * 7919 % filters, state.range(0) != 0));
    std::size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(store->set(messages[next]));
        next = (next + 1) % messages.size();
    }
}
BENCHMARK(retained_replace)->ArgName("expire")->Arg(0)->Arg(1);

void retained_add_and_remove(benchmark::State& state) {
    const auto store = store_of(filters, false);
    const auto added = message(filters + 5, false);
    const auto removed = Message::create({.topic = added->topic(), .payload = {}, .retain = true});
    for (auto _ : state) {
        store->set(added);
        store->set(removed);
    }
}
BENCHMARK(retained_add_and_remove);

void retained_match(benchmark::State& state, const char* filter) {
    const auto store = store_of(filters, false);
    std::vector<MessagePtr> found;
    for (auto _ : state) {
        found.clear();
        RetainedStore::Place place;
        for (bool more = true; more;) {
            std::size_t looks = 256;
            more = store->read({.filter = filter, .until = store->stamp(), .now = {}}, place, looks, found);
        }
    }
    state.counters["messages"] = static_cast<double>(found.size());
}
BENCHMARK_CAPTURE(retained_match, all, "#")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(retained_match, one_of_each_area, "site/+/dev77/temperature")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(retained_match, all_devices_none_match, "+/+/+/humidity")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(retained_match, exact, "site/area7/dev77/temperature");
BENCHMARK_CAPTURE(retained_match, below, "site/area7/dev77/#");

}  // namespace
}  // namespace chappe::broker

BENCHMARK_MAIN();
