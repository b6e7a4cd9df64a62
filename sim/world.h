#pragma once

// A broker of several shards, the network around it and the time, all in one thread and all from one seed: the same
// seed gives the same run to the last event. The shards are the real ones; what a server's threads and sockets would
// do, the World does, later or earlier as chance has it.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "broker/commons.h"
#include "broker/shard.h"

namespace chappe::sim {

// One end of a network connection, outside the broker.
class Endpoint {
public:
    virtual ~Endpoint() = default;

    virtual void on_bytes(Bytes bytes) = 0;
    virtual void on_closed() = 0;
};

// How a connection breaks.
enum class Cut : std::uint8_t {
    BothSee,      // Each end is told, one after the other.
    BrokerBlind,  // A cable is pulled: the client is told, the broker hears nothing any more.
    ClientBlind,  // The other way round.
};

struct WorldOptions {
    std::uint64_t seed = 1;
    std::uint16_t shards = 2;
    broker::Limits limits = {.client_connects_per_minute_max = 0};  // Here networks are as bad as they can be.
    broker::Policy policy = {};
    Duration delay_max = 20ms;             // Of the network, one way, and of a thread that has work.
    std::size_t window_bytes = 64 * 1024;  // What the network takes before the other end has read.
};

class World {
public:
    using Task = std::move_only_function<void()>;

    class Link;
    using LinkPtr = std::shared_ptr<Link>;

    explicit World(const WorldOptions& options);
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    // --- Time
    [[nodiscard]] Instant now() const noexcept { return now_; }
    void at(Instant when, Task task);
    void after(Duration time, Task task) { at(now_ + time, std::move(task)); }
    // Does everything that is due until then, in order.
    void advance(Duration time);
    // The same until `done` holds; false if it does not within `at_most`.
    [[nodiscard]] bool advance_until(const std::function<bool()>& done, Duration at_most);

    // --- Network, seen from outside the broker
    [[nodiscard]] LinkPtr connect(Endpoint& endpoint);
    void send(const LinkPtr& link, Bytes bytes);
    void cut(const LinkPtr& link, Cut how);
    // The client closes in order, after what it has sent.
    void close(const LinkPtr& link);
    // The client reads nothing for so long.
    void stall(const LinkPtr& link, Duration time);
    [[nodiscard]] bool open(const LinkPtr& link) const noexcept;
    // The broker's events name a connection by this: it is the peer's address.
    [[nodiscard]] static std::uint64_t number(const LinkPtr& link) noexcept;

    // --- Chance
    [[nodiscard]] Random& random() noexcept { return random_; }
    [[nodiscard]] bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }
    [[nodiscard]] Duration random_time(Duration at_most) {
        return Duration{random_.below(static_cast<std::uint64_t>(at_most.count()) + 1)};
    }

    // --- The broker
    [[nodiscard]] broker::Commons& commons() noexcept { return *commons_; }
    [[nodiscard]] broker::Shard& shard(std::size_t index) noexcept { return *shards_[index]->shard; }
    [[nodiscard]] std::size_t shard_count() const noexcept { return shards_.size(); }
    [[nodiscard]] std::uint64_t total(broker::Counter broker::Counters::* counter) const;
    [[nodiscard]] std::uint64_t dropped(broker::DropReason reason) const;
    // How late a thread may get to what is due.
    [[nodiscard]] Duration lateness_max() const noexcept { return options_.delay_max / 4; }
    // Tells every event of the broker, at its time.
    void on_event(std::function<void(const broker::Event&)> told) { on_event_ = std::move(told); }
    // Tells every message of a topic filter when the broker publishes it, as a feature inside the broker is told.
    void watch(const std::string& filter, std::function<void(const broker::Message&)> told);
    void stop_watching();

    // A number that depends on everything that has happened.
    [[nodiscard]] std::uint64_t trace_hash() const noexcept { return trace_hash_; }
    // Tells every event from now on; for looking at one seed.
    void on_trace(std::function<void(const std::string&)> told) { on_trace_ = std::move(told); }
    void trace(const std::string& line);

private:
    struct ShardRunner {
        std::unique_ptr<broker::Shard> shard;
        std::map<broker::ConnectionId, LinkPtr> links;
        bool mail = false;
        bool round_due = false;
        Instant deadline_set = Instant::max();
    };
    struct Due {
        Instant at;
        std::uint64_t order = 0;
        friend bool operator<(const Due& a, const Due& b) noexcept {
            return a.at != b.at ? a.at < b.at : a.order < b.order;
        }
    };

    class AllowAll;
    class Events;
    class Watcher;

    void step();
    void wake(std::size_t shard);
    void round(std::size_t shard);
    void read_links(ShardRunner& runner);
    void finish_round(std::size_t shard);
    void perform(std::size_t shard, const broker::Action& action);
    void write(std::size_t shard, const LinkPtr& link);
    void close_from_broker(std::size_t shard, const LinkPtr& link);
    void hand_over(std::size_t shard, const LinkPtr& link, broker::ShardId to);
    void forget(std::size_t shard, const LinkPtr& link, std::string_view why);
    void deliver_later(const LinkPtr& link, std::string bytes);
    void deliver(const LinkPtr& link);
    void tell_closed(const LinkPtr& link);

    WorldOptions options_;
    Random random_;
    Instant now_;
    std::map<Due, Task> due_;
    std::uint64_t order_ = 0;
    std::unique_ptr<AllowAll> access_;
    std::unique_ptr<Events> events_;
    std::unique_ptr<Watcher> watcher_;
    std::unique_ptr<broker::Commons> commons_;
    std::vector<std::unique_ptr<ShardRunner>> shards_;
    std::uint64_t links_made_ = 0;
    std::uint64_t trace_hash_ = 0;
    std::function<void(const std::string&)> on_trace_;
    std::function<void(const broker::Event&)> on_event_;
};

}  // namespace chappe::sim
