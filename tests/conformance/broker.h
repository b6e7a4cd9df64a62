#pragma once

// What every conformance test uses: a broker on virtual time, clients that speak packet by packet, and short ways to
// write the packets. A client's received() is what the broker sent it, one line for each packet, and "closed" where the
// broker ended the connection; so a test compares with everything that came, not with what it looked for.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/time.h"
#include "broker/counters.h"
#include "broker/journal.h"
#include "broker/limits.h"
#include "broker/ports.h"
#include "broker/shard.h"
#include "mqtt/packet.h"

namespace chappe::conformance {

using namespace mqtt;
using enum QoS;
using enum ProtocolVersion;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;

using Lines = std::vector<std::string>;

class Broker;

// One end of a connection to the broker. A handle: copies are the same client.
class Client {
public:
    // Writes to the broker and lets it do all that it does at once.
    void send(const Packet& packet) const { send({packet}); }
    void send(std::initializer_list<Packet> packets) const;  // In one write.
    void send_bytes(Bytes bytes) const;
    void send_bytes(std::initializer_list<std::uint8_t> bytes) const { send_bytes(Bytes(bytes.begin(), bytes.size())); }

    // What came since the last call of received() or packets().
    [[nodiscard]] Lines received() const;
    // The same as packets. Their views are valid for as long as the broker is.
    [[nodiscard]] std::vector<Packet> packets() const;
    [[nodiscard]] std::vector<std::uint8_t> received_bytes() const;

    Lines exchange(const Packet& packet) const {
        send(packet);
        return received();
    }

    // What the broker writes stays with it, until the client reads again.
    void stop_reading() const;
    void read_again() const;

    // The network fails: nothing more arrives at either end.
    void drop() const;

    [[nodiscard]] bool connected() const;

private:
    friend class Broker;
    struct State;
    explicit Client(std::shared_ptr<State> state) : state_(std::move(state)) {}

    std::shared_ptr<State> state_;
};

// What a broker is made with. By default everybody may connect, without enhanced authentication, and do everything.
struct Setup {
    broker::Limits limits;
    broker::Policy policy;
    broker::Authenticator* authenticator = nullptr;
    const broker::Permissions* permissions = nullptr;
    broker::Journal* journal = nullptr;
};

class Broker {
public:
    struct State;

    explicit Broker(const Setup& setup = {});
    ~Broker();

    // A network connection on which nothing has been sent.
    Client open(ProtocolVersion version = V5);
    // Opens a connection and sends CONNECT. What the broker answers is there to be received.
    Client open(const Connect& connect);
    Client open_as_operator(const Connect& connect);
    // The same, for a CONNECT that has to be accepted. Its CONNACK has been taken.
    Client connect(const Connect& connect);
    Client connect(std::string_view client_id, ProtocolVersion version = V5) {
        return connect(Connect{.version = version, .client_id = client_id});
    }
    // Connects and subscribes. CONNACK, SUBACK and retained messages have been taken.
    Client subscriber(const Connect& connect, std::string_view filter, SubscriptionOptions options = {});
    Client subscriber(std::string_view client_id, std::string_view filter, QoS qos = AtMostOnce) {
        return subscriber(Connect{.client_id = client_id}, filter, {.qos = qos});
    }

    void advance(Duration time);
    // The same, but the broker, which is busy, has not looked yet at what is due.
    void oversleep(Duration time);
    // What the Journal says of a batch, and all that follows from it.
    void committed(broker::ShardId shard, broker::JournalBatch batch, bool written = true);

    // A reload of the configuration.
    void configure(const broker::Limits& limits, const broker::Policy& policy = {});

    // What an Authenticator says that did not answer at once.
    void authenticated(broker::Ticket ticket, const broker::Verdict& verdict);

    // What a feature inside the program publishes.
    void publish(const broker::MessagePtr& message);

    // What an operator asks of every shard. The end comes in two steps, as the server takes them; shut_down() takes
    // both.
    void begin_shutdown();
    void shut_down();
    void redirect_clients(const broker::Redirect& redirect);
    void permissions_changed();
    void dismiss(const broker::Judge& judge);

    // From now on shards leave what others send them in their mailboxes, or read it again.
    void hold_mail();
    void read_mail();

    // How many messages were dropped for this reason, and how often this bound was reached.
    [[nodiscard]] std::uint64_t dropped(broker::DropReason reason) const;
    [[nodiscard]] std::uint64_t reached(broker::Bound bound) const;
    // The last drops that are kept for listing.
    [[nodiscard]] std::vector<broker::Drop> drops() const;

    [[nodiscard]] Instant now() const;

private:
    Client open(const Connect& connect, Client client);

