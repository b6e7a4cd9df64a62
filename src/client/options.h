#pragma once

// How a client connects and what it may use. Everything has a default that suits a tool on the command line.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "client/owned.h"
#include "mqtt/types.h"

namespace chappe::client {

// Who answers a PUBLISH of QoS 1 or 2 from the server.
enum class Acknowledge : std::uint8_t {
    Automatically,  // The client, as soon as on_message has returned.
    ByCaller,       // The caller, with acknowledge(), in any order: when what it does with the message is done.
};

struct Options {
    // CONNECT.
    mqtt::ProtocolVersion version = mqtt::ProtocolVersion::V5;
    bool bridge = false;    // Mosquitto's marker, with which a broker does not echo the bridge's own messages.
    std::string client_id;  // Empty: the server assigns one (5.0, and 3.1.1 with clean_start).
    // Of the first connection. Later ones resume the session that the client has built since, where the session
    // outlives the connection: with 5.0 when the session expiry interval is not 0, with 3.1.1 when clean_start is
    // false.
    bool clean_start = true;
    std::uint16_t keep_alive_seconds = 60;  // 0: none, and then a dead server goes unnoticed.
    std::optional<std::string> user_name;
    std::optional<std::string> password;
    std::optional<OwnedWill> will;
    std::uint32_t session_expiry_interval_seconds = 0;
    std::uint16_t receive_maximum = 65'535;            // QoS 1 and 2 from the server and not yet acknowledged.
    std::optional<std::uint32_t> maximum_packet_size;  // Bytes. Absent: what MQTT allows, 256 MiB.
    std::uint16_t topic_alias_maximum = 0;             // Aliases that the server may use towards us.
    bool request_response_information = false;
    bool request_problem_information = true;
    std::optional<std::string> authentication_method;
    std::optional<std::string> authentication_data;
    OwnedUserProperties user_properties;

    // Behaviour.
    Acknowledge acknowledge = Acknowledge::Automatically;
    bool topic_aliases = false;                      // Make our own towards a server that allows them.
    std::uint16_t inflight_max = 100;                // Ours; the server's Receive Maximum may lower it.
    std::size_t queue_messages_max = 10'000;         // Published and not yet sent and acknowledged.
    std::size_t queue_bytes_max = 64 * 1024 * 1024;  // The same in bytes.
    std::size_t unsent_bytes_max = 256 * 1024;  // Encoded and not yet taken by the network; beyond it messages queue.
    Duration connect_timeout = std::chrono::seconds(30);   // From the network connection to CONNACK.
    Duration response_timeout = std::chrono::seconds(10);  // From PINGREQ to a sign of life.
};

}  // namespace chappe::client
