#include "sim/world.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/hash.h"

namespace chappe::sim {

using broker::ConnectionId;
using broker::ShardId;

namespace {

constexpr std::size_t no_shard = ~std::size_t{0};

// The World's own place among the subscribers inside the broker.
constexpr broker::SubscriberId only_watcher{
    .shard = broker::Commons::every_shard, .kind = broker::SubscriberKind::Local, .id = 0};

}  // namespace

// A network connection. It is at one shard, or between two, or the broker is done with it.
class World::Link {
public:
    struct Chunk {
        Instant at;
        std::string bytes;
    };

    std::uint64_t number = 0;
    Endpoint* endpoint = nullptr;  // Null: the client has left, or has been told that it is closed.
    std::size_t shard = no_shard;
    ConnectionId id;

    std::deque<Chunk> to_broker;
    Instant last_to_broker{};
    bool broken = false;           // What is sent now is lost.
    bool client_finished = false;  // Nothing follows what is under way to the broker; it will be told.
    bool broker_blind = false;     // The broker hears nothing any more.

    std::deque<Chunk> to_client;
    Instant last_to_client{};
    std::size_t unread_bytes = 0;  // Taken from the broker and not yet read by the client.
    bool write_blocked = false;
    bool broker_finished = false;
    bool client_blind = false;
    Instant reads_again_at{};
};

class World::AllowAll final : public broker::Authenticator, public broker::Permissions {
public:
    std::optional<broker::Verdict> authenticate(const broker::Login&, broker::Ticket) override {
        return broker::Verdict{};
    }
    std::optional<broker::Verdict> proceed(const broker::Continuation&, broker::Ticket) override {
        return broker::Verdict{};
    }
    void abandon(broker::Ticket) override {}
    [[nodiscard]] broker::Decision decide(const broker::Question&) const override { return {}; }
    [[nodiscard]] bool restricts_receiving() const noexcept override { return false; }
};

class World::Events final : public broker::EventLog {
public:
    explicit Events(World& world) : world_(world) {}
    void record(const broker::Event& event) override {
        world_.trace(std::string(to_string(event.kind)) + " " + std::string(event.client_id) + " " +
                     std::string(event.topic) + " " + std::string(event.reason));
        if (world_.on_event_) world_.on_event_(event);
    }

private:
    World& world_;
};

class World::Watcher final : public broker::LocalSubscriber {
public:
    Watcher(std::string watched, std::function<void(const broker::Message&)> called)
        : filter(std::move(watched)), told(std::move(called)) {}
    void deliver(const broker::MessagePtr& message) override { told(*message); }