    std::unique_ptr<State> state_;
};

// Packets.

[[nodiscard]] inline Publish publish(std::string_view topic, std::string_view payload, QoS qos = AtMostOnce,
                                     std::uint16_t packet_id = 0) {
    Publish packet;
    packet.topic = topic;
    packet.payload = as_bytes(payload);
    packet.qos = qos;
    packet.packet_id = PacketId{packet_id};
    return packet;
}

[[nodiscard]] inline Publish retained(Publish packet) {
    packet.retain = true;
    return packet;
}

[[nodiscard]] inline Publish dup(Publish packet) {
    packet.dup = true;
    return packet;
}

[[nodiscard]] inline Publish with_alias(Publish packet, std::uint16_t alias) {
    packet.topic_alias = alias;
    return packet;
}

[[nodiscard]] inline Publish expiring(Publish packet, std::uint32_t seconds) {
    packet.properties.message_expiry_interval_seconds = seconds;
    return packet;
}

template <class Acknowledgement>
[[nodiscard]] Acknowledgement acknowledgement(std::uint16_t packet_id, ReasonCode reason_code) {
    Acknowledgement packet;
    packet.packet_id = PacketId{packet_id};
    packet.reason_code = reason_code;
    return packet;
}

[[nodiscard]] inline PubAck puback(std::uint16_t packet_id, ReasonCode reason_code = ReasonCode::Success) {
    return acknowledgement<PubAck>(packet_id, reason_code);
}
[[nodiscard]] inline PubRec pubrec(std::uint16_t packet_id, ReasonCode reason_code = ReasonCode::Success) {
    return acknowledgement<PubRec>(packet_id, reason_code);
}
[[nodiscard]] inline PubRel pubrel(std::uint16_t packet_id, ReasonCode reason_code = ReasonCode::Success) {
    return acknowledgement<PubRel>(packet_id, reason_code);
}
[[nodiscard]] inline PubComp pubcomp(std::uint16_t packet_id, ReasonCode reason_code = ReasonCode::Success) {
    return acknowledgement<PubComp>(packet_id, reason_code);
}

[[nodiscard]] inline Subscribe subscribe(std::uint16_t packet_id, std::vector<Subscribe::Entry> entries) {
    Subscribe packet;
    packet.packet_id = PacketId{packet_id};
    packet.entries = std::move(entries);
    return packet;
}

[[nodiscard]] inline Subscribe subscribe(std::uint16_t packet_id, std::string_view filter,
                                         SubscriptionOptions options) {
    return subscribe(packet_id, {{filter, options}});
}

[[nodiscard]] inline Subscribe subscribe(std::uint16_t packet_id, std::string_view filter, QoS qos = AtMostOnce) {
    return subscribe(packet_id, filter, SubscriptionOptions{.qos = qos});
}

[[nodiscard]] inline Subscribe identified(Subscribe packet, std::uint32_t subscription_identifier) {
    packet.subscription_identifier = subscription_identifier;
    return packet;
}

[[nodiscard]] inline Unsubscribe unsubscribe(std::uint16_t packet_id, std::vector<std::string_view> filters) {
    Unsubscribe packet;
    packet.packet_id = PacketId{packet_id};
    packet.filters = std::move(filters);
    return packet;
}

[[nodiscard]] inline Disconnect disconnect(ReasonCode reason_code = ReasonCode::Success) {
    Disconnect packet;
    packet.reason_code = reason_code;
    return packet;
}

// A CONNECT whose session outlives its connections, in either version; it resumes the session where there is one.
[[nodiscard]] inline Connect lasting(std::string_view client_id, ProtocolVersion version = V5) {
    Connect packet{.version = version, .clean_start = false, .client_id = client_id};
    if (version == V5) packet.session_expiry_interval_seconds = session_never_expires;
    return packet;
}

// What a client receives when the broker ends its connection: 3.1.1 has no DISCONNECT from the server.
[[nodiscard]] inline Lines ended(ProtocolVersion version, std::string_view disconnect) {
    return version == V5 ? Lines{std::string(disconnect), "closed"} : Lines{"closed"};
}

// For tests of what 5.0 and 3.1.1 have in common.
class BothVersions : public testing::TestWithParam<ProtocolVersion> {
protected:
    [[nodiscard]] static ProtocolVersion version() { return GetParam(); }
    [[nodiscard]] static Connect brief(std::string_view client_id) {
        return {.version = version(), .client_id = client_id};
    }
    [[nodiscard]] static Connect lasting(std::string_view client_id) {
        return conformance::lasting(client_id, version());
    }
};

// Runs the tests of a class derived from BothVersions with 5.0 and with 3.1.1.
#define CHAPPE_BOTH_VERSIONS(suite)                                                           \
    INSTANTIATE_TEST_SUITE_P(                                                                 \
        Mqtt, suite, testing::Values(mqtt::ProtocolVersion::V5, mqtt::ProtocolVersion::V311), \
        [](const auto& version) { return version.param == mqtt::ProtocolVersion::V5 ? "5" : "311"; })

}  // namespace chappe::conformance
