#include "server/shard_thread.h"

#include <utility>

namespace chappe::server {

using broker::ConnectionId;

net::Result<std::unique_ptr<ShardThread>> ShardThread::create(broker::ShardId id, broker::Commons& commons,
                                                              const broker::ShardConfig& config, std::uint64_t seed,
                                                              const std::vector<std::unique_ptr<ShardThread>>& others) {
    auto loop = TRY(net::EventLoop::create());
    return std::unique_ptr<ShardThread>(new ShardThread(std::move(loop), id, commons, config, seed, others));
}

ShardThread::ShardThread(std::unique_ptr<net::EventLoop> loop, broker::ShardId id, broker::Commons& commons,
                         const broker::ShardConfig& config, std::uint64_t seed,
                         const std::vector<std::unique_ptr<ShardThread>>& others)
    : loop_(std::move(loop)),
      others_(others),
      shard_(id, commons, config, seed, std::chrono::steady_clock::now()),
      lingering_(std::make_unique<net::LingeringClose>(*loop_)),
      handshakes_(std::make_unique<HandshakePace>(*loop_)) {
    loop_->on_wake([this] { has_had_mail_ |= shard_.read_mail(loop_->now()) != 0; });
    loop_->on_deadline([this] { shard_.advance(loop_->now()); });
    loop_->on_round_end([this] { finish_round(); });
}

ShardThread::~ShardThread() { stop(); }

void ShardThread::start() {
    loop_->set_deadline(shard_.next_deadline());
    thread_ = std::thread([this] { loop_->run(); });
}

void ShardThread::stop() {
    if (!thread_.joinable()) return;
    loop_->stop();
    thread_.join();
    links_.clear();
    lingering_.reset();
}

void ShardThread::with_shard(std::move_only_function<void(broker::Shard&, Instant now)> function) {
    loop_->post([this, function = std::move(function)]() mutable { function(shard_, loop_->now()); });
}

// Posted functions come first in a round, then mail, and at its end what is owed to others. So the mail of this round
// has been read, and what followed has been posted, when a function runs in the next.
void ShardThread::when_mail_is_read(std::move_only_function<void(bool quiet)> function) {
    loop_->post([this, function = std::move(function)]() mutable {
        loop_->post(
            [this, function = std::move(function)]() mutable { function(!std::exchange(has_had_mail_, false)); });
    });
}

void ShardThread::when_drained(net::Callback callback) {
    loop_->post([this, callback = std::move(callback)]() mutable { drained_ = std::move(callback); });
}

void ShardThread::going_away() {
    loop_->post([this] {
        going_away_ = true;
        for (const auto& link : links_) {
            if (link) link->going_away();
        }
    });
}

void ShardThread::accept(std::unique_ptr<net::Stream> stream, broker::Peer peer,
                         std::shared_ptr<ListenerAccount> account) {
    const auto id = shard_.accept(std::move(peer), loop_->now());
    if (!id) return stream->close();
    account->connections.fetch_add(1, std::memory_order_relaxed);
    add(*id, std::make_unique<Link>(*this, std::move(stream), std::move(account)));
}

void ShardThread::add(ConnectionId id, std::unique_ptr<Link> link) {
    const auto slot = broker::SlotMap<ConnectionId, int>::slot_of(id);
    if (slot >= links_.size()) links_.resize(slot + 1);
    auto& place = links_[slot];
    ASSERT(place == nullptr);
    place = std::move(link);
    if (going_away_) place->going_away();  // Another shard has handed it over meanwhile.
    if (const auto attached = place->attach(id); !attached) place->abort();
}

Link* ShardThread::link_of(ConnectionId id) noexcept {
    const auto slot = broker::SlotMap<ConnectionId, int>::slot_of(id);
    if (slot >= links_.size() || !links_[slot] || links_[slot]->id() != id) return nullptr;
    return links_[slot].get();
}

// The link may be the one that is running, so it is destroyed when the round ends.
void ShardThread::remove(ConnectionId id) {
    auto& place = links_[broker::SlotMap<ConnectionId, int>::slot_of(id)];
    ASSERT(place != nullptr);
    place->account()->connections.fetch_sub(1, std::memory_order_relaxed);
    ended_.push_back(std::move(place));
}

void ShardThread::finish_round() {
    while (true) {
        shard_.end_round(loop_->now());
        const auto& actions = shard_.take_actions();
        if (actions.empty()) break;
        for (const auto& action : actions) perform(action);
    }
    ended_.clear();
    if (drained_ && shard_.connection_count() == 0 && lingering_->size() == 0) std::exchange(drained_, nullptr)();
    loop_->set_deadline(shard_.next_deadline());
}

void ShardThread::perform(const broker::Action& action) {
    std::visit(
        [this]<class Kind>(const Kind& asked) {
            if constexpr (std::is_same_v<Kind, broker::action::Wake>) {
                others_[asked.shard.value]->wake();
            } else if constexpr (std::is_same_v<Kind, broker::action::ReadAllAgain>) {
                for (const auto& link : links_) {
                    if (link) link->read_again();
                }
            } else if constexpr (std::is_same_v<Kind, broker::action::HandOver>) {
                hand_over(asked.connection, asked.to);
            } else if (auto* link = link_of(asked.connection)) {
                if constexpr (std::is_same_v<Kind, broker::action::Write>) link->write();
                if constexpr (std::is_same_v<Kind, broker::action::Close>) link->close();
                if constexpr (std::is_same_v<Kind, broker::action::Abort>) link->abort();
                if constexpr (std::is_same_v<Kind, broker::action::ReadAgain>) link->read_again();
            }
        },
        action);
}

void ShardThread::hand_over(ConnectionId id, broker::ShardId to) {
    auto* link = link_of(id);
    if (link == nullptr) return;
    auto handed_over = shard_.take_for_handover(id);
    ASSERT(handed_over);
    auto account = link->account();
    auto stream = link->release_stream();
    auto& target = *others_[to.value];
    target.loop().post([&target, stream = std::move(stream), handed_over = std::move(*handed_over),
                        account = std::move(account)]() mutable {
        target.adopt(std::move(stream), std::move(handed_over), std::move(account));
    });
}

void ShardThread::adopt(std::unique_ptr<net::Stream> stream, broker::HandedOver handed_over,
                        std::shared_ptr<ListenerAccount> account) {
    account->connections.fetch_add(1, std::memory_order_relaxed);
    const auto id = shard_.adopt(std::move(handed_over), loop_->now());
    add(id, std::make_unique<Link>(*this, std::move(stream), std::move(account)));
}

}  // namespace chappe::server
