// A message that finds the full queue of a client that is away: time per message, by what waits.

#include <cstdint>
#include <memory>

#include <benchmark/benchmark.h>

#include "broker/session.h"

namespace chappe::broker {
namespace {

class Everything : public Permissions {
public:
    [[nodiscard]] Decision decide(const Question&) const override { return {}; }
    [[nodiscard]] bool restricts_receiving() const noexcept override { return false; }
};

// What a Session needs around it, without a shard.
struct Surroundings {
    explicit Surroundings(std::uint32_t queue_messages_max) : limits{.queue_messages_max = queue_messages_max} {}

    Limits limits;
    Policy policy;
    Counters counters;
    QueuedBytesTotal total = 0;
    PublishEncoder encoder;
    RetainedStore retained{0, 0};
    Everything permissions;
    SessionEvents events;
    JournalWriter journal{nullptr, ShardId{0}};
    TextHash hash{1};
    Ring<SessionId> retained_readers;
    SessionEnvironment environment{.accounts = {.limits = limits, .counters = counters, .total = total},
                                   .policy = policy,
                                   .encoder = encoder,
                                   .retained = retained,
                                   .permissions = permissions,
                                   .events = events,
                                   .journal = journal,
                                   .hash = hash,
                                   .retained_readers = retained_readers};
};

MessagePtr message(std::optional<Instant> expires_at) {
    return Message::create({.topic = "site/area/line/device/value",
                            .payload = as_bytes("21.5"),
                            .properties = {},
                            .qos = mqtt::QoS::AtLeastOnce,
                            .expires_at = expires_at,
                            .publisher = {}});
}

void deliver(Session& session, Surroundings& around, const MessagePtr& message, Instant now) {
    benchmark::DoNotOptimize(session.deliver(message, mqtt::QoS::AtLeastOnce, false, {}, {}, now));
    around.events.clear();
}

// Nothing that waits ever expires.
void full_queue(benchmark::State& state) {
    Surroundings around(static_cast<std::uint32_t>(state.range(0)));
    Session session(SessionId{1}, "client", around.environment);
    const auto lasting = message(std::nullopt);
    for (std::int64_t i = 0; i != state.range(0); ++i) deliver(session, around, lasting, Instant{});
    for (auto step : state) deliver(session, around, lasting, Instant{});
}

// Every second message expires after half as many others have come: the worst that a publisher can do.
void full_queue_in_which_messages_expire(benchmark::State& state) {
    Surroundings around(static_cast<std::uint32_t>(state.range(0)));
    Session session(SessionId{1}, "client", around.environment);
    const auto lasting = message(std::nullopt);
    Instant now{};
    const auto deliver_next = [&] {
        now += 1ms;
        const bool expires = now.time_since_epoch() / 1ms % 2 == 0;
        deliver(session, around, expires ? message(now + 1ms * (state.range(0) / 2)) : lasting, now);
    };
    for (std::int64_t i = 0; i != 2 * state.range(0); ++i) deliver_next();
    for (auto step : state) deliver_next();
}

BENCHMARK(full_queue)->Arg(1'000)->Arg(20'000)->Arg(60'000);
BENCHMARK(full_queue_in_which_messages_expire)->Arg(1'000)->Arg(20'000)->Arg(60'000);

}  // namespace
}  // namespace chappe::broker

BENCHMARK_MAIN();
