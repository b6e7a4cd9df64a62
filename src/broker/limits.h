#pragma once

// Every bound of the broker core, with its default. The setting of the same name in the configuration (section
// [limits], see docs/configuration.md) changes it; what happens at each bound is counted under that name.

#include <cstddef>
#include <cstdint>

#include "mqtt/types.h"

namespace chappe::broker {

// What a session's full queue does with the next message of QoS 1 or 2.
enum class WhenFull : std::uint8_t {
    DropOldest,  // The oldest queued message is dropped and counted.
    DropNewest,  // The new message is dropped and counted.
    Reject,      // The publisher is answered 0x97 (5.0) or disconnected (3.1.1, which has no error code for it).
    EndSession,  // The session is ended: its client finds out at once that it has lost messages.
};

// Which member of a shared subscription gets the next message (4.8.2 leaves it to the server).
enum class SharedStrategy : std::uint8_t { RoundRobin, Random, Sticky, HashTopic, HashClient };

struct Limits {
    // Packets and topics.
    std::uint32_t packet_size_max = 16 * 1024 * 1024;    // Bytes, announced as Maximum Packet Size.
    std::uint32_t connect_packet_size_max = 256 * 1024;  // Bytes, until CONNECT has been accepted.
    std::uint32_t topic_length_max = 4096;               // Bytes of a topic name or filter.
    std::uint32_t topic_levels_max = 128;
    std::uint32_t user_properties_max = 1000;  // Of one packet, and of one will.
    std::uint32_t filters_per_packet_max = 10'000;
    std::uint32_t client_id_length_max = 1024;  // Bytes of a client identifier; 23 have to be accepted.

    // Connections.
    std::uint32_t connections_max = 100'000;
    std::uint32_t connect_timeout_seconds = 10;  // From accept to a complete CONNECT and its authentication.
    std::uint32_t connections_before_login_max = 10'000;
    std::uint32_t logins_waiting_max = 1000;               // For an Authenticator that does not answer at once.
    std::uint32_t address_connects_per_minute_max = 3000;  // 0: unlimited.
    std::uint32_t client_connects_per_minute_max = 30;     // Of one client identifier; 0: unlimited.
    std::uint32_t flapping_wait_seconds = 60;              // For a client that has connected as often as that.
    std::uint32_t tls_handshakes_per_second_max = 500;     // Of one shard; 0: unlimited.
    std::uint16_t keep_alive_max_seconds = 65'535;
    std::size_t unsent_bytes_max = 4 * 1024 * 1024;  // Per connection; beyond it QoS 0 is dropped and QoS 1 and 2 wait.
    std::size_t unsent_bytes_total_max = std::size_t{1024} * 1024 * 1024;      // The same of all connections together.
    std::size_t unfinished_bytes_total_max = std::size_t{1024} * 1024 * 1024;  // Packets that have not come whole yet.
    std::uint16_t topic_alias_max = 32;                                        // Per connection and direction.

    // Sessions.
    std::uint32_t sessions_max = 1'000'000;
    std::size_t sessions_bytes_max = std::size_t{2048} * 1024 * 1024;  // What they take, with their wills.
    std::uint32_t session_expiry_max_seconds = mqtt::session_never_expires;
    std::uint32_t will_delay_max_seconds = mqtt::session_never_expires;
    std::uint32_t subscriptions_per_session_max = 10'000;
    std::uint32_t subscriptions_max = 5'000'000;                           // Of all sessions together.
    std::size_t subscription_bytes_max = std::size_t{2048} * 1024 * 1024;  // What they and their filters take.

    // Messages under way.
    std::uint16_t receive_maximum = 1000;            // QoS 1 and 2 from one client and not yet acknowledged.
    std::uint16_t inflight_max = 100;                // QoS 1 and 2 to one client and not yet acknowledged.
    std::uint32_t queue_messages_max = 100'000;      // Waiting for one session, or for one shared subscription.
    std::size_t queue_bytes_max = 64 * 1024 * 1024;  // The same in bytes, and what is in flight.
    std::size_t queued_bytes_total_max = std::size_t{1024} * 1024 * 1024;  // The same of all sessions together.
    std::size_t mailbox_bytes_max = 64 * 1024 * 1024;                      // From all shards to one.

    // Retained messages.
    std::uint32_t retained_messages_max = 1'000'000;
    std::size_t retained_bytes_max = std::size_t{1024} * 1024 * 1024;
};

struct Policy {
    WhenFull when_full = WhenFull::DropOldest;
    SharedStrategy shared_strategy = SharedStrategy::RoundRobin;
};

}  // namespace chappe::broker
