#pragma once

// Watches the packets between one client and the broker, and complains of what no broker may do, with a memory of its
// own: the client protocol answers for its own bookkeeping only, and is tolerant where a client should be.
//
// - At most Receive Maximum messages of QoS 1 and 2 unanswered on a connection ([MQTT-3.3.4-9]).
// - No packet identifier again before it is answered ([MQTT-2.2.1-4]), and on a later connection only for the same
//   message, with DUP ([MQTT-3.3.1-1], [MQTT-4.4.0-1]); DUP never on the first connection of a session.
// - PUBREL after PUBREC, in the order in which these were sent ([MQTT-4.6.0-4]).

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "mqtt/packet.h"

namespace chappe::sim {

class WireCheck {
public:
    // `shared`: the broker may take back what the client has not acknowledged, for another member.
    explicit WireCheck(bool shared) : shared_(shared) {}

    void sent(const mqtt::Packet& packet);
    void received(const mqtt::Packet& packet);

    [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }

private:
    // A message of the broker that the client has not finished with, on this connection or an earlier one.
    struct Exchange {
        mqtt::QoS qos;
        std::string payload;
        std::uint64_t recorded = 0;  // The place of its PUBREC among all of them; 0 before that.
    };

    void begin(const mqtt::Connect& connect);
    void begin_session(const mqtt::ConnAck& connack);
    void arrived(const mqtt::Publish& publish);
    void released(const mqtt::PubRel& release);
    void record(const mqtt::PubRec& record);
    void finish(mqtt::PacketId id);
    void complain(mqtt::PacketId id, std::string_view what);

    bool shared_;
    std::map<std::uint16_t, Exchange> session_;
    std::uint64_t recorded_ = 0;

    // Of this connection.
    std::size_t receive_maximum_ = 0;
    bool resumed_ = false;
    std::set<std::uint16_t> unanswered_;
    std::uint64_t last_released_ = 0;  // The PUBREC that the last PUBREL was for.

    std::vector<std::string> complaints_;
};

}  // namespace chappe::sim
