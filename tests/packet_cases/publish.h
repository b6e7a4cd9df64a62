#pragma once

// PUBLISH. Included by tests/packet_cases.h.

#include "tests/packet_cases/row.h"

namespace chappe::mqtt::cases {

[[nodiscard]] inline PacketCases publish_flags_cases() {
    static const std::string two_hundred(200, 'x');
    return {
        {"PUBLISH, QoS 0", V5, Client, "30 { s'a/b' {} 'hello' }", Publish{.topic = "a/b", .payload = payload("hello")},
         "[MQTT-3.3.2-1] [MQTT-2.2.1-2] [MQTT-2.2.2-1]"},
        {"PUBLISH, QoS 1", V5, Client, "32 { s'a/b' 0102 {} 'hello' }",
         Publish{.qos = QoS::AtLeastOnce, .topic = "a/b", .packet_id = {0x0102}, .payload = payload("hello")},
         "3.3.2.2"},
        {"PUBLISH, QoS 2", V5, Client, "34 { s'a/b' FFFF {} 'hello' }",
         Publish{.qos = QoS::ExactlyOnce, .topic = "a/b", .packet_id = {0xFFFF}, .payload = payload("hello")},
         "3.3.2.2"},
        {"PUBLISH, DUP and RETAIN", V5, Client, "3B { s'a' 0001 {} 'x' }",
         Publish{.dup = true,
                 .qos = QoS::AtLeastOnce,
                 .retain = true,
                 .topic = "a",
                 .packet_id = {1},
                 .payload = payload("x")},
         "3.3.1"},
        {"PUBLISH, DUP with QoS 2", V5, Client, "3C { s'a' 0001 {} 'x' }",
         Publish{.dup = true, .qos = QoS::ExactlyOnce, .topic = "a", .packet_id = {1}, .payload = payload("x")},
         "3.3.1.1"},
        {"PUBLISH, RETAIN and no payload", V5, Client, "31 { s'a' {} }", Publish{.retain = true, .topic = "a"},
         "3.3.3"},
        {"PUBLISH from a server", V5, Server, "32 { s'a' 0001 {} 'x' }",
         Publish{.qos = QoS::AtLeastOnce, .topic = "a", .packet_id = {1}, .payload = payload("x")}, "3.3"},
        {"PUBLISH, payload that looks like a packet", V5, Client, "30 { s'a' {} C000 00 }",
         Publish{.topic = "a", .payload = payload({"\xC0\x00\x00", 3})}, "3.3.3"},
        {"PUBLISH, remaining length of two bytes", V5, Client, "30 { s'a' {} x200'x' }",
         Publish{.topic = "a", .payload = payload(two_hundred)}, "2.1.4"},
        {"PUBLISH 3.1.1, QoS 0", V311, Client, "30 { s'a/b' 'hello' }",
         Publish{.topic = "a/b", .payload = payload("hello")}, "[MQTT3-3.3.2-1] [MQTT3-2.3.1-5]"},
        {"PUBLISH 3.1.1, QoS 1 from a server", V311, Server, "33 { s'a/b' 0001 'hello' }",
         Publish{
             .qos = QoS::AtLeastOnce, .retain = true, .topic = "a/b", .packet_id = {1}, .payload = payload("hello")},
         "3.3 of 3.1.1"},
        {"PUBLISH 3.1.1, QoS 2", V311, Client, "34 { s'a/b' 0001 }",
         Publish{.qos = QoS::ExactlyOnce, .topic = "a/b", .packet_id = {1}}, "3.3 of 3.1.1"},
        {"PUBLISH 3.1, QoS 1", V31, Client, "32 { s'a/b' 0001 'hello' }",
         Publish{.qos = QoS::AtLeastOnce, .topic = "a/b", .packet_id = {1}, .payload = payload("hello")}, "3.1"},
    };
}

[[nodiscard]] inline PacketCases publish_topic_cases() {
    return {
        {"PUBLISH, topic /", V5, Client, "30 { s'/' {} }", Publish{.topic = "/"}, "4.7.3"},
        {"PUBLISH, topic with spaces and empty levels", V5, Client, "30 { s'/a b//' {} }", Publish{.topic = "/a b//"},
         "4.7.3"},
        {"PUBLISH, topic with $", V5, Client, "30 { s'$x/y' {} }", Publish{.topic = "$x/y"}, "4.7.2"},
        {"PUBLISH, topic of all UTF-8 sizes", V5, Client, "30 { 000A 'a' C3A9 E282AC F09F9880 {} }",
         Publish{.topic = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"}, "[MQTT-3.3.2-1]"},
        {"PUBLISH, topic with U+FEFF first", V5, Client, "30 { 0004 EFBBBF 'a' {} }",
         Publish{.topic = "\xEF\xBB\xBF"
                          "a"},
         "[MQTT-1.5.4-3]"},
        {"PUBLISH 3.1.1, topic with U+FEFF first", V311, Client, "30 { 0004 EFBBBF 'a' }",
         Publish{.topic = "\xEF\xBB\xBF"
                          "a"},
         "[MQTT3-1.5.3-3]"},
    };
}

[[nodiscard]] inline PacketCases publish_property_cases() {
    return {
        {"PUBLISH, payload format indicator 0", V5, Client, "30 { s'a' { 01 00 } 'x' }",
         Publish{.topic = "a", .properties = {.payload_format_indicator = 0}, .payload = payload("x")}, "3.3.2.3.2"},
        {"PUBLISH, payload format indicator 1", V5, Client, "30 { s'a' { 01 01 } 'x' }",
         Publish{.topic = "a", .properties = {.payload_format_indicator = 1}, .payload = payload("x")}, "3.3.2.3.2"},
        {"PUBLISH, message expiry interval", V5, Client, "30 { s'a' { 02 FFFFFFFF } }",
         Publish{.topic = "a", .properties = {.message_expiry_interval_seconds = 0xFFFF'FFFF}}, "3.3.2.3.3"},
        {"PUBLISH, message expiry interval 0", V5, Client, "30 { s'a' { 02 00000000 } }",
         Publish{.topic = "a", .properties = {.message_expiry_interval_seconds = 0}}, "3.3.2.3.3"},
        {"PUBLISH, topic and topic alias", V5, Client, "30 { s'a' { 23 0001 } }",
         Publish{.topic = "a", .topic_alias = 1}, "3.3.2.3.4"},
        {"PUBLISH, topic alias alone", V5, Client, "30 { s'' { 23 FFFF } }",
         Publish{.topic = "", .topic_alias = 65'535}, "3.3.2.3.4"},
        {"PUBLISH, response topic and correlation data", V5, Client, "30 { s'a' { 08 s'r/1' 09 0002 00FF } }",
         Publish{.topic = "a", .properties = {.response_topic = "r/1", .correlation_data = payload({"\x00\xFF", 2})}},
         "[MQTT-3.3.2-13]"},
        {"PUBLISH, empty correlation data", V5, Client, "30 { s'a' { 09 s'' } }",
         Publish{.topic = "a", .properties = {.correlation_data = payload("")}}, "3.3.2.3.6"},
        {"PUBLISH, content type", V5, Client, "30 { s'a' { 03 s'text/plain' } }",
         Publish{.topic = "a", .properties = {.content_type = "text/plain"}}, "[MQTT-3.3.2-19]"},
        {"PUBLISH, user properties in their order", V5, Client,
         "30 { s'a' { 26 s'z' s'1' 26 s'a' s'2' 26 s'z' s'1' 26 s'' s'' } }",
         Publish{.topic = "a", .properties = {.user_properties = {{"z", "1"}, {"a", "2"}, {"z", "1"}, {"", ""}}}},
         "3.3.2.3.7"},
        {"PUBLISH from a server, subscription identifiers", V5, Server, "30 { s'a' { 0B 01 0B FFFFFF7F 0B 8001 } }",
         Publish{.topic = "a", .subscription_identifiers = {1, subscription_identifier_max, 128}}, "3.3.2.3.8"},
        {"PUBLISH from a server, all properties", V5, Server,
         "32 { s'a' 0001 { 02 0000003C 0B 05 0B 06 23 0007 01 01 03 s'c' 08 s'r' 09 s'd' 26 s'k' s'v' } 'x' }",
         Publish{.qos = QoS::AtLeastOnce,
                 .topic = "a",
                 .packet_id = {1},
                 .topic_alias = 7,
                 .subscription_identifiers = {5, 6},
                 .properties = {.payload_format_indicator = 1,
                                .message_expiry_interval_seconds = 60,
                                .content_type = "c",
                                .response_topic = "r",
                                .correlation_data = payload("d"),
                                .user_properties = {{"k", "v"}}},
                 .payload = payload("x")},
         "3.3.2.3"},
        {"PUBLISH, properties in another order", V5, Client, "30 { s'a' { 26 s'k' s'v' 03 s'c' 01 01 } 'x' }",
         Publish{.topic = "a",
                 .properties = {.payload_format_indicator = 1, .content_type = "c", .user_properties = {{"k", "v"}}},
                 .payload = payload("x")},
         "2.2.2.2", Form::Other},
    };
}

[[nodiscard]] inline PacketCases publish_header_violation_cases() {
    constexpr auto topic_invalid = TopicNameInvalid;
    return {
        {"PUBLISH, QoS 3", V5, Client, "36 { s'a' 0001 {} }", MalformedPacket, "[MQTT-3.3.1-4]"},
        {"PUBLISH 3.1.1, QoS 3", V311, Client, "36 { s'a' 0001 }", MalformedPacket, "[MQTT3-3.3.1-4]"},
        {"PUBLISH from a server, QoS 3", V5, Server, "36 { s'a' 0001 {} }", MalformedPacket, "[MQTT-3.3.1-4]"},
        {"PUBLISH, DUP with QoS 0", V5, Client, "38 { s'a' {} }", MalformedPacket, "[MQTT-3.3.1-2]"},
        {"PUBLISH 3.1.1, DUP with QoS 0", V311, Client, "38 { s'a' }", MalformedPacket, "[MQTT3-3.3.1-2]"},
        {"PUBLISH, packet identifier 0", V5, Client, "32 { s'a' 0000 {} }", ProtocolError, "[MQTT-2.2.1-3]"},
        {"PUBLISH from a server, packet identifier 0", V5, Server, "34 { s'a' 0000 {} }", ProtocolError,
         "[MQTT-2.2.1-4]"},
        {"PUBLISH 3.1.1, packet identifier 0", V311, Client, "32 { s'a' 0000 }", MalformedPacket, "[MQTT3-2.3.1-1]"},
        {"PUBLISH, empty", V5, Client, "30 {}", MalformedPacket, "[MQTT-3.3.2-1]"},
        {"PUBLISH, topic cut off", V5, Client, "30 { 0003 'a' }", MalformedPacket, "[MQTT-3.3.2-1]"},
        {"PUBLISH, packet identifier missing", V5, Client, "32 { s'a' }", MalformedPacket, "3.3.2.2"},
        {"PUBLISH, packet identifier cut off", V5, Client, "32 { s'a' 00 }", MalformedPacket, "3.3.2.2"},
        {"PUBLISH, property length missing", V5, Client, "30 { s'a' }", MalformedPacket, "[MQTT-2.2.2-1]"},
        {"PUBLISH, topic with #", V5, Client, "30 { s'a/#' {} }", topic_invalid, "[MQTT-3.3.2-2] [MQTT-4.7.0-1]"},
        {"PUBLISH, topic with +", V5, Client, "30 { s'a+b' {} }", topic_invalid, "[MQTT-3.3.2-2] [MQTT-4.7.0-1]"},
        {"PUBLISH from a server, topic with +", V5, Server, "30 { s'+' {} }", topic_invalid, "[MQTT-3.3.2-2]"},
        {"PUBLISH 3.1.1, topic with #", V311, Client, "30 { s'#' }", topic_invalid, "[MQTT3-3.3.2-2] [MQTT3-4.7.1-1]"},
        {"PUBLISH, no topic and no alias", V5, Client, "30 { s'' {} }", ProtocolError, "3.3.2.1, [MQTT-4.7.3-1]"},
        {"PUBLISH 3.1.1, no topic", V311, Client, "30 { s'' }", ProtocolError, "[MQTT3-4.7.3-1]"},
        {"PUBLISH, topic not UTF-8", V5, Client, "30 { 0001 80 {} }", MalformedPacket, "[MQTT-3.3.2-1] [MQTT-1.5.4-1]"},
        {"PUBLISH, topic overlong", V5, Client, "30 { 0002 C0AF {} }", MalformedPacket, "[MQTT-1.5.4-1]"},
        {"PUBLISH, topic with a surrogate", V5, Client, "30 { 0003 EDBFBF {} }", MalformedPacket, "[MQTT-1.5.4-1]"},
        {"PUBLISH, topic above U+10FFFF", V5, Client, "30 { 0004 F4908080 {} }", MalformedPacket, "[MQTT-1.5.4-1]"},
        {"PUBLISH, topic with U+0000", V5, Client, "30 { 0009 'abcdefg' 00 'h' {} }", MalformedPacket,
         "[MQTT-1.5.4-2] [MQTT-4.7.3-2]"},
        {"PUBLISH 3.1.1, topic not UTF-8", V311, Client, "30 { 0001 80 }", MalformedPacket,
         "[MQTT3-3.3.2-1] [MQTT3-1.5.3-1]"},
        {"PUBLISH 3.1.1, topic with U+0000", V311, Client, "30 { 0001 00 }", MalformedPacket,
         "[MQTT3-1.5.3-2] [MQTT3-4.7.3-2]"},
    };
}

[[nodiscard]] inline PacketCases publish_property_violation_cases() {
    return {
        {"PUBLISH, payload format indicator 2", V5, Client, "30 { s'a' { 01 02 } }", ProtocolError, "3.3.2.3.2"},
        {"PUBLISH, topic alias 0", V5, Client, "30 { s'a' { 23 0000 } }", TopicAliasInvalid, "[MQTT-3.3.2-8]"},
        {"PUBLISH, topic alias twice", V5, Client, "30 { s'a' { 23 0001 23 0001 } }", ProtocolError, "3.3.2.3.4"},
        {"PUBLISH, response topic with wildcard", V5, Client, "30 { s'a' { 08 s'r/#' } }", ProtocolError,
         "[MQTT-3.3.2-14]"},
        {"PUBLISH, response topic empty", V5, Client, "30 { s'a' { 08 s'' } }", ProtocolError, "[MQTT-4.7.3-1]"},
        {"PUBLISH, response topic not UTF-8", V5, Client, "30 { s'a' { 08 0001 FE } }", MalformedPacket,
         "[MQTT-3.3.2-13]"},
        {"PUBLISH, content type not UTF-8", V5, Client, "30 { s'a' { 03 0001 FE } }", MalformedPacket,
         "[MQTT-3.3.2-19]"},
        {"PUBLISH, user property name not UTF-8", V5, Client, "30 { s'a' { 26 0001 C0 s'v' } }", MalformedPacket,
         "[MQTT-1.5.7-1]"},
        {"PUBLISH, subscription identifier", V5, Client, "30 { s'a' { 0B 01 } }", ProtocolError, "[MQTT-3.3.4-6]"},
        {"PUBLISH from a server, subscription identifier 0", V5, Server, "30 { s'a' { 0B 00 } }", ProtocolError,
         "3.3.2.3.8"},
        {"PUBLISH from a server, subscription identifier of five bytes", V5, Server, "30 { s'a' { 0B 8080808001 } }",
         MalformedPacket, "[MQTT-1.5.5-1]"},
        {"PUBLISH, message expiry interval cut off", V5, Client, "30 { s'a' { 02 0000 } 0000 }", MalformedPacket,
         "2.2.2.1"},
        {"PUBLISH, correlation data cut off", V5, Client, "30 { s'a' { 09 0005 'abc' } 'de' }", MalformedPacket,
         "2.2.2.1"},
        {"PUBLISH, property of CONNECT", V5, Client, "30 { s'a' { 21 0001 } }", MalformedPacket, "2.2.2.2"},
        {"PUBLISH, reason string", V5, Client, "30 { s'a' { 1F s'why' } }", MalformedPacket, "2.2.2.2"},
        {"PUBLISH, property length beyond the packet", V5, Client, "30 { s'a' 7F 0101 }", MalformedPacket, "2.2.2.1"},
    };
}

[[nodiscard]] inline PacketCases publish_cases() {
    return concatenated({publish_flags_cases(), publish_topic_cases(), publish_property_cases()});
}

[[nodiscard]] inline PacketCases publish_violation_cases() {
    return concatenated({publish_header_violation_cases(), publish_property_violation_cases()});
}

}  // namespace chappe::mqtt::cases
