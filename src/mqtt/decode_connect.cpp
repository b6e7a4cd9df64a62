// CONNECT, CONNACK, DISCONNECT and AUTH: the beginning and the end of a connection.

#include "mqtt/decode_packets.h"
#include "mqtt/property_reader.h"

namespace chappe::mqtt {

namespace {

constexpr std::uint8_t bridge_bit = 0x80;

// The Connect Flags (3.1.2.3).
struct ConnectFlags {
    std::uint8_t bits;

    [[nodiscard]] bool reserved() const { return (bits & 0x01) != 0; }
    [[nodiscard]] bool clean_start() const { return (bits & 0x02) != 0; }
    [[nodiscard]] bool will() const { return (bits & 0x04) != 0; }
    [[nodiscard]] unsigned will_qos() const { return bits >> 3 & 0b11; }
    [[nodiscard]] bool will_retain() const { return (bits & 0x20) != 0; }
    [[nodiscard]] bool password() const { return (bits & 0x40) != 0; }
    [[nodiscard]] bool user_name() const { return (bits & 0x80) != 0; }
};

std::optional<ProtocolVersion> version_of(std::string_view protocol_name, std::uint8_t level) {
    if (protocol_name == "MQTT" && level == 4) return ProtocolVersion::V311;
    if (protocol_name == "MQTT" && level == 5) return ProtocolVersion::V5;
    if (protocol_name == "MQIsdp" && level == 3) return ProtocolVersion::V31;
    return std::nullopt;
}

// [MQTT-3.1.2-1], [MQTT-3.1.2-2], [MQTT3-3.1.2-2]
Result<> read_version(ByteReader& in, Connect& out) {
    const auto name = as_text(TRY(in.binary()));
    const auto level = TRY(in.u8());
    const auto version = version_of(name, level & ~bridge_bit & 0xFF);
    if (!version) return failure(ReasonCode::UnsupportedProtocolVersion, "protocol name or version is not known");
    out.version = *version;
    out.bridge = (level & bridge_bit) != 0;
    return {};
}

Result<> check_flags(ConnectFlags flags, ProtocolVersion version) {
    const auto malformed = [](std::string_view reason) { return failure(ReasonCode::MalformedPacket, reason); };
    if (flags.reserved() && version != ProtocolVersion::V31) {  // [MQTT-3.1.2-3]; 3.1 does not look at the bit.
        return malformed("reserved connect flag is set");
    }
    if (flags.will_qos() == 3) return malformed("will QoS is 3");           // [MQTT-3.1.2-12]
    if (!flags.will() && (flags.will_qos() != 0 || flags.will_retain())) {  // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
        return malformed("will QoS or will retain without will flag");
    }
    if (flags.password() && !flags.user_name() && version != ProtocolVersion::V5) {  // [MQTT3-3.1.2-22]
        return malformed("password without user name");
    }
    return {};
}

Result<Will> read_will(ByteReader& in, ConnectFlags flags, ProtocolVersion version, DecodeLimits limits) {
    Will will;
    will.qos = static_cast<QoS>(flags.will_qos());
    will.retain = flags.will_retain();
    if (version == ProtocolVersion::V5) TRY(read_properties(in, will, limits));
    will.topic = TRY(in.string());
    if (!is_valid_topic_name(will.topic))
        return failure(ReasonCode::TopicNameInvalid, "will topic is not a topic name");
    will.payload = TRY(in.binary());
    return will;
}

// 3.1 lets a client set the flags and leave out the fields: there the end of the packet takes precedence.
Result<> read_credentials(ByteReader& in, ConnectFlags flags, Connect& out) {
    const auto is_left_out = [&] { return out.version == ProtocolVersion::V31 && in.empty(); };
    if (flags.user_name() && !is_left_out()) out.user_name = TRY(in.string());
    if (flags.password() && !is_left_out()) out.password = TRY(in.binary());
    return {};
}

Result<> read_connect_properties(ByteReader& in, Connect& out, DecodeLimits limits) {
    TRY(read_properties(in, out, limits));
    if (out.authentication_data && !out.authentication_method) {
        return failure(ReasonCode::ProtocolError, "authentication data without method");
    }
    return {};
}

Result<ReasonCode> read_connect_return_code(ByteReader& in) {
    const auto reason = reason_of_connect_return_code(TRY(in.u8()));
    if (!reason) return failure(ReasonCode::ProtocolError, "return code is reserved");
    return *reason;
}

Result<bool> read_session_present(ByteReader& in, ProtocolVersion version) {
    const auto flags = TRY(in.u8());
    if (version == ProtocolVersion::V31) return false;  // The byte is unused.
    if (flags > 1) return failure(ReasonCode::MalformedPacket, "reserved acknowledge flags are set");
    return flags == 1;
}

}  // namespace

Result<Connect> decode_connect(ByteReader& in, DecodeContext context) {
    Connect connect;
    TRY(read_version(in, connect));
    const ConnectFlags flags{TRY(in.u8())};
    TRY(check_flags(flags, connect.version));
    connect.clean_start = flags.clean_start();
    connect.keep_alive_seconds = TRY(in.u16());
    if (connect.version == ProtocolVersion::V5) TRY(read_connect_properties(in, connect, context.limits));
    connect.client_id = TRY(in.string());
    if (flags.will()) connect.will = TRY(read_will(in, flags, connect.version, context.limits));
    TRY(read_credentials(in, flags, connect));
    return connect;
}

ProtocolVersion refusal_version(const Frame& connect) noexcept {
    ByteReader in(connect.body);
    const auto name = in.binary();
    const auto level_byte = in.u8();
    if (!name || !level_byte) return ProtocolVersion::V311;
    const auto level = static_cast<std::uint8_t>(*level_byte & ~bridge_bit);
    if (const auto version = version_of(as_text(*name), level)) return *version;
    return as_text(*name) == "MQTT" && level > 5 ? ProtocolVersion::V5 : ProtocolVersion::V311;
}

Result<ConnAck> decode_connack(ByteReader& in, DecodeContext context) {
    ConnAck connack;
    connack.session_present = TRY(read_session_present(in, context.version));
    connack.reason_code =
        context.v5() ? TRY(read_reason_code(in, PacketType::ConnAck, context)) : TRY(read_connect_return_code(in));
    if (connack.session_present && connack.reason_code != ReasonCode::Success) {  // [MQTT-3.2.2-6]
        return failure(ReasonCode::ProtocolError, "session present in a refusal");
    }
    if (context.v5()) TRY(read_properties(in, connack, context.limits));
    return connack;
}

Result<Disconnect> decode_disconnect(ByteReader& in, DecodeContext context) {
    Disconnect disconnect;
    if (!context.v5() || in.empty()) return disconnect;
    disconnect.reason_code = TRY(read_reason_code(in, PacketType::Disconnect, context));
    if (in.empty()) return disconnect;
    TRY(read_properties(in, disconnect, context.limits));
    if (context.sender == Sender::Server && disconnect.session_expiry_interval_seconds) {  // [MQTT-3.14.2-2]
        return failure(ReasonCode::ProtocolError, "session expiry interval in a server's DISCONNECT");
    }
    return disconnect;
}

Result<Auth> decode_auth(ByteReader& in, DecodeContext context) {
    Auth auth;
    if (in.empty()) {  // The short form of Success, which only a server sends.
        if (context.sender == Sender::Server) return auth;
        return failure(ReasonCode::ProtocolError, "reason code is not one of this packet's");
    }
    auth.reason_code = TRY(read_reason_code(in, PacketType::Auth, context));
    TRY(read_properties(in, auth, context.limits));
    if (!auth.authentication_method) {  // 3.15.2.2.2
        return failure(ReasonCode::ProtocolError, "AUTH without authentication method");
    }
    return auth;
}

}  // namespace chappe::mqtt
