#include "tests/conformance/broker.h"

#include <algorithm>
#include <array>
#include <deque>

#include "broker/commons.h"
#include "broker/shard.h"
#include "mqtt/decoder.h"
#include "mqtt/encoder.h"
#include "tests/conformance/transcript.h"

namespace chappe::conformance {

namespace {

using broker::ShardId;

// Lets in everybody who does not ask for enhanced authentication.
class Welcome : public broker::Authenticator {
public:
    std::optional<broker::Verdict> authenticate(const broker::Login& login, broker::Ticket) override {
        if (!login.authentication_method)
            return broker::Verdict{.user_name = std::string(login.user_name.value_or(""))};
        return broker::Verdict{.code = ReasonCode::BadAuthenticationMethod, .reason = "this method is not known here"};
    }
    std::optional<broker::Verdict> proceed(const broker::Continuation&, broker::Ticket) override {
        return broker::Verdict{};
    }
    void abandon(broker::Ticket) override {}
};

class Everything : public broker::Permissions {
public:
    broker::Decision decide(const broker::Question&) const override { return {}; }
    bool restricts_receiving() const noexcept override { return false; }
};

class NoLog : public broker::EventLog {
public:
    void record(const broker::Event&) override {}
};

}  // namespace

struct Client::State {
    Broker::State* broker = nullptr;
    ShardId shard;
    broker::ConnectionId connection;
    ProtocolVersion version = V5;
    std::uint32_t maximum_packet_size = packet_size_limit;

    Buffer unread;            // Sent by the client, and not yet wanted by the broker.
    Buffer arrived;           // Sent by the broker, and not yet looked at by the test.
    std::deque<Buffer> kept;  // What the test has looked at: packets view it.
    bool open = true;
    bool reading = true;
    bool closed_by_broker = false;
    bool disconnect_arrived = false;
};

// The shards and what stands around them in a server, without threads, network and clock.
struct Broker::State {
    explicit State(const Setup& setup)
        : commons(shard_count, setup.limits, seed, setup.authenticator != nullptr ? *setup.authenticator : welcome,
                  setup.permissions != nullptr ? *setup.permissions : everything, no_log) {
        commons.journal = setup.journal;
        for (std::uint16_t i = 0; i < shard_count; ++i) {
            shards.push_back(std::make_unique<broker::Shard>(
                ShardId{i}, commons, broker::ShardConfig{.limits = setup.limits, .policy = setup.policy}, seed + i,
                now));
        }
    }

    [[nodiscard]] broker::Shard& shard(ShardId id) { return *shards[id.value]; }

    Client accept(ProtocolVersion version, broker::Peer peer);

    std::shared_ptr<Client::State> find(ShardId shard, broker::ConnectionId connection) {
        const auto found = std::ranges::find_if(
            clients, [&](const auto& client) { return client->shard == shard && client->connection == connection; });
        return found == clients.end() ? nullptr : *found;
    }

    // Everything that follows from what has been done, until nothing follows any more.
    void settle() {
        while (true) {
            bool quiet = true;
            for (const auto& shard : shards) {
                if (reads_mail) shard->read_mail(now);
                shard->end_round(now);
                const std::vector<broker::Action> actions(std::move(shard->take_actions()));
                for (const auto& action : actions) {
                    std::visit([&](const auto& wanted) { perform(*shard, wanted); }, action);
                }
                quiet = quiet && actions.empty();
            }
            for (const auto& client : clients) quiet = !deliver(*client) && quiet;
            if (quiet) return;
        }
    }

    // Hands the broker what the client has sent, as far as it wants it. Returns whether it did.
    bool deliver(Client::State& client) {
        auto& home = shard(client.shard);
        if (!client.open || client.unread.empty() || !home.may_read(client.connection)) return false;
        auto bytes = std::exchange(client.unread, {});
        home.receive(client.connection, bytes.bytes(), now);
        return true;
    }

    void perform(broker::Shard& from, broker::action::Write write) {
        const auto client = find(from.id(), write.connection);
        if (client && !client->reading) {
            if (from.begin_write(write.connection) != nullptr) from.sent(write.connection, 0, now);
            return;
        }
        while (const auto* output = from.begin_write(write.connection)) {
            std::array<Bytes, 16> pieces;
            std::size_t size = 0;
            for (const auto& piece : std::span(pieces).first(output->gather(pieces))) {
                if (client) client->arrived.append(piece);
                size += piece.size();
            }
            from.sent(write.connection, size, now);
        }
    }

