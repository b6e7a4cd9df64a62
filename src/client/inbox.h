#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include "base/bytes.h"
#include "client/event.h"

namespace chappe::client {

// The messages of QoS 1 and 2 from the server that are not finished. Acknowledgements leave in the order in which the
// messages came ([MQTT-4.6.0-2], [MQTT-4.6.0-3]), in whatever order the caller is done with them. What it knows of
// QoS 2 outlives the connection, so that a message that is sent again is not handed over again.
class Inbox {
public:
    explicit Inbox(std::uint16_t receive_maximum) : receive_maximum_(receive_maximum) {}

    struct Arrival {
        DeliveryToken token;
        bool is_new = false;  // Otherwise the caller has it already.
    };

    // Fails with ReceiveMaximumExceeded where the server has more unacknowledged than we allow ([MQTT-3.3.4-9]).
    [[nodiscard]] mqtt::Result<Arrival> on_publish(mqtt::PacketId id, mqtt::QoS qos);

    // The caller is done with a message. A token of QoS 1 from an earlier connection is ignored: the server sends that
    // message again, as one that it does not know to be delivered.
    void acknowledge(DeliveryToken token, mqtt::ReasonCode code);

    // Appends the PUBACK and PUBREC that are due.
    void send_acknowledgements(mqtt::ProtocolVersion version, Buffer& out);

    // The reason code for the PUBCOMP.
    [[nodiscard]] mqtt::ReasonCode on_pubrel(mqtt::PacketId id);

    void connection_lost();
    void session_lost();
    // Of the connection that is about to begin.
    void receive_maximum(std::uint16_t maximum) noexcept { receive_maximum_ = maximum; }

private:
    struct Unacknowledged {
        mqtt::PacketId id;
        mqtt::QoS qos = mqtt::QoS::AtMostOnce;
        DeliveryToken token;
        std::optional<mqtt::ReasonCode> code;  // Set when the caller is done.
    };
    struct ExactlyOnce {
        DeliveryToken token;
        std::optional<mqtt::ReasonCode> code;  // Set when the caller is done: of the PUBREC.
        bool counted;                          // Against the Receive Maximum, which counts anew on each connection.
    };

    [[nodiscard]] mqtt::Result<> count();
    [[nodiscard]] DeliveryToken next_token(mqtt::PacketId id) noexcept;
    void release(mqtt::PacketId id);

    std::uint16_t receive_maximum_;
    std::uint64_t last_serial_ = 0;
    std::size_t counted_ = 0;                    // Against the Receive Maximum.
    std::deque<Unacknowledged> unacknowledged_;  // Of this connection, in the order of arrival.
    std::unordered_map<mqtt::PacketId, ExactlyOnce> exactly_once_;
};

}  // namespace chappe::client
