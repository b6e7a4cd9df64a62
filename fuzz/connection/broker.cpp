#include "fuzz/connection/broker.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "broker/session.h"

namespace chappe::fuzz {

using broker::ShardId;

namespace {

constexpr std::uint64_t seed = 1;
constexpr int rounds_max = 10'000;  // More at one moment are an endless loop.
constexpr int deadlines_met = 16;   // On the way to a later time; the rest is met late, as by a busy thread.
constexpr std::uint32_t answered_beyond_max = 64;  // Connections that are refused with a word.
constexpr std::size_t one_subscription_bytes = 16 * 1024;

}  // namespace

Broker::Broker(const Setup& setup, const Trace& trace)
    : setup_(setup),
      trace_(trace),
      bounds_(setup.limits),
      permissions_(setup.restricted),
      commons_(shard_count, setup.limits, seed, authenticator_, permissions_, events_) {
    if (setup.journaling != Journaling::None) commons_.journal = &journal_;
    for (std::uint16_t index = 0; index != shard_count; ++index) {
        const broker::ShardConfig config{.limits = setup.limits, .policy = setup.policy};
        shards_[index] = std::make_unique<broker::Shard>(ShardId{index}, commons_, config, seed + index, now_);
    }
}

// --- The network

void Broker::open(std::size_t index, std::uint16_t shard) {
    auto& link = links_[index];
    if (link) cut(*link);
    link = std::make_unique<Link>(index, asked_, permissions_, trace_);
    link->shard = ShardId{shard};
    const auto id = shards_[shard]->accept({.address = "fuzzer", .anonymous_allowed = true}, now_);
    link->open = id.has_value();
    if (id) link->id = *id;
}

void Broker::cut(Link& link) {
    if (!link.open) return;
    if (link.handed_over) adopt(link);
    end(link);
}

void Broker::adopt(Link& link) {
    link.id = shards_[link.shard.value]->adopt(std::move(*link.handed_over), now_);
    link.handed_over.reset();
}

void Broker::end(Link& link) {
    link.open = false;
    shards_[link.shard.value]->disconnected(link.id, "the fuzzer says so", now_);
}

// Each piece in a block of its own, so that a step beyond it is seen.
void Broker::read(Link& link) {
    auto& shard = *shards_[link.shard.value];
    while (link.open && !link.unread.empty() && shard.may_read(link.id)) {
        const auto size = std::min(link.piece, link.unread.size());
        const auto bytes = link.unread.bytes().first(size);
        const std::vector<std::uint8_t> piece(bytes.begin(), bytes.end());
        link.unread.consume(size);
        link.conversation.sent(piece);
        shard.receive(link.id, piece, now_);
    }
}

void Broker::write(Link& link) {
    if (!link.open || link.handed_over) return;
    auto& shard = *shards_[link.shard.value];
    while (const auto* output = shard.begin_write(link.id)) {
        if (link.closing) ASSERT(output->size() == link.closing_unsent);  // Nothing has been added.
        std::array<Bytes, 4> pieces;
        std::size_t taken = 0;
        for (const auto& piece : std::span(pieces).first(output->gather(pieces))) {
            const auto part = piece.first(std::min(piece.size(), link.window - taken));
            link.conversation.received(part);
            taken += part.size();
        }
        if (taken == 0) return;
        if (link.window != Link::unlimited) link.window -= taken;
        if (link.closing) link.closing_unsent -= taken;
        shard.sent(link.id, taken, now_);
    }
    if (link.closing) end(link);
}

void Broker::begin_close(Link& link) {
    ASSERT(!link.closing);
    const auto* output = shards_[link.shard.value]->begin_write(link.id);
    link.closing = true;
    link.closing_unsent = output == nullptr ? 0 : output->size();
    write(link);
}

// --- Time

void Broker::round(std::uint16_t index) {
    auto& shard = *shards_[index];
    if (std::exchange(mail_[index], false)) shard.read_mail(now_);
    for (const auto& link : links_) {
        if (!link || link->shard.value != index) continue;
        if (link->handed_over) adopt(*link);
        read(*link);
    }
    for (int rounds = 0;; ++rounds) {
        ASSERT(rounds != rounds_max);
        shard.end_round(now_);
        const std::vector<broker::Action> actions(std::move(shard.take_actions()));
        if (actions.empty()) return;
        for (const auto& action : actions) perform(shard, action);
    }
}

void Broker::perform(broker::Shard& from, const broker::Action& action) {
    std::visit(
        [&]<class Kind>(const Kind& asked) {
            if constexpr (std::is_same_v<Kind, broker::action::Wake>) {
                mail_[asked.shard.value] = true;
            } else if constexpr (!std::is_same_v<Kind, broker::action::ReadAllAgain>) {
                const auto found = std::ranges::find_if(links_, [&](const auto& link) {
                    return link && link->open && link->shard == from.id() && link->id == asked.connection;
                });
                if (found == links_.end()) return;
                auto& link = **found;
                if constexpr (std::is_same_v<Kind, broker::action::Write>) write(link);
                if constexpr (std::is_same_v<Kind, broker::action::Close>) begin_close(link);
                if constexpr (std::is_same_v<Kind, broker::action::Abort>) end(link);
                if constexpr (std::is_same_v<Kind, broker::action::HandOver>) {
                    link.handed_over = from.take_for_handover(link.id);
                    ASSERT(link.handed_over.has_value());
                    link.id = {};
                    link.shard = asked.to;
                }
            }
        },
        action);
}

bool Broker::has_work(std::uint16_t index) const {
    if (mail_[index]) return true;
    return std::ranges::any_of(links_, [&](const auto& link) {
        if (!link || !link->open || link->shard.value != index) return false;
        return link->handed_over || (!link->unread.empty() && shards_[index]->may_read(link->id));
    });
}

void Broker::settle() {
    bool busy = true;
    for (int rounds = 0; busy; ++rounds) {
        ASSERT(rounds != rounds_max);
        busy = false;
        for (std::uint16_t index = 0; index != shard_count; ++index) {
            round(index);
            while (setup_.journaling == Journaling::AtOnce && journal_.has_open(ShardId{index})) {
                commit(index, true);
                busy = true;  // What it sets free goes out in the next round.
            }
        }
        busy = busy || has_work(0) || has_work(1);
    }
}

void Broker::advance(Duration time) {
    const auto end = now_ + time;
    const auto next_deadline = [this] {
        auto next = Instant::max();
        for (const auto& shard : shards_) next = std::min(next, shard->next_deadline().value_or(next));
        return next;
    };
    const auto meet = [this] {
        for (const auto& shard : shards_) shard->advance(now_);
        settle();
    };
    for (int met = 0; met != deadlines_met && next_deadline() <= end; ++met) {
        now_ = std::max(now_, next_deadline());
        meet();
    }
    now_ = end;
    for (int met = 0; next_deadline() <= now_; ++met) {
        ASSERT(met != rounds_max);
        meet();
    }
}

// --- What comes from elsewhere

void Broker::authenticate(char letter) {
    const auto waiting = authenticator_.take_waiting();
    if (!waiting) return;
    const auto [ticket, enhanced] = *waiting;
    shards_[ticket.shard.value]->authenticated(ticket, FuzzAuthenticator::verdict(letter, enhanced), now_);
}

void Broker::commit(std::uint16_t index, bool written) {
    if (!journal_.has_open(ShardId{index})) return;
    may_withdraw_ |= !written;
    shards_[index]->committed(journal_.take_open(ShardId{index}), written, now_);
}

void Broker::publish(std::uint16_t index, const broker::Message::Fields& fields) {
    shards_[index]->publish(broker::Message::create(fields), now_);
}

void Broker::shut_down() {
    if (!std::exchange(shutting_down_, true)) {
        for (const auto& shard : shards_) shard->begin_shutdown(now_);
        return;
    }
    settle();
    for (const auto& shard : shards_) shard->shut_down(now_);
}

void Broker::configure(const broker::Limits& limits, const broker::Policy& policy) {
    const auto widen = [&](auto broker::Limits::* bound) { bounds_.*bound = std::max(bounds_.*bound, limits.*bound); };
    widen(&broker::Limits::connections_max);
    widen(&broker::Limits::sessions_max);
    widen(&broker::Limits::subscriptions_max);
    widen(&broker::Limits::subscription_bytes_max);
    widen(&broker::Limits::queue_messages_max);
    widen(&broker::Limits::queued_bytes_total_max);
    widen(&broker::Limits::retained_messages_max);
    widen(&broker::Limits::retained_bytes_max);
    for (const auto& shard : shards_) shard->configure({.limits = limits, .policy = policy});
}

// --- What must hold

std::uint64_t Broker::total(broker::Counter broker::Counters::* counter) const {
    std::uint64_t sum = 0;
    for (const auto& shard : shards_) sum += (shard->counters().*counter).value();
    return sum;
}

void Broker::check_bounds() {
    ASSERT(commons_.connections <= bounds_.connections_max + answered_beyond_max);
    ASSERT(commons_.connections == total(&broker::Counters::connections));
    ASSERT(commons_.sessions <= bounds_.sessions_max);
    ASSERT(commons_.sessions == total(&broker::Counters::sessions));
    ASSERT(commons_.tree.subscription_count() <= bounds_.subscriptions_max);
    ASSERT(commons_.subscription_bytes() <= bounds_.subscription_bytes_max + one_subscription_bytes);
    ASSERT(commons_.retained.count() <= bounds_.retained_messages_max);
    ASSERT(commons_.retained.bytes() <= bounds_.retained_bytes_max);
    const auto in_flight = total(&broker::Counters::inflight_bytes);
    ASSERT(commons_.queued_bytes == total(&broker::Counters::queued_bytes) + in_flight);
    // What the member of a shared subscription gives back waits again, whatever else does.
    shared_before_ |= total(&broker::Counters::shared_groups) != 0;
    if (!shared_before_) ASSERT(commons_.queued_bytes - in_flight <= bounds_.queued_bytes_total_max);
    for (const auto& link : links_) {
        if (!link || !link->open) continue;
        const auto* session = shards_[link->shard.value]->find_session(link->conversation.client_id());
        if (session != nullptr) ASSERT(session->queued() <= bounds_.queue_messages_max);
    }
}

// Each answer may let in what has to wait again.
void Broker::answer_all() {
    while (journal_.has_open() || authenticator_.somebody_waits()) {
        for (std::uint16_t index = 0; index != shard_count; ++index) commit(index, true);
        authenticate('y');
        settle();
    }
}

void Broker::catch_up() {
    for (const auto& link : links_) {
        if (!link) continue;
        link->piece = link->window = Link::unlimited;
        write(*link);
    }
    settle();
    answer_all();
    if (shutting_down_) {
        shut_down();
        settle();
    }
    check_bounds();
    for (const auto& link : links_) {
        if (link && link->open && link->conversation.accepted()) check_caught_up(*link);
    }
}

void Broker::check_caught_up(const Link& link) {
    const auto& conversation = link.conversation;
    ASSERT(link.unread.empty());
    const bool may_lack = may_withdraw_ && conversation.version() != mqtt::ProtocolVersion::V5;
    ASSERT(conversation.all_answered(may_lack));
    if (conversation.client_id().empty()) return;  // 3.1.1 is not told what it is called.
    const auto* session = shards_[link.shard.value]->find_session(conversation.client_id());
    ASSERT(session != nullptr && session->connected());
    if (session->queued() != 0 && conversation.exact()) ASSERT(conversation.quota_taken() >= session->send_quota());
}

void Broker::end_everything() {
    for (const auto& link : links_) {
        if (link) cut(*link);
    }
    settle();
    ASSERT(!authenticator_.somebody_waits());  // They have all been abandoned.
    advance(24h);                              // Longer than any session or will has been agreed for.
    answer_all();
    ASSERT(journal_.kept_sessions() == 0);
    ASSERT(commons_.connections == 0 && commons_.sessions == 0);
    ASSERT(commons_.tree.subscription_count() == 0 && commons_.tree.node_count() == 0);
    ASSERT(commons_.subscription_bytes() == 0);
    ASSERT(commons_.session_bytes == 0);
    ASSERT(commons_.queued_bytes == 0 && commons_.unfinished_bytes == 0);
    for (const auto counter :
         {&broker::Counters::connections, &broker::Counters::clients_connected, &broker::Counters::sessions,
          &broker::Counters::inflight_messages, &broker::Counters::queued_messages, &broker::Counters::queued_bytes,
          &broker::Counters::shared_groups}) {
        ASSERT(total(counter) == 0);
    }
}

}  // namespace chappe::fuzz
