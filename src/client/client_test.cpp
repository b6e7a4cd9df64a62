#include "client/client.h"

#include <sys/uio.h>

#include <functional>
#include <list>
#include <utility>

#include <gtest/gtest.h>

#include "client/protocol_harness.h"
#include "net/listener.h"

namespace chappe::client {
namespace {

using mqtt::QoS;
using mqtt::ReasonCode;

// One connection at the server of these tests: it calls back with each packet and writes answers.
class ServerSide final : private net::Handler {
public:
    using OnPacket = std::function<void(ServerSide&, const mqtt::Packet&)>;

    ServerSide(net::EventLoop& loop, std::unique_ptr<net::Stream> stream, OnPacket on_packet)
        : loop_(loop), stream_(std::move(stream)), on_packet_(std::move(on_packet)) {
        EXPECT_TRUE(stream_->attach(loop, *this).has_value());
    }

    template <class Packet>
    void send(const Packet& packet) {
        mqtt::encode(packet, mqtt::ProtocolVersion::V5, output_);
        flush();
    }
    template <class... Packets>
    void send_together(const Packets&... packets) {
        (mqtt::encode(packets, mqtt::ProtocolVersion::V5, output_), ...);
        flush();
    }
    void close() { stream_->close(); }
    [[nodiscard]] bool closed_by_client() const { return closed_by_client_; }

private:
    void on_ready(net::Readiness readiness) override {
        if (readiness.readable && stream_->is_open()) read();
        if (stream_->is_open()) flush();
    }
    void read() {
        const auto outcome = stream_->read(loop_.read_buffer());
        if (!outcome) return;
        input_.append(Bytes(loop_.read_buffer().data(), outcome->size));
        while (stream_->is_open()) {
            const auto frame = mqtt::frame(input_.bytes(), mqtt::packet_size_limit);
            if (!frame || !*frame) break;
            const auto packet = mqtt::decode(**frame, mqtt::ProtocolVersion::V5, mqtt::Sender::Client);
            ASSERT_TRUE(packet.has_value()) << packet.error().reason;
            on_packet_(*this, *packet);
            input_.consume((*frame)->size);
        }
        if (!stream_->is_open()) return;
        if (outcome->next == net::ReadOutcome::Next::More) loop_.again(*this);
        if (outcome->next == net::ReadOutcome::Next::End) {
            closed_by_client_ = true;
            stream_->close();
        }
    }
    void flush() {
        if (output_.empty()) return;
        const iovec piece{const_cast<std::uint8_t*>(output_.data()), output_.size()};
        const auto written = stream_->write({&piece, 1});
        if (written) output_.consume(*written);
    }

    net::EventLoop& loop_;
    std::unique_ptr<net::Stream> stream_;
    OnPacket on_packet_;
    Buffer input_;
    Buffer output_;
    bool closed_by_client_ = false;
};

class ClientTest : public testing::Test {
protected:
    ClientTest() : loop_(net::EventLoop::create().value()) {}

    void listen(ServerSide::OnPacket on_packet) {
        auto listener = net::Listener::create(
            *loop_, net::ListenUrl::parse("mqtt://127.0.0.1:0").value(),
            [this, on_packet](std::unique_ptr<net::Stream> stream) {
                connections_.emplace_back(*loop_, std::move(stream), on_packet);
            },
            [](const net::IoError& error) { ADD_FAILURE() << error.what; });
        ASSERT_TRUE(listener.has_value()) << listener.error().what;
        listener_ = std::move(*listener);
    }
    [[nodiscard]] net::Url url() const {
        return {.scheme = net::Scheme::Mqtt, .host = "127.0.0.1", .port = listener_->local_url().port, .path = {}};
    }
    // Runs the loop until the condition holds; a generous limit turns a hang into a failure.
    void run_until(const std::function<bool()>& condition) {
        const auto give_up_at = std::chrono::steady_clock::now() + 20s;
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), give_up_at) << "What was waited for did not happen";
            loop_->run_once(100ms);
        }
    }
    std::unique_ptr<Client> make(Options options, Callbacks callbacks, const Reconnect& reconnect = {}) {
        callbacks.on_disconnected = [this](const Disconnection& disconnection, std::optional<Duration> retry_in) {
            disconnections_.push_back(disconnection);
            will_retry_ = retry_in.has_value();
        };
        return std::make_unique<Client>(*loop_, pool_, std::move(options), std::move(callbacks), reconnect);
    }

    std::unique_ptr<net::EventLoop> loop_;
    net::WorkerPool pool_;
    std::list<ServerSide> connections_;
    std::unique_ptr<net::Listener> listener_;
    std::vector<Disconnection> disconnections_;
    bool will_retry_ = false;
};

