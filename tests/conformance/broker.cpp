#include "tests/conformance/broker.h"

#include <deque>

#include "mqtt/decoder.h"
#include "mqtt/encoder.h"
#include "sim/world.h"
#include "tests/conformance/transcript.h"

namespace chappe::conformance {

namespace {

// Lets in everybody who does not ask for enhanced authentication.
class Welcome : public broker::Authenticator {
public:
    std::optional<broker::Verdict> authenticate(const broker::Login& login, broker::Ticket) override {
        if (!login.authentication_method) return broker::Verdict{};
        return broker::Verdict{.code = ReasonCode::BadAuthenticationMethod, .reason = "this method is not known here"};
    }
    std::optional<broker::Verdict> proceed(const Auth&, broker::Ticket) override { return broker::Verdict{}; }
    void abandon(broker::Ticket) override {}
};

}  // namespace

struct Client::State : sim::Endpoint {
    State(sim::World& the_world, ProtocolVersion of_connect)
        : world(the_world), version(of_connect), link(the_world.connect(*this)) {}

    void on_bytes(Bytes bytes) override { arrived.append(bytes); }
    void on_closed() override { closed_by_broker = std::exchange(open, false); }

    // All that happens at once happens before the test goes on.
    void settle() { world.advance(0s); }

    sim::World& world;
    const ProtocolVersion version;
    std::uint32_t maximum_packet_size = packet_size_limit;

    Buffer arrived;           // Not yet looked at by the test.
    std::deque<Buffer> kept;  // What the test has looked at: packets view it.
    bool open = true;
    bool closed_by_broker = false;  // And not yet told to the test.
    bool disconnect_arrived = false;
    sim::World::LinkPtr link;
};

void Client::send(std::initializer_list<Packet> packets) const {
    Buffer bytes;
    for (const auto& packet : packets) encode(packet, state_->version, bytes);
    send_bytes(bytes.bytes());
}

void Client::send_bytes(Bytes bytes) const {
    if (!state_->open) return;
    state_->world.send(state_->link, bytes);
    state_->settle();
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

void Client::drop() const {
    if (!std::exchange(state_->open, false)) return;
    state_->world.cut(state_->link, sim::Cut::BothSee);
    state_->settle();
}

bool Client::connected() const { return state_->open; }

struct Broker::State {
    explicit State(const Setup& setup)
        : world({.limits = setup.limits,
                 .policy = setup.policy,
                 .authenticator = setup.authenticator != nullptr ? setup.authenticator : &welcome,
                 .permissions = setup.permissions,
                 .delay_max = 0s}) {}

    Welcome welcome;
    sim::World world;
    std::vector<std::shared_ptr<Client::State>> clients;
};

Broker::Broker(const Setup& setup) : state_(std::make_unique<State>(setup)) {}

Broker::~Broker() = default;

Client Broker::open(ProtocolVersion version) {
    auto client = state_->clients.emplace_back(std::make_shared<Client::State>(state_->world, version));
    client->settle();
    return Client(client);
}

Client Broker::open(const Connect& connect) {
    auto client = open(connect.version);
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

void Broker::advance(Duration time) { state_->world.advance(time); }

}  // namespace chappe::conformance
