#pragma once

// CONNECT as it may be. Included by tests/packet_cases.h.

#include "tests/packet_cases/row.h"

namespace chappe::mqtt::cases {

// Its parts: before 5.0, and of 5.0. The tables are apart because a reader looks for one version.
[[nodiscard]] inline PacketCases connect_v5_cases() {
    return {
        {"CONNECT 5.0, nothing but a client id", V5, Client, "10 { s'MQTT' 05 02 0000 {} s'a' }",
         Connect{.client_id = "a"}, "[MQTT-3.1.3-3] [MQTT-3.1.3-5] [MQTT-2.2.2-1]"},
        {"CONNECT 5.0, empty client id", V5, Client, "10 { s'MQTT' 05 02 0000 {} s'' }", Connect{.client_id = ""},
         "[MQTT-3.1.3-6]"},
        {"CONNECT 5.0, client id of 23 characters", V5, Client,
         "10 { s'MQTT' 05 02 0000 {} s'0123456789abcdefgXYZ012' }", Connect{.client_id = "0123456789abcdefgXYZ012"},
         "[MQTT-3.1.3-5]"},
        {"CONNECT 5.0, client id with U+FEFF first", V5, Client, "10 { s'MQTT' 05 02 0000 {} 0004 EFBBBF 'a' }",
         Connect{.client_id = "\xEF\xBB\xBF"
                              "a"},
         "[MQTT-1.5.4-3]"},
        {"CONNECT 5.0, clean start 0 and keep alive", V5, Client, "10 { s'MQTT' 05 00 003C {} s'a' }",
         Connect{.clean_start = false, .keep_alive_seconds = 60, .client_id = "a"}, "3.1.2.4, 3.1.2.10"},
        {"CONNECT 5.0, largest keep alive", V5, Client, "10 { s'MQTT' 05 02 FFFF {} s'a' }",
         Connect{.keep_alive_seconds = 65'535, .client_id = "a"}, "3.1.2.10"},
        {"CONNECT 5.0, user name", V5, Client, "10 { s'MQTT' 05 82 0000 {} s'a' s'anna' }",
         Connect{.client_id = "a", .user_name = "anna"}, "[MQTT-3.1.2-17]"},
        {"CONNECT 5.0, user name and password", V5, Client, "10 { s'MQTT' 05 C2 0000 {} s'a' s'anna' 0003 00FF80 }",
         Connect{.client_id = "a", .user_name = "anna", .password = payload({"\x00\xFF\x80", 3})},
         "[MQTT-3.1.2-17] [MQTT-3.1.2-19]"},
        {"CONNECT 5.0, password without user name", V5, Client, "10 { s'MQTT' 05 42 0000 {} s'a' s'token' }",
         Connect{.client_id = "a", .password = payload("token")}, "3.1.2.9"},
        {"CONNECT 5.0, empty user name and password", V5, Client, "10 { s'MQTT' 05 C2 0000 {} s'a' s'' s'' }",
         Connect{.client_id = "a", .user_name = "", .password = payload("")}, "3.1.3.5, 3.1.3.6"},
        {"CONNECT 5.0, bridge", V5, Client, "10 { s'MQTT' 85 02 0000 {} s'a' }",
         Connect{.bridge = true, .client_id = "a"}, "Mosquitto's bridge marker"},
    };
}

[[nodiscard]] inline PacketCases connect_property_cases() {
    return {
        {"CONNECT, session expiry interval", V5, Client, "10 { s'MQTT' 05 02 0000 { 11 0000 0E10 } s'a' }",
         Connect{.client_id = "a", .session_expiry_interval_seconds = 3600}, "3.1.2.11.2"},
        {"CONNECT, session that never expires", V5, Client, "10 { s'MQTT' 05 02 0000 { 11 FFFFFFFF } s'a' }",
         Connect{.client_id = "a", .session_expiry_interval_seconds = session_never_expires}, "3.1.2.11.2"},
        {"CONNECT, receive maximum", V5, Client, "10 { s'MQTT' 05 02 0000 { 21 0001 } s'a' }",
         Connect{.client_id = "a", .receive_maximum = 1}, "3.1.2.11.3"},
        {"CONNECT, maximum packet size", V5, Client, "10 { s'MQTT' 05 02 0000 { 27 00000001 } s'a' }",
         Connect{.client_id = "a", .maximum_packet_size = 1}, "3.1.2.11.4"},
        {"CONNECT, topic alias maximum", V5, Client, "10 { s'MQTT' 05 02 0000 { 22 FFFF } s'a' }",
         Connect{.client_id = "a", .topic_alias_maximum = 65'535}, "3.1.2.11.5"},
        {"CONNECT, request response information", V5, Client, "10 { s'MQTT' 05 02 0000 { 19 01 } s'a' }",
         Connect{.client_id = "a", .request_response_information = true}, "3.1.2.11.6"},
        {"CONNECT, request problem information 0", V5, Client, "10 { s'MQTT' 05 02 0000 { 17 00 } s'a' }",
         Connect{.client_id = "a", .request_problem_information = false}, "3.1.2.11.7"},
        {"CONNECT, user properties in their order", V5, Client,
         "10 { s'MQTT' 05 02 0000 { 26 s'b' s'1' 26 s'a' s'2' 26 s'b' s'' } s'a' }",
         Connect{.client_id = "a", .user_properties = {{"b", "1"}, {"a", "2"}, {"b", ""}}},
         "3.1.2.11.8, [MQTT-1.5.7-1]"},
        {"CONNECT, authentication method and data", V5, Client,
         "10 { s'MQTT' 05 02 0000 { 15 s'SCRAM' 16 s'n,,' } s'a' }",
         Connect{.client_id = "a", .authentication_method = "SCRAM", .authentication_data = payload("n,,")},
         "3.1.2.11.9, 3.1.2.11.10"},
        {"CONNECT, authentication method without data", V5, Client, "10 { s'MQTT' 05 02 0000 { 15 s'SCRAM' } s'a' }",
         Connect{.client_id = "a", .authentication_method = "SCRAM"}, "3.1.2.11.9"},
        {"CONNECT, all properties", V5, Client,
         "10 { s'MQTT' 05 02 0000 { 11 0000000A 15 s'M' 16 s'D' 17 00 19 01 21 0014 22 000A 26 s'k' s'v' 27 00000400 }"
         " s'a' }",
         Connect{.client_id = "a",
                 .session_expiry_interval_seconds = 10,
                 .receive_maximum = 20,
                 .maximum_packet_size = 1024,
                 .topic_alias_maximum = 10,
                 .request_response_information = true,
                 .request_problem_information = false,
                 .authentication_method = "M",
                 .authentication_data = payload("D"),
                 .user_properties = {{"k", "v"}}},
         "3.1.2.11"},
        {"CONNECT, properties in any order", V5, Client,
         "10 { s'MQTT' 05 02 0000 { 26 s'k' s'v' 27 00000400 26 s'l' s'w' 11 0000000A } s'a' }",
         Connect{.client_id = "a",
                 .session_expiry_interval_seconds = 10,
                 .maximum_packet_size = 1024,
                 .user_properties = {{"k", "v"}, {"l", "w"}}},
         "2.2.2.2", Form::Other},
        {"CONNECT, defaults written out", V5, Client, "10 { s'MQTT' 05 02 0000 { 17 01 19 00 22 0000 } s'a' }",
         Connect{.client_id = "a"}, "3.1.2.11", Form::Other},
    };
}

[[nodiscard]] inline PacketCases connect_will_cases() {
    return {
        {"CONNECT, will", V5, Client, "10 { s'MQTT' 05 06 0000 {} s'a' {} s'w/t' s'gone' }",
         Connect{.client_id = "a", .will = Will{.topic = "w/t", .payload = payload("gone")}},
         "[MQTT-3.1.2-9] [MQTT-3.1.3-11]"},
        {"CONNECT, will of QoS 1", V5, Client, "10 { s'MQTT' 05 0E 0000 {} s'a' {} s'w' s'x' }",
         Connect{.client_id = "a", .will = Will{.topic = "w", .payload = payload("x"), .qos = QoS::AtLeastOnce}},
         "[MQTT-3.1.2-12]"},
        {"CONNECT, will of QoS 2, retained", V5, Client, "10 { s'MQTT' 05 36 0000 {} s'a' {} s'w' s'x' }",
         Connect{.client_id = "a",
                 .will = Will{.topic = "w", .payload = payload("x"), .qos = QoS::ExactlyOnce, .retain = true}},
         "[MQTT-3.1.2-12] 3.1.2.7"},
        {"CONNECT, will with empty payload", V5, Client, "10 { s'MQTT' 05 26 0000 {} s'a' {} s'w' s'' }",
         Connect{.client_id = "a", .will = Will{.topic = "w", .retain = true}}, "3.1.3.4"},
        {"CONNECT, will with all properties", V5, Client,
         "10 { s'MQTT' 05 06 0000 {} s'a'"
         " { 02 0000003C 18 0000000A 01 01 03 s'text/plain' 08 s'r/t' 09 s'id' 26 s'k' s'1' 26 s'k' s'2' } s'w' s'x' }",
         Connect{.client_id = "a",
                 .will = Will{.topic = "w",
                              .payload = payload("x"),
                              .delay_interval_seconds = 10,
                              .properties = {.payload_format_indicator = 1,
                                             .message_expiry_interval_seconds = 60,
                                             .content_type = "text/plain",
                                             .response_topic = "r/t",
                                             .correlation_data = payload("id"),
                                             .user_properties = {{"k", "1"}, {"k", "2"}}}}},
         "3.1.3.2"},
        {"CONNECT, will delay 0 written out", V5, Client, "10 { s'MQTT' 05 06 0000 {} s'a' { 18 00000000 } s'w' s'x' }",
         Connect{.client_id = "a", .will = Will{.topic = "w", .payload = payload("x")}}, "3.1.3.2.2", Form::Other},
        {"CONNECT, will, user name and password", V5, Client,
         "10 { s'MQTT' 05 C6 0000 {} s'a' {} s'w' s'x' s'anna' s'secret' }",
         Connect{.client_id = "a",
                 .will = Will{.topic = "w", .payload = payload("x")},
                 .user_name = "anna",
                 .password = payload("secret")},
         "3.1.3"},
        {"CONNECT 3.1.1, will", V311, Client, "10 { s'MQTT' 04 0E 0000 s'a' s'w' s'x' }",
         Connect{.version = V311,
                 .client_id = "a",
                 .will = Will{.topic = "w", .payload = payload("x"), .qos = QoS::AtLeastOnce}},
         "[MQTT3-3.1.2-9] [MQTT3-3.1.3-1] [MQTT3-3.1.3-10]"},
    };
}

[[nodiscard]] inline PacketCases connect_before_v5_cases() {
    return {
        {"CONNECT 3.1.1, nothing but a client id", V311, Client, "10 { s'MQTT' 04 02 0000 s'a' }",
         Connect{.version = V311, .client_id = "a"}, "[MQTT3-3.1.3-3] [MQTT3-3.1.3-5]"},
        {"CONNECT 3.1.1, empty client id", V311, Client, "10 { s'MQTT' 04 02 0000 s'' }",
         Connect{.version = V311, .client_id = ""}, "[MQTT3-3.1.3-6]"},
        {"CONNECT 3.1.1, user name and password", V311, Client, "10 { s'MQTT' 04 C0 000A s'a' s'anna' s'secret' }",
         Connect{.version = V311,
                 .clean_start = false,
                 .keep_alive_seconds = 10,
                 .client_id = "a",
                 .user_name = "anna",
                 .password = payload("secret")},
         "[MQTT3-3.1.2-19] [MQTT3-3.1.2-21] [MQTT3-3.1.3-1]"},
        {"CONNECT 3.1.1, bridge", V311, Client, "10 { s'MQTT' 84 02 0000 s'a' }",
         Connect{.version = V311, .bridge = true, .client_id = "a"}, "Mosquitto's bridge marker"},
        {"CONNECT 3.1, nothing but a client id", V31, Client, "10 { s'MQIsdp' 03 02 0000 s'a' }",
         Connect{.version = V31, .client_id = "a"}, "3.1"},
        {"CONNECT 3.1, client id above 23 characters", V31, Client,
         "10 { s'MQIsdp' 03 02 0000 s'0123456789012345678901234' }",
         Connect{.version = V31, .client_id = "0123456789012345678901234"}, "3.1; accepted as Mosquitto does"},
        {"CONNECT 3.1, will, user name and password", V31, Client,
         "10 { s'MQIsdp' 03 CE 000A s'a' s'w' s'x' s'anna' s'secret' }",
         Connect{.version = V31,
                 .keep_alive_seconds = 10,
                 .client_id = "a",
                 .will = Will{.topic = "w", .payload = payload("x"), .qos = QoS::AtLeastOnce},
                 .user_name = "anna",
                 .password = payload("secret")},
         "3.1"},
        {"CONNECT 3.1, bridge", V31, Client, "10 { s'MQIsdp' 83 02 0000 s'a' }",
         Connect{.version = V31, .bridge = true, .client_id = "a"}, "Mosquitto's bridge marker"},
        {"CONNECT 3.1, user name and password left out", V31, Client, "10 { s'MQIsdp' 03 C2 0000 s'a' }",
         Connect{.version = V31, .client_id = "a"}, "3.1: the packet's end counts more than the flags", Form::Other},
        {"CONNECT 3.1, password left out", V31, Client, "10 { s'MQIsdp' 03 C2 0000 s'a' s'anna' }",
         Connect{.version = V31, .client_id = "a", .user_name = "anna"},
         "3.1: the packet's end counts more than the flags", Form::Other},
        {"CONNECT 3.1, reserved flag", V31, Client, "10 { s'MQIsdp' 03 03 0000 s'a' }",
         Connect{.version = V31, .client_id = "a"}, "3.1: the bit is not used", Form::Other},
    };
}

[[nodiscard]] inline PacketCases connect_cases() {
    return concatenated(
        {connect_v5_cases(), connect_property_cases(), connect_will_cases(), connect_before_v5_cases()});
}

}  // namespace chappe::mqtt::cases