constexpr Reconnect at_once{.delay_min = 1ms, .delay_max = 1ms};

TEST_F(ClientTest, PublishesAndStopsCleanly) {
    std::vector<std::string> seen;
    listen([&](ServerSide& server, const mqtt::Packet& packet) {
        if (std::holds_alternative<mqtt::Connect>(packet)) server.send(mqtt::ConnAck{});
        if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
            seen.emplace_back(as_text(publish->payload));
            server.send(mqtt::PubAck{.packet_id = publish->packet_id});
        }
        if (std::holds_alternative<mqtt::Disconnect>(packet)) seen.emplace_back("DISCONNECT");
    });
    int acknowledged = 0;
    auto client = make({}, {.on_published = [&](const event::Published&) { ++acknowledged; }});
    client->start(url());
    for (const auto* payload : {"1", "2"}) ASSERT_TRUE(client->publish(message("a", payload, QoS::AtLeastOnce)));
    run_until([&] { return acknowledged == 2; });
    EXPECT_EQ(client->unfinished(), 0);
    client->stop();
    run_until([&] { return client->stopped(); });
    EXPECT_EQ(seen, (std::vector<std::string>{"1", "2", "DISCONNECT"}));
    EXPECT_TRUE(connections_.front().closed_by_client());
    ASSERT_EQ(disconnections_.size(), 1);
    EXPECT_EQ(disconnections_[0].cause, Cause::Requested);
}

TEST_F(ClientTest, LargeMessagesGoBothWays) {
    const std::string large(3'000'000, 'x');
    listen([&](ServerSide& server, const mqtt::Packet& packet) {
        if (std::holds_alternative<mqtt::Connect>(packet)) server.send(mqtt::ConnAck{});
        if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) server.send(*publish);  // An echo.
    });
    std::vector<std::size_t> sizes;
    auto client =
        make({}, {.on_message = [&](const event::Message& it) { sizes.push_back(it.packet.payload.size()); }});
    client->start(url());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(client->publish(message("a", large)));
    run_until([&] { return sizes.size() == 3; });
    EXPECT_EQ(sizes, (std::vector<std::size_t>(3, large.size())));
}

TEST_F(ClientTest, ConnectsAgainAndFinishesItsWork) {
    int connections = 0;
    listen([&](ServerSide& server, const mqtt::Packet& packet) {
        if (std::holds_alternative<mqtt::Connect>(packet)) {
            ++connections;
            server.send(mqtt::ConnAck{});
        } else if (const auto* publish = std::get_if<mqtt::Publish>(&packet)) {
            if (connections < 3) {
                server.close();
            } else {
                server.send(mqtt::PubAck{.packet_id = publish->packet_id});
            }
        }
    });
    int acknowledged = 0;
    auto client = make({}, {.on_published = [&](const event::Published&) { ++acknowledged; }}, at_once);
    client->start(url());
    ASSERT_TRUE(client->publish(message("a", "stubborn", QoS::AtLeastOnce)));
    run_until([&] { return acknowledged == 1; });
    EXPECT_EQ(connections, 3);
    ASSERT_EQ(disconnections_.size(), 2);
    EXPECT_EQ(disconnections_[0].cause, Cause::Lost);
    EXPECT_FALSE(disconnections_[0].reason.empty());
    EXPECT_TRUE(will_retry_);
}

