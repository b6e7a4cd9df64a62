#pragma once

// What the first two to five bytes of a packet can do wrong, and the packets that have nothing else.
// Included by tests/packet_cases.h.

#include "tests/packet_cases/row.h"

namespace chappe::mqtt::cases {

[[nodiscard]] inline PacketCases reserved_flags_cases() {
    return {
        {"reserved flags of CONNECT", V5, Client, "11 { s'MQTT' 05 02 0000 {} s'a' }", MalformedPacket,
         "[MQTT-2.1.3-1]"},
        {"reserved flags of CONNECT 3.1.1", V311, Client, "18 { s'MQTT' 04 02 0000 s'a' }", MalformedPacket,
         "[MQTT3-2.2.2-2]"},
        {"reserved flags of CONNACK", V5, Server, "22 { 00 00 {} }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of PUBACK", V5, Client, "42 { 0001 }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of PUBREC", V5, Client, "51 { 0001 }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of PUBREL", V5, Client, "60 { 0001 }", MalformedPacket, "[MQTT-3.6.1-1]"},
        {"reserved flags of PUBREL 3.1.1", V311, Client, "60 { 0001 }", MalformedPacket, "[MQTT3-3.6.1-1]"},
        {"reserved flags of PUBREL with DUP", V5, Client, "6A { 0001 }", MalformedPacket, "[MQTT-3.6.1-1]"},
        {"reserved flags of PUBCOMP", V5, Client, "78 { 0001 }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of SUBSCRIBE", V5, Client, "80 { 0001 {} s'a' 00 }", MalformedPacket, "[MQTT-3.8.1-1]"},
        {"reserved flags of SUBSCRIBE 3.1.1", V311, Client, "80 { 0001 s'a' 00 }", MalformedPacket, "[MQTT3-3.8.1-1]"},
        {"reserved flags of SUBSCRIBE with DUP", V5, Client, "8A { 0001 {} s'a' 00 }", MalformedPacket,
         "[MQTT-3.8.1-1]"},
        {"reserved flags of SUBACK", V5, Server, "92 { 0001 {} 00 }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of UNSUBSCRIBE", V5, Client, "A3 { 0001 {} s'a' }", MalformedPacket, "[MQTT-3.10.1-1]"},
        {"reserved flags of UNSUBSCRIBE 3.1.1", V311, Client, "A0 { 0001 s'a' }", MalformedPacket, "[MQTT3-3.10.1-1]"},
        {"reserved flags of UNSUBSCRIBE with DUP", V311, Client, "AA { 0001 s'a' }", MalformedPacket,
         "[MQTT3-3.10.1-1]"},
        {"reserved flags of UNSUBACK", V5, Server, "B2 { 0001 {} 00 }", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of PINGREQ", V5, Client, "C1 {}", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of PINGREQ 3.1.1", V311, Client, "C2 {}", MalformedPacket, "[MQTT3-2.2.2-2]"},
        {"reserved flags of PINGRESP", V5, Server, "D4 {}", MalformedPacket, "[MQTT-2.1.3-1]"},
        {"reserved flags of DISCONNECT", V5, Client, "E1 {}", MalformedPacket, "[MQTT-3.14.1-1]"},
        {"reserved flags of DISCONNECT 3.1.1", V311, Client, "E1 {}", MalformedPacket, "[MQTT3-3.14.1-1]"},
        {"reserved flags of AUTH", V5, Client, "F8 { 18 { 15 s'M' } }", MalformedPacket, "[MQTT-3.15.1-1]"},
        {"DUP of SUBSCRIBE 3.1", V31, Client, "8A { 0001 s'a' 00 }",
         Subscribe{.packet_id = {1}, .entries = {{"a", {}}}}, "3.1 has the flag", Form::Other},
        {"DUP of UNSUBSCRIBE 3.1", V31, Client, "AA { 0001 s'a' }", Unsubscribe{.packet_id = {1}, .filters = {"a"}},
         "3.1 has the flag", Form::Other},
        {"DUP of PUBREL 3.1", V31, Client, "6A { 0001 }", PubRel{.packet_id = {1}}, "3.1 has the flag", Form::Other},
    };
}

[[nodiscard]] inline PacketCases remaining_length_cases() {
    return {
        {"packet type 0", V5, Client, "00 {}", MalformedPacket, "table 2-1"},
        {"packet type 15 in 3.1.1", V311, Client, "F0 {}", MalformedPacket, "table 2.1 of 3.1.1"},
        {"remaining length of five bytes", V5, Client, "C0 80808080 01", MalformedPacket, "2.1.4, [MQTT-1.5.5-1]"},
        {"remaining length without end", V5, Client, "C0 FFFFFFFF FF", MalformedPacket, "2.1.4, [MQTT-1.5.5-1]"},
        {"remaining length of two bytes where one is enough", V5, Client, "C0 8000", MalformedPacket, "[MQTT-1.5.5-1]"},
        {"remaining length of four bytes where one is enough", V5, Client, "40 82808000 0001", MalformedPacket,
         "[MQTT-1.5.5-1]"},
    };
}

[[nodiscard]] inline PacketCases ping_cases() {
    return {
        {"PINGREQ", V5, Client, "C0 {}", PingReq{}, "3.12"},
        {"PINGREQ 3.1.1", V311, Client, "C0 {}", PingReq{}, "3.12 of 3.1.1"},
        {"PINGREQ 3.1", V31, Client, "C0 {}", PingReq{}, "3.1"},
        {"PINGRESP", V5, Server, "D0 {}", PingResp{}, "3.13"},
        {"PINGRESP 3.1.1", V311, Server, "D0 {}", PingResp{}, "3.13 of 3.1.1"},
        {"PINGREQ with a byte", V5, Client, "C0 { 00 }", MalformedPacket, "3.12.3"},
        {"PINGRESP with a byte", V5, Server, "D0 { 00 }", MalformedPacket, "3.13.3"},
        {"PINGREQ from a server", V5, Server, "C0 {}", ProtocolError, "table 2-1"},
        {"PINGRESP from a client", V5, Client, "D0 {}", ProtocolError, "table 2-1"},
    };
}

[[nodiscard]] inline PacketCases fixed_header_cases() {
    return concatenated({reserved_flags_cases(), remaining_length_cases(), ping_cases()});
}

}  // namespace chappe::mqtt::cases
