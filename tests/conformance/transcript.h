#pragma once

// A packet as one line of text, so that a test can say in full what the broker is to send, and a failure can be read.

#include <string>

#include "mqtt/packet.h"

namespace chappe::conformance {

// The packet's name, then what the packet has beyond the least it can have:
//
//     CONNACK 0x00 session_present client_id='a'
//     PUBLISH a/b 'payload' qos=1 id=7 dup retain alias=2 subscription=3 expiry=60 user=name:value
//     PUBACK 7, PUBREC 7 0x10, SUBACK 7 0x00 0x8F, DISCONNECT 0x8E, PINGRESP
//
// What a CONNACK tells about the broker's bounds, and reason strings, are left out: they are not what most tests are
// about.
[[nodiscard]] std::string describe(const mqtt::Packet& packet);

}  // namespace chappe::conformance