    const std::string filter;
    const std::function<void(const broker::Message&)> told;
};

World::World(const WorldOptions& options)
    : options_(options),
      random_(options.seed),
      now_(Instant{} + 24h),
      access_(std::make_unique<AllowAll>()),
      events_(std::make_unique<Events>(*this)),
      commons_(std::make_unique<broker::Commons>(options.shards, options.limits, random_.next(), *access_, *access_,
                                                 *events_)) {
    const broker::ShardConfig config{.limits = options.limits, .policy = options.policy};
    for (std::uint16_t index = 0; index != options.shards; ++index) {
        auto runner = std::make_unique<ShardRunner>();
        runner->shard = std::make_unique<broker::Shard>(ShardId{index}, *commons_, config, random_.next(), now_);
        shards_.push_back(std::move(runner));
        wake(index);
    }
}

World::~World() = default;

void World::watch(const std::string& filter, std::function<void(const broker::Message&)> told) {
    ASSERT(!watcher_);
    watcher_ = std::make_unique<Watcher>(filter, std::move(told));
    commons_->local_subscribers.push_back(watcher_.get());
    commons_->tree.add(filter, {.subscriber = only_watcher});
}

void World::stop_watching() { commons_->tree.remove(watcher_->filter, only_watcher); }

void World::trace(const std::string& line) {
    trace_hash_ = TextHash::combine(trace_hash_ ^ TextHash(7)(line), static_cast<std::uint32_t>(order_));
    if (!on_trace_) return;
    const auto time = std::chrono::duration_cast<std::chrono::microseconds>(now_ - (Instant{} + 24h)).count();
    on_trace_(std::to_string(time) + " us: " + line);
}

void World::at(Instant when, Task task) {
    due_.emplace(Due{.at = std::max(when, now_), .order = order_++}, std::move(task));
}

void World::step() {
    auto next = due_.extract(due_.begin());
    now_ = next.key().at;
    next.mapped()();
}

void World::advance(Duration time) {
    const auto until = now_ + time;
    while (!due_.empty() && due_.begin()->first.at <= until) step();
    now_ = until;
}

bool World::advance_until(const std::function<bool()>& done, Duration at_most) {
    const auto until = now_ + at_most;
    while (!done()) {
        if (due_.empty() || due_.begin()->first.at > until) return false;
        step();
    }
    return true;
}

World::LinkPtr World::connect(Endpoint& endpoint) {
    auto link = std::make_shared<Link>();
    link->number = ++links_made_;
    link->endpoint = &endpoint;
    const auto shard = static_cast<std::size_t>(random_.below(shards_.size()));
    after(random_time(options_.delay_max), [this, link, shard] {
        auto& runner = *shards_[shard];
        const auto id =
            runner.shard->accept({.address = std::to_string(link->number), .anonymous_allowed = true}, now_);
        if (!id) return tell_closed(link);
        link->shard = shard;
        link->id = *id;
        runner.links.emplace(*id, link);
        wake(shard);
    });
    return link;
}

// In pieces that are cut anywhere, one after the other.
void World::send(const LinkPtr& link, Bytes bytes) {
    if (link->broken) return;  // The client does not know yet that nobody is there.
    while (!bytes.empty()) {
        const auto size = chance(3) ? 1 + random_.below(bytes.size()) : bytes.size();
        link->last_to_broker = std::max(link->last_to_broker, now_ + random_time(options_.delay_max));
        link->to_broker.push_back({.at = link->last_to_broker, .bytes = std::string(as_text(bytes.first(size)))});
        at(link->last_to_broker, [this, link] {
            if (link->shard != no_shard) wake(link->shard);
        });
        bytes = bytes.subspan(size);
    }
}

void World::close(const LinkPtr& link) {
    link->endpoint = nullptr;
    link->client_finished = true;
    at(link->last_to_broker, [this, link] {
        if (link->shard != no_shard) wake(link->shard);
    });
}

void World::cut(const LinkPtr& link, Cut how) {
    trace("cut " + std::to_string(link->number) + " " + std::to_string(static_cast<int>(how)));
    link->broken = true;
    while (!link->to_broker.empty() && chance(2)) link->to_broker.pop_back();  // What is still under way is lost.
    if (how == Cut::BrokerBlind) {
        link->to_broker.clear();
        link->broker_blind = true;
    } else {
        link->client_finished = true;
        after(random_time(options_.delay_max), [this, link] {
            if (link->shard != no_shard) wake(link->shard);
        });
    }
    if (how == Cut::ClientBlind) {
        link->to_client.clear();
        link->client_blind = true;
    } else {
        after(random_time(options_.delay_max), [this, link] { tell_closed(link); });
    }
}

void World::stall(const LinkPtr& link, Duration time) { link->reads_again_at = now_ + time; }

bool World::open(const LinkPtr& link) const noexcept { return link->endpoint != nullptr; }

std::uint64_t World::number(const LinkPtr& link) noexcept { return link->number; }

void World::tell_closed(const LinkPtr& link) {
    if (link->endpoint != nullptr) std::exchange(link->endpoint, nullptr)->on_closed();
}

// A shard's thread gets to its work within some time; mail and bytes that come meanwhile are found together.
void World::wake(std::size_t shard) {
    auto& runner = *shards_[shard];
    if (std::exchange(runner.round_due, true)) return;
    after(random_time(options_.delay_max / 4), [this, shard] { round(shard); });
}

void World::round(std::size_t shard) {
    auto& runner = *shards_[shard];
    runner.round_due = false;
    if (std::exchange(runner.mail, false)) runner.shard->read_mail(now_);
    read_links(runner);
    runner.shard->advance(now_);
    finish_round(shard);
}

void World::read_links(ShardRunner& runner) {
    std::vector<LinkPtr> links;
    for (const auto& [id, link] : runner.links) links.push_back(link);
    for (std::size_t left = links.size(); left > 1; --left) std::swap(links[left - 1], links[random_.below(left)]);
    for (const auto& link : links) {
        if (!link->broker_blind && !link->broker_finished) {
            while (!link->to_broker.empty() && link->to_broker.front().at <= now_ && runner.shard->may_read(link->id)) {
                const auto bytes = std::move(link->to_broker.front().bytes);
                link->to_broker.pop_front();
                trace("read " + std::to_string(link->number) + " " + std::to_string(bytes.size()));
                runner.shard->receive(link->id, as_bytes(bytes), now_);
            }
        }
        const bool all_read = link->to_broker.empty() && link->last_to_broker <= now_;
        if (link->client_finished && all_read && !link->broker_finished)
            forget(link->shard, link, "closed by the client");
    }
}

void World::finish_round(std::size_t shard) {
    auto& runner = *shards_[shard];
    while (true) {
        runner.shard->end_round(now_);
        const auto actions = runner.shard->take_actions();
        if (actions.empty()) break;
        for (const auto& action : actions) perform(shard, action);
    }
    const auto deadline = runner.shard->next_deadline();
    if (!deadline || *deadline == runner.deadline_set) return;
    runner.deadline_set = *deadline;
    at(*deadline, [this, shard, set = *deadline] {
        auto& due = *shards_[shard];
        if (due.deadline_set == set) due.deadline_set = Instant::max();
        wake(shard);
    });
}

void World::perform(std::size_t shard, const broker::Action& action) {
    auto& runner = *shards_[shard];
    std::visit(
        [&]<class Kind>(const Kind& asked) {
            if constexpr (std::is_same_v<Kind, broker::action::Wake>) {
                shards_[asked.shard.value]->mail = true;
                wake(asked.shard.value);
            } else if constexpr (std::is_same_v<Kind, broker::action::ReadAllAgain>) {
                wake(shard);
            } else {
                const auto found = runner.links.find(asked.connection);
                if (found == runner.links.end()) return;
                const auto link = found->second;
                if constexpr (std::is_same_v<Kind, broker::action::Write>) write(shard, link);
                if constexpr (std::is_same_v<Kind, broker::action::Close>) close_from_broker(shard, link);
                if constexpr (std::is_same_v<Kind, broker::action::Abort>) close_from_broker(shard, link);
                if constexpr (std::is_same_v<Kind, broker::action::ReadAgain>) wake(shard);
                if constexpr (std::is_same_v<Kind, broker::action::HandOver>) hand_over(shard, link, asked.to);
            }
        },
        action);
}

void World::write(std::size_t shard, const LinkPtr& link) {
    auto& runner = *shards_[shard];
    while (true) {
        const auto* output = runner.shard->begin_write(link->id);
        if (output == nullptr) return;
        std::array<Bytes, 8> pieces;
        const auto count = output->gather(pieces);
        auto room = options_.window_bytes - std::min(link->unread_bytes, options_.window_bytes);
        if (room != 0 && chance(8)) room = 1 + random_.below(room);
        std::string taken;
        for (std::size_t piece = 0; piece != count && taken.size() != room; ++piece) {
            taken += as_text(pieces[piece]).substr(0, room - taken.size());
        }
        link->write_blocked = taken.empty();
        if (taken.empty()) return;
        runner.shard->sent(link->id, taken.size(), now_);
        link->unread_bytes += taken.size();
        deliver_later(link, std::move(taken));
    }
}

void World::deliver_later(const LinkPtr& link, std::string bytes) {
    if (link->client_blind || link->broker_blind) return;  // Into the void, where the window does not open again.
    Bytes rest = as_bytes(bytes);
    while (!rest.empty()) {
        const auto size = chance(3) ? 1 + random_.below(rest.size()) : rest.size();
        link->last_to_client = std::max(link->last_to_client, now_ + random_time(options_.delay_max));
        link->to_client.push_back({.at = link->last_to_client, .bytes = std::string(as_text(rest.first(size)))});
        at(link->last_to_client, [this, link] { deliver(link); });
        rest = rest.subspan(size);
    }
}

void World::deliver(const LinkPtr& link) {
    if (link->reads_again_at > now_) return at(link->reads_again_at, [this, link] { deliver(link); });
    while (!link->to_client.empty() && link->to_client.front().at <= now_) {
        const auto bytes = std::move(link->to_client.front().bytes);
        link->to_client.pop_front();
        link->unread_bytes -= bytes.size();
        trace("deliver " + std::to_string(link->number) + " " + std::to_string(bytes.size()));
        if (link->endpoint != nullptr) link->endpoint->on_bytes(as_bytes(bytes));
    }
    if (link->write_blocked && link->shard != no_shard) {
        const auto shard = link->shard;
        after(random_time(options_.delay_max), [this, link, shard] {
            if (link->shard != shard) return;
            write(shard, link);
            finish_round(shard);
        });
    }
    if (link->broker_finished && link->to_client.empty()) tell_closed(link);
}

void World::close_from_broker(std::size_t shard, const LinkPtr& link) {
    auto& runner = *shards_[shard];
    std::string rest;
    while (const auto* output = runner.shard->begin_write(link->id)) {
        std::array<Bytes, 8> pieces;
        const auto count = output->gather(pieces);
        std::size_t size = 0;
        for (std::size_t piece = 0; piece != count; ++piece) {
            rest += as_text(pieces[piece]);
            size += pieces[piece].size();
        }
        runner.shard->sent(link->id, size, now_);
    }
    link->broker_finished = true;
    link->unread_bytes += rest.size();
    deliver_later(link, std::move(rest));
    const bool hears = !link->client_blind && !link->broker_blind;
    if (hears)
        at(std::max(link->last_to_client, now_ + random_time(options_.delay_max)), [this, link] { deliver(link); });
    forget(shard, link, "");
}

void World::forget(std::size_t shard, const LinkPtr& link, std::string_view why) {
    auto& runner = *shards_[shard];
    runner.shard->disconnected(link->id, why, now_);
    runner.links.erase(link->id);
    link->shard = no_shard;
    link->broker_finished = true;
}

void World::hand_over(std::size_t shard, const LinkPtr& link, ShardId to) {
    auto& runner = *shards_[shard];
    auto handed_over = runner.shard->take_for_handover(link->id);
    ASSERT(handed_over);
    runner.links.erase(link->id);
    link->shard = no_shard;
    after(random_time(options_.delay_max),
          [this, link, to, handed_over = std::make_shared<broker::HandedOver>(std::move(*handed_over))] {
              auto& target = *shards_[to.value];
              link->id = target.shard->adopt(std::move(*handed_over), now_);
              link->shard = to.value;
              target.links.emplace(link->id, link);
              wake(to.value);
          });
}

std::uint64_t World::total(broker::Counter broker::Counters::* counter) const {
    std::uint64_t sum = 0;
    for (const auto& runner : shards_) sum += (runner->shard->counters().*counter).value();
    return sum;
}

std::uint64_t World::dropped(broker::DropReason reason) const {
    std::uint64_t sum = 0;
    for (const auto& runner : shards_) {
        sum += runner->shard->counters().drops[static_cast<std::size_t>(reason)].value();
    }
    return sum;
}

}  // namespace chappe::sim
