#pragma once

// When each session and each will must end, by the standard, told of nothing but what clients sent and when the broker
// took up or lost their connections. Compared with when the broker published each will, and with the Session Present
// that clients were told.
//
// A will is due when the connection ends without DISCONNECT 0x00: after its delay, or with the session, whichever comes
// first, unless the client is back in that session before (3.1.2.5, 3.1.3.2.2). Each connection has a will of its own,
// with a payload that no other has.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "broker/message.h"
#include "broker/ports.h"
#include "mqtt/packet.h"

namespace chappe::sim {

class SessionBook {
public:
    struct Will {
        std::string topic;
        std::string payload;
        mqtt::QoS qos = mqtt::QoS::AtMostOnce;
        bool retain = false;
        Duration delay{};
        std::optional<std::uint32_t> message_expiry_seconds;

        std::optional<Instant> due;      // Nothing: not to be published.
        std::vector<Instant> published;  // By the broker.
        std::uint64_t order = 0;         // Of being published.
    };

    // The broker gets to what is due no later than this.
    explicit SessionBook(Duration lateness_max) : lateness_max_(lateness_max) {}

    // What a client sent on a connection, which goes by its number in the World; and what it was told.
    void sent(std::uint64_t connection, const mqtt::Packet& packet);
    void received(std::uint64_t connection, const mqtt::ConnAck& packet);
    // What the broker did.
    void on_event(const broker::Event& event, Instant now);
    void on_will(const broker::Message& message, Instant now);

    // By which the broker believes that this client is connected.
    [[nodiscard]] std::optional<std::uint64_t> connection(const std::string& client_id) const;
    // Whether every will that is due some time has been due by now.
    [[nodiscard]] bool settled(Instant now) const;
    // Those that are due, in the order in which they were published.
    [[nodiscard]] std::vector<Will> wills_due() const;
    [[nodiscard]] std::vector<std::string> faults() const;

private:
    struct Connection {
        bool clean_start = false;
        bool session_present = false;  // What CONNACK must say.
        Duration session_expiry{};     // Duration::max(): never.
        std::optional<Duration> session_expiry_of_disconnect;
        std::optional<std::size_t> will;
    };
    struct Session {
        std::optional<std::uint64_t> connection;
        Instant ends_at = Instant::min();  // While there is no connection.
        std::optional<std::size_t> will;   // Of the last connection, from its end on.
    };

    void begin(Session& session, std::uint64_t number, Instant now);
    void end(Session& session, Connection& connection, mqtt::ReasonCode code, Instant now);

    Duration lateness_max_;
    std::map<std::uint64_t, Connection> connections_;
    std::map<std::string, Session> sessions_;
    std::vector<Will> wills_;
    std::uint64_t published_ = 0;
    std::vector<std::string> faults_;
};

}  // namespace chappe::sim