TEST_F(ClientTest, DoesNotRepeatARefusalThatLasts) {
    for (const bool when_refused : {false, true}) {
        listen([](ServerSide& server, const mqtt::Packet&) {
            server.send(mqtt::ConnAck{.reason_code = ReasonCode::BadUserNameOrPassword});
            server.close();
        });
        disconnections_.clear();
        auto reconnect = at_once;
        reconnect.when_refused = when_refused;
        auto client = make({}, {}, reconnect);
        client->start(url());
        run_until([&] { return !disconnections_.empty(); });
        EXPECT_EQ(disconnections_[0].cause, Cause::Refused);
        EXPECT_EQ(disconnections_[0].reason_code, ReasonCode::BadUserNameOrPassword);
        EXPECT_EQ(will_retry_, when_refused);
        EXPECT_EQ(client->stopped(), !when_refused);
    }
}

TEST_F(ClientTest, SaysWhyThereIsNoConnection) {
    listen([](ServerSide&, const mqtt::Packet&) {});
    const auto nobody_listens = url();
    listener_.reset();
    auto client = make({}, {}, {.enabled = false});
    client->start(nobody_listens);
    run_until([&] { return client->stopped(); });
    ASSERT_EQ(disconnections_.size(), 1);
    EXPECT_EQ(disconnections_[0].cause, Cause::Unreachable);
    EXPECT_NE(disconnections_[0].reason.find("refused"), std::string::npos) << disconnections_[0].reason;
}

TEST_F(ClientTest, CanBeStoppedBeforeThereIsAConnection) {
    listen([](ServerSide&, const mqtt::Packet&) {});
    const auto nobody_listens = url();
    auto client = make({}, {}, {.delay_min = std::chrono::hours(1), .delay_max = std::chrono::hours(1)});
    client->start(nobody_listens);  // It is dialing.
    client->stop();
    run_until([&] { return client->stopped(); });
    EXPECT_EQ(disconnections_.back().cause, Cause::Requested);

    listener_.reset();
    client->start(nobody_listens);
    run_until([&] { return will_retry_; });  // It waits for the next attempt.
    client->stop();
    run_until([&] { return client->stopped(); });
    EXPECT_EQ(disconnections_.back().cause, Cause::Requested);
}

TEST_F(ClientTest, WhatComesAfterStopIsNotAcknowledged) {
    std::vector<mqtt::PacketType> seen;
    listen([&](ServerSide& server, const mqtt::Packet& packet) {
        if (std::holds_alternative<mqtt::Connect>(packet)) {
            server.send_together(mqtt::ConnAck{}, message("a", "1", QoS::AtLeastOnce, 1),
                                 message("a", "2", QoS::AtLeastOnce, 2));
        }
        if (const auto* ack = std::get_if<mqtt::PubAck>(&packet)) {
            EXPECT_EQ(ack->packet_id, mqtt::PacketId{1});
            seen.push_back(mqtt::PacketType::PubAck);
        }
        if (std::holds_alternative<mqtt::Disconnect>(packet)) seen.push_back(mqtt::PacketType::Disconnect);
    });
    std::unique_ptr<Client> client;
    int messages = 0;
    client = make({}, {.on_message = [&](const event::Message&) {
                      ++messages;
                      client->stop();
                  }});
    client->start(url());
    run_until([&] { return client->stopped(); });
    EXPECT_EQ(messages, 1);
    EXPECT_EQ(seen, (std::vector{mqtt::PacketType::PubAck, mqtt::PacketType::Disconnect}));
}

TEST_F(ClientTest, DestroyingItLeavesWithoutDisconnect) {
    bool disconnect = false;
    listen([&](ServerSide& server, const mqtt::Packet& packet) {
        if (std::holds_alternative<mqtt::Connect>(packet)) server.send(mqtt::ConnAck{});
        disconnect = disconnect || std::holds_alternative<mqtt::Disconnect>(packet);
    });
    auto client = make({}, {});
    client->start(url());
    run_until([&] { return client->connected(); });
    client.reset();
    run_until([&] { return connections_.front().closed_by_client(); });
    EXPECT_FALSE(disconnect);
    EXPECT_TRUE(disconnections_.empty());
}

}  // namespace
}  // namespace chappe::client
