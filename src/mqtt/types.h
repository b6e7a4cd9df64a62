#pragma once

// The small vocabulary of MQTT that every packet uses.

#include <cstdint>
#include <string_view>

#include "base/id.h"

namespace chappe::mqtt {

// The protocol level of CONNECT (3.1.2.2). 3.1 is MQIsdp, the one before the OASIS standard.
enum class ProtocolVersion : std::uint8_t { V31 = 3, V311 = 4, V5 = 5 };

enum class QoS : std::uint8_t { AtMostOnce = 0, AtLeastOnce = 1, ExactlyOnce = 2 };

// MQTT 5.0, section 2.1.2.
enum class PacketType : std::uint8_t {
    Connect = 1,
    ConnAck = 2,
    Publish = 3,
    PubAck = 4,
    PubRec = 5,
    PubRel = 6,
    PubComp = 7,
    Subscribe = 8,
    SubAck = 9,
    Unsubscribe = 10,
    UnsubAck = 11,
    PingReq = 12,
    PingResp = 13,
    Disconnect = 14,
    Auth = 15,
};

// Which side sent a packet: some packets, properties and reason codes are legal in one direction only.
enum class Sender : std::uint8_t { Client, Server };

[[nodiscard]] std::string_view to_string(ProtocolVersion version) noexcept;  // "3.1.1"
[[nodiscard]] std::string_view to_string(PacketType type) noexcept;          // "PUBLISH"

// What to do with retained messages when a subscription is made (3.8.3.1).
enum class RetainHandling : std::uint8_t { Send = 0, SendIfNew = 1, DoNotSend = 2 };

// Identifies a packet that is waiting for its acknowledgement. 0 is not a packet identifier (2.2.1).
using PacketId = Id<struct PacketIdTag, std::uint16_t>;

// Remaining Length is at most 268,435,455 (2.1.4), so a packet is at most that and its fixed header of five bytes.
inline constexpr std::uint32_t remaining_length_max = 268'435'455;
inline constexpr std::uint32_t packet_size_limit = remaining_length_max + 5;

// A subscription identifier is 1 to 268,435,455 (3.8.2.1.2).
inline constexpr std::uint32_t subscription_identifier_max = 268'435'455;

// Session Expiry Interval 0xFFFFFFFF: the session does not expire (3.1.2.11.2).
inline constexpr std::uint32_t session_never_expires = 0xFFFF'FFFF;

}  // namespace chappe::mqtt
