#pragma once

// PUBACK, PUBREC, PUBREL and PUBCOMP. Included by tests/packet_cases.h.

#include "tests/packet_cases/row.h"

namespace chappe::mqtt::cases {

[[nodiscard]] inline PacketCases legal_acknowledgement_cases() {
    return {
        {"PUBACK", V5, Client, "40 { 1234 }", PubAck{.packet_id = {0x1234}}, "3.4.2.1"},
        {"PUBACK with reason code", V5, Client, "40 { 0001 80 }",
         PubAck{.packet_id = {1}, .reason_code = UnspecifiedError}, "[MQTT-3.4.2-1] 3.4.2.2.1"},
        {"PUBACK from a server, no matching subscribers", V5, Server, "40 { 0001 10 }",
         PubAck{.packet_id = {1}, .reason_code = NoMatchingSubscribers}, "[MQTT-3.4.2-1]"},
        {"PUBACK from a client that is a bridge, no matching subscribers", V5, Client, "40 { 0001 10 }",
         PubAck{.packet_id = {1}, .reason_code = NoMatchingSubscribers}, "3.4.2.1"},
        {"PUBACK with all properties", V5, Client, "40 { 0001 97 { 1F s'full' 26 s'k' s'v' 26 s'k' s'w' } }",
         PubAck{.packet_id = {1},
                .reason_code = QuotaExceeded,
                .reason_string = "full",
                .user_properties = {{"k", "v"}, {"k", "w"}}},
         "3.4.2.2"},
        {"PUBACK, success with properties", V5, Client, "40 { 0001 00 { 1F s'' } }",
         PubAck{.packet_id = {1}, .reason_string = ""}, "3.4.2.2"},
        {"PUBACK, reason code and property length written out", V5, Client, "40 { 0001 00 {} }",
         PubAck{.packet_id = {1}}, "3.4.2.1", Form::Other},
        {"PUBACK, reason code written out", V5, Client, "40 { 0001 00 }", PubAck{.packet_id = {1}}, "3.4.2.1",
         Form::Other},
        {"PUBACK 3.1.1", V311, Client, "40 { 0001 }", PubAck{.packet_id = {1}}, "3.4 of 3.1.1"},
        {"PUBACK 3.1", V31, Client, "40 { 0001 }", PubAck{.packet_id = {1}}, "3.1"},
        {"PUBREC", V5, Client, "50 { 0001 }", PubRec{.packet_id = {1}}, "3.5.2.1"},
        {"PUBREC with reason code", V5, Client, "50 { 0001 87 }",
         PubRec{.packet_id = {1}, .reason_code = NotAuthorized}, "[MQTT-3.5.2-1]"},
        {"PUBREC with all properties", V5, Server, "50 { 0001 10 { 1F s'nobody' 26 s'k' s'v' } }",
         PubRec{.packet_id = {1},
                .reason_code = NoMatchingSubscribers,
                .reason_string = "nobody",
                .user_properties = {{"k", "v"}}},
         "3.5.2.2"},
        {"PUBREC 3.1.1", V311, Client, "50 { 0001 }", PubRec{.packet_id = {1}}, "3.5 of 3.1.1"},
        {"PUBREL", V5, Client, "62 { 0001 }", PubRel{.packet_id = {1}}, "3.6.2.1"},
        {"PUBREL with reason code", V5, Client, "62 { 0001 92 }",
         PubRel{.packet_id = {1}, .reason_code = PacketIdentifierNotFound}, "[MQTT-3.6.2-1]"},
        {"PUBREL with all properties", V5, Client, "62 { 0001 92 { 1F s'lost' 26 s'k' s'v' } }",
         PubRel{.packet_id = {1},
                .reason_code = PacketIdentifierNotFound,
                .reason_string = "lost",
                .user_properties = {{"k", "v"}}},
         "3.6.2.2"},
        {"PUBREL 3.1.1", V311, Client, "62 { 0001 }", PubRel{.packet_id = {1}}, "3.6 of 3.1.1"},
        {"PUBREL 3.1", V31, Client, "62 { 0001 }", PubRel{.packet_id = {1}}, "3.1"},
        {"PUBCOMP", V5, Client, "70 { FFFF }", PubComp{.packet_id = {0xFFFF}}, "3.7.2.1"},
        {"PUBCOMP with reason code", V5, Client, "70 { 0001 92 }",
         PubComp{.packet_id = {1}, .reason_code = PacketIdentifierNotFound}, "[MQTT-3.7.2-1]"},
        {"PUBCOMP with all properties", V5, Client, "70 { 0001 92 { 1F s'lost' 26 s'k' s'v' } }",
         PubComp{.packet_id = {1},
                 .reason_code = PacketIdentifierNotFound,
                 .reason_string = "lost",
                 .user_properties = {{"k", "v"}}},
         "3.7.2.2"},
        {"PUBCOMP 3.1.1", V311, Client, "70 { 0001 }", PubComp{.packet_id = {1}}, "3.7 of 3.1.1"},
    };
}

[[nodiscard]] inline PacketCases acknowledgement_violation_cases() {
    return {
        {"PUBACK, empty", V5, Client, "40 {}", MalformedPacket, "3.4.2"},
        {"PUBACK, packet identifier cut off", V5, Client, "40 { 00 }", MalformedPacket, "3.4.2"},
        {"PUBACK, packet identifier 0", V5, Client, "40 { 0000 }", ProtocolError, "[MQTT-2.2.1-5]"},
        {"PUBACK 3.1.1, packet identifier 0", V311, Client, "40 { 0000 }", MalformedPacket, "[MQTT3-2.3.1-6]"},
        {"PUBACK 3.1.1 with reason code", V311, Client, "40 { 0001 00 }", MalformedPacket, "3.4 of 3.1.1"},
        {"PUBACK, reason code of another packet", V5, Client, "40 { 0001 92 }", ProtocolError, "[MQTT-3.4.2-1]"},
        {"PUBACK, property not allowed", V5, Client, "40 { 0001 00 { 11 00000000 } }", MalformedPacket, "2.2.2.2"},
        {"PUBACK, reason string twice", V5, Client, "40 { 0001 00 { 1F s'a' 1F s'b' } }", ProtocolError, "3.4.2.2.2"},
        {"PUBACK, reason string not UTF-8", V5, Client, "40 { 0001 00 { 1F 0001 FF } }", MalformedPacket,
         "[MQTT-1.5.4-1]"},
        {"PUBACK, a byte too many", V5, Client, "40 { 0001 00 {} 00 }", MalformedPacket, "3.4.3"},
        {"PUBREC, packet identifier 0", V5, Client, "50 { 0000 }", ProtocolError, "[MQTT-2.2.1-5]"},
        {"PUBREC, reason code of another packet", V5, Client, "50 { 0001 92 }", ProtocolError, "[MQTT-3.5.2-1]"},
        {"PUBREC, property not allowed", V5, Client, "50 { 0001 00 { 23 0001 } }", MalformedPacket, "2.2.2.2"},
        {"PUBREC, reason string twice", V5, Client, "50 { 0001 00 { 1F s'a' 1F s'b' } }", ProtocolError, "3.5.2.2.2"},
        {"PUBREL, packet identifier 0", V5, Client, "62 { 0000 }", ProtocolError, "[MQTT-2.2.1-5]"},
        {"PUBREL, reason code of another packet", V5, Client, "62 { 0001 80 }", ProtocolError, "[MQTT-3.6.2-1]"},
        {"PUBREL, property not allowed", V5, Client, "62 { 0001 00 { 02 00000000 } }", MalformedPacket, "2.2.2.2"},
        {"PUBREL, reason string twice", V5, Client, "62 { 0001 00 { 1F s'a' 1F s'b' } }", ProtocolError, "3.6.2.2.2"},
        {"PUBCOMP, packet identifier 0", V5, Client, "70 { 0000 }", ProtocolError, "[MQTT-2.2.1-5]"},
        {"PUBCOMP, reason code of another packet", V5, Client, "70 { 0001 91 }", ProtocolError, "[MQTT-3.7.2-1]"},
        {"PUBCOMP, property not allowed", V5, Client, "70 { 0001 00 { 0B 01 } }", MalformedPacket, "2.2.2.2"},
        {"PUBCOMP, reason string twice", V5, Client, "70 { 0001 00 { 1F s'a' 1F s'b' } }", ProtocolError, "3.7.2.2.2"},
    };
}

[[nodiscard]] inline PacketCases acknowledgement_cases() {
    return concatenated({legal_acknowledgement_cases(), acknowledgement_violation_cases()});
}

}  // namespace chappe::mqtt::cases