    void perform(broker::Shard& from, broker::action::Close close) { end(from, close.connection); }
    void perform(broker::Shard& from, broker::action::Abort abort) { end(from, abort.connection); }

    void end(broker::Shard& from, broker::ConnectionId connection) {
        if (const auto client = find(from.id(), connection); client && client->open) {
            client->open = false;
            client->closed_by_broker = true;
        }
        from.disconnected(connection, "closed", now);
    }

    void perform(broker::Shard& from, broker::action::HandOver hand_over) {
        const auto client = find(from.id(), hand_over.connection);
        auto handed_over = from.take_for_handover(hand_over.connection);
        ASSERT(client && handed_over);
        client->shard = hand_over.to;
        client->connection = shard(hand_over.to).adopt(std::move(*handed_over), now);
    }

    // settle() looks at every connection and every mailbox anyway.
    void perform(broker::Shard&, broker::action::ReadAgain) {}
    void perform(broker::Shard&, broker::action::ReadAllAgain) {}
    void perform(broker::Shard&, broker::action::Wake) {}

    static constexpr std::uint16_t shard_count = 2;  // So that every test crosses from one to the other, or might.
    static constexpr std::uint64_t seed = 1;

    Welcome welcome;
    Everything everything;
    NoLog no_log;
    Instant now{1h};
    broker::Commons commons;
    std::vector<std::unique_ptr<broker::Shard>> shards;
    std::vector<std::shared_ptr<Client::State>> clients;
    std::uint16_t accepted = 0;
    bool reads_mail = true;
};

void Client::send(std::initializer_list<Packet> packets) const {
    Buffer bytes;
    for (const auto& packet : packets) encode(packet, state_->version, bytes);
    send_bytes(bytes.bytes());
}

void Client::send_bytes(Bytes bytes) const {
    if (!state_->open) return;
    state_->unread.append(bytes);
    state_->broker->settle();
}

std::vector<Packet> Client::packets() const {
    auto& bytes = state_->kept.emplace_back(std::exchange(state_->arrived, {}));
    std::vector<Packet> packets;
    for (auto rest = bytes.bytes(); !rest.empty();) {
        const auto framed = frame(rest, packet_size_limit);
        if (!framed || !*framed) {
            ADD_FAILURE() << "the broker sent something that is no packet";
            break;
        }
        auto packet = decode(**framed, state_->version, Sender::Server);
        if (!packet) {
            ADD_FAILURE() << "the broker sent an illegal packet: " << packet.error().reason;
            break;
        }
        EXPECT_LE((*framed)->size, state_->maximum_packet_size);
        EXPECT_FALSE(state_->disconnect_arrived) << "the broker sent a packet after DISCONNECT";
        state_->disconnect_arrived = std::holds_alternative<Disconnect>(*packet);
        packets.push_back(std::move(*packet));
        rest = rest.subspan((*framed)->size);
    }
    return packets;
}

Lines Client::received() const {
    Lines lines;
    for (const auto& packet : packets()) lines.push_back(describe(packet));
    if (std::exchange(state_->closed_by_broker, false)) lines.emplace_back("closed");
    return lines;
}

std::vector<std::uint8_t> Client::received_bytes() const {
    const auto arrived = std::exchange(state_->arrived, {});
    return {arrived.bytes().begin(), arrived.bytes().end()};
}

void Client::stop_reading() const { state_->reading = false; }

void Client::read_again() const {
    state_->reading = true;
    auto& broker = *state_->broker;
    broker.perform(broker.shard(state_->shard), broker::action::Write{state_->connection});
    broker.settle();
}

void Client::drop() const {
    if (!std::exchange(state_->open, false)) return;
    state_->broker->shard(state_->shard).disconnected(state_->connection, "the network failed", state_->broker->now);
    state_->broker->settle();
}

bool Client::connected() const { return state_->open; }

Broker::Broker(const Setup& setup) : state_(std::make_unique<State>(setup)) {}

Broker::~Broker() = default;

Client Broker::State::accept(ProtocolVersion version, broker::Peer peer) {
    const ShardId id{static_cast<std::uint16_t>(accepted++ % shard_count)};
    const auto connection = shard(id).accept(std::move(peer), now);
    auto client = std::make_shared<Client::State>();
    client->broker = this;
    client->shard = id;
    client->connection = connection.value_or(broker::ConnectionId{});
    client->open = connection.has_value();
    client->closed_by_broker = !client->open;
    client->version = version;
    clients.push_back(client);
    return Client(client);
}

Client Broker::open(ProtocolVersion version) {
    return state_->accept(version, {.address = "127.0.0.1:1", .anonymous_allowed = true});
}

Client Broker::open(const Connect& connect) { return open(connect, open(connect.version)); }

Client Broker::open_as_operator(const Connect& connect) {
    return open(connect,
                state_->accept(connect.version,
                               {.address = "unix:control.sock", .anonymous_allowed = true, .is_operator = true}));
}

Client Broker::open(const Connect& connect, Client client) {
    client.state_->maximum_packet_size = connect.maximum_packet_size.value_or(packet_size_limit);
    client.send(connect);
    return client;
}

Client Broker::connect(const Connect& connect) {
    auto client = open(connect);
    // Only CONNACK is taken: what waited for the session is for the test.
    const auto framed = frame(client.state_->arrived.bytes(), packet_size_limit);
    if (!framed || !*framed || !client.connected()) {
        ADD_FAILURE() << "the connection was refused";
    } else {
        client.state_->arrived.consume((*framed)->size);
    }
    return client;
}

Client Broker::subscriber(const Connect& connect, std::string_view filter, SubscriptionOptions options) {
    auto client = this->connect(connect);
    client.send(subscribe(1, filter, options));
    (void)client.received();
    return client;
}

void Broker::committed(ShardId shard, broker::JournalBatch batch, bool written) {
    state_->shard(shard).committed(batch, written, state_->now);
    state_->settle();
}

void Broker::advance(Duration time) {
    const auto end = state_->now + time;
    while (true) {
        std::optional<Instant> next;
        for (const auto& shard : state_->shards) {
            if (const auto deadline = shard->next_deadline(); deadline && (!next || *deadline < *next)) next = deadline;
        }
        if (!next || *next > end) break;
        state_->now = std::max(state_->now, *next);
        for (const auto& shard : state_->shards) shard->advance(state_->now);
        state_->settle();
    }
    state_->now = end;
}

void Broker::oversleep(Duration time) { state_->now += time; }

void Broker::configure(const broker::Limits& limits, const broker::Policy& policy) {
    for (const auto& shard : state_->shards) shard->configure({.limits = limits, .policy = policy});
}

void Broker::authenticated(broker::Ticket ticket, const broker::Verdict& verdict) {
    state_->shard(ticket.shard).authenticated(ticket, verdict, state_->now);
    state_->settle();
}

void Broker::publish(const broker::MessagePtr& message) {
    state_->shards.front()->publish(message, state_->now);
    state_->settle();
}

void Broker::begin_shutdown() {
    for (const auto& shard : state_->shards) shard->begin_shutdown(state_->now);
    state_->settle();
}

void Broker::shut_down() {
    begin_shutdown();
    for (const auto& shard : state_->shards) shard->shut_down(state_->now);
    state_->settle();
}

void Broker::redirect_clients(const broker::Redirect& redirect) {
    for (const auto& shard : state_->shards) {
        static_cast<void>(shard->redirect_clients(std::nullopt, redirect, state_->now));
    }
    state_->settle();
}

void Broker::permissions_changed() {
    for (const auto& shard : state_->shards) shard->permissions_changed();
    state_->settle();
}

void Broker::dismiss(const broker::Judge& judge) {
    for (const auto& shard : state_->shards) shard->dismiss(judge, state_->now);
    state_->settle();
}

void Broker::hold_mail() { state_->reads_mail = false; }

void Broker::read_mail() {
    state_->reads_mail = true;
    state_->settle();
}

std::uint64_t Broker::reached(broker::Bound bound) const {
    std::uint64_t sum = 0;
    for (const auto& shard : state_->shards) sum += shard->counters().bounds_reached[std::to_underlying(bound)].value();
    return sum;
}

std::vector<broker::Drop> Broker::drops() const {
    std::vector<broker::Drop> drops;
    for (const auto& shard : state_->shards) {
        const auto& kept = shard->drop_log().drops();
        for (std::size_t index = 0; index != kept.size(); ++index) drops.push_back(kept[index]);
    }
    return drops;
}

Instant Broker::now() const { return state_->now; }

std::uint64_t Broker::dropped(broker::DropReason reason) const {
    std::uint64_t sum = 0;
    for (const auto& shard : state_->shards) sum += shard->counters().drops[std::to_underlying(reason)].value();
    return sum;
}

}  // namespace chappe::conformance
