#pragma once

// DISCONNECT and AUTH. Included by tests/packet_cases.h.

#include "tests/packet_cases/row.h"

namespace chappe::mqtt::cases {

[[nodiscard]] inline PacketCases disconnect_cases() {
    return {
        {"DISCONNECT", V5, Client, "E0 {}", Disconnect{}, "3.14.2.1"},
        {"DISCONNECT with will", V5, Client, "E0 { 04 }", Disconnect{.reason_code = DisconnectWithWillMessage},
         "[MQTT-3.14.2-1] 3.14.2.2.1"},
        {"DISCONNECT, session expiry interval", V5, Client, "E0 { 00 { 11 0000000A } }",
         Disconnect{.session_expiry_interval_seconds = 10}, "3.14.2.2.2"},
        {"DISCONNECT, all properties of a client", V5, Client, "E0 { 80 { 11 0000000A 1F s'tired' 26 s'k' s'v' } }",
         Disconnect{.reason_code = UnspecifiedError,
                    .session_expiry_interval_seconds = 10,
                    .reason_string = "tired",
                    .user_properties = {{"k", "v"}}},
         "3.14.2.2"},
        {"DISCONNECT, all properties of a server", V5, Server,
         "E0 { 9C { 1C s'other' 1F s'moved' 26 s'k' s'v' 26 s'k' s'w' } }",
         Disconnect{.reason_code = UseAnotherServer,
                    .reason_string = "moved",
                    .server_reference = "other",
                    .user_properties = {{"k", "v"}, {"k", "w"}}},
         "3.14.2.2"},
        {"DISCONNECT from a server", V5, Server, "E0 { 8E }", Disconnect{.reason_code = SessionTakenOver},
         "[MQTT-3.14.2-1]"},
        {"DISCONNECT, reason code written out", V5, Client, "E0 { 00 }", Disconnect{}, "3.14.2.1", Form::Other},
        {"DISCONNECT, property length written out", V5, Client, "E0 { 00 {} }", Disconnect{}, "3.14.2.1", Form::Other},
        {"DISCONNECT 3.1.1", V311, Client, "E0 {}", Disconnect{}, "3.14 of 3.1.1"},
        {"DISCONNECT 3.1", V31, Client, "E0 {}", Disconnect{}, "3.1"},
        {"DISCONNECT 3.1.1 with reason code", V311, Client, "E0 { 00 }", MalformedPacket, "3.14 of 3.1.1"},
        {"DISCONNECT 3.1.1 from a server", V311, Server, "E0 {}", ProtocolError, "table 2.1 of 3.1.1"},
        {"DISCONNECT, reason code of a server", V5, Client, "E0 { 8E }", ProtocolError, "[MQTT-3.14.2-1]"},
        {"DISCONNECT with will from a server", V5, Server, "E0 { 04 }", ProtocolError, "[MQTT-3.14.2-1]"},
        {"DISCONNECT, reason code of another packet", V5, Client, "E0 { 10 }", ProtocolError, "[MQTT-3.14.2-1]"},
        {"DISCONNECT, unknown reason code", V5, Client, "E0 { 7F }", ProtocolError, "[MQTT-3.14.2-1]"},
        {"DISCONNECT from a server, session expiry interval", V5, Server, "E0 { 00 { 11 0000000A } }", ProtocolError,
         "[MQTT-3.14.2-2]"},
        {"DISCONNECT, session expiry interval twice", V5, Client, "E0 { 00 { 11 00000000 11 00000000 } }",
         ProtocolError, "3.14.2.2.2"},
        {"DISCONNECT, reason string twice", V5, Client, "E0 { 00 { 1F s'' 1F s'' } }", ProtocolError, "3.14.2.2.3"},
        {"DISCONNECT from a server, server reference twice", V5, Server, "E0 { 9D { 1C s'a' 1C s'b' } }", ProtocolError,
         "3.14.2.2.5"},
        {"DISCONNECT, property not allowed", V5, Client, "E0 { 00 { 21 0001 } }", MalformedPacket, "2.2.2.2"},
        {"DISCONNECT, property length beyond the packet", V5, Client, "E0 { 00 05 11 0000 }", MalformedPacket,
         "2.2.2.1"},
        {"DISCONNECT, a byte too many", V5, Client, "E0 { 00 {} 00 }", MalformedPacket, "3.14.3"},
    };
}

[[nodiscard]] inline PacketCases auth_cases() {
    return {
        {"AUTH, continue", V5, Client, "F0 { 18 { 15 s'M' 16 s'D' } }",
         Auth{.reason_code = ContinueAuthentication, .authentication_method = "M", .authentication_data = payload("D")},
         "[MQTT-3.15.2-1]"},
        {"AUTH, re-authenticate, all properties", V5, Client, "F0 { 19 { 15 s'M' 16 s'D' 1F s'again' 26 s'k' s'v' } }",
         Auth{.reason_code = ReAuthenticate,
              .authentication_method = "M",
              .authentication_data = payload("D"),
              .reason_string = "again",
              .user_properties = {{"k", "v"}}},
         "3.15.2.2"},
        {"AUTH from a server, continue", V5, Server, "F0 { 18 { 15 s'M' } }",
         Auth{.reason_code = ContinueAuthentication, .authentication_method = "M"}, "[MQTT-3.15.2-1]"},
        {"AUTH from a server, success", V5, Server, "F0 { 00 { 15 s'M' } }", Auth{.authentication_method = "M"},
         "[MQTT-3.15.2-1]"},
        {"AUTH from a server, short form", V5, Server, "F0 {}", Auth{}, "3.15.2.1"},
        {"AUTH, short form from a client", V5, Client, "F0 {}", ProtocolError, "table 3-11"},
        {"AUTH, success from a client", V5, Client, "F0 { 00 { 15 s'M' } }", ProtocolError, "[MQTT-3.15.2-1]"},
        {"AUTH from a server, re-authenticate", V5, Server, "F0 { 19 { 15 s'M' } }", ProtocolError, "[MQTT-3.15.2-1]"},
        {"AUTH, reason code of another packet", V5, Client, "F0 { 87 { 15 s'M' } }", ProtocolError, "[MQTT-3.15.2-1]"},
        {"AUTH without method", V5, Client, "F0 { 18 { 16 s'D' } }", ProtocolError, "3.15.2.2.2"},
        {"AUTH without properties", V5, Client, "F0 { 18 {} }", ProtocolError, "3.15.2.2.2"},
        {"AUTH, property length missing", V5, Client, "F0 { 18 }", MalformedPacket, "[MQTT-2.2.2-1]"},
        {"AUTH, method twice", V5, Client, "F0 { 18 { 15 s'M' 15 s'M' } }", ProtocolError, "3.15.2.2.2"},
        {"AUTH, data twice", V5, Client, "F0 { 18 { 15 s'M' 16 s'D' 16 s'D' } }", ProtocolError, "3.15.2.2.3"},
        {"AUTH, reason string twice", V5, Client, "F0 { 18 { 15 s'M' 1F s'' 1F s'' } }", ProtocolError, "3.15.2.2.4"},
        {"AUTH, property not allowed", V5, Client, "F0 { 18 { 15 s'M' 11 00000001 } }", MalformedPacket, "2.2.2.2"},
        {"AUTH, a byte too many", V5, Client, "F0 { 18 { 15 s'M' } 00 }", MalformedPacket, "3.15.3"},
    };
}

}  // namespace chappe::mqtt::cases
