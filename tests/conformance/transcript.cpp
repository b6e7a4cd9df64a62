#include "tests/conformance/transcript.h"

#include <cstdint>

#include <fmt/format.h>

namespace chappe::conformance {

namespace {

using namespace mqtt;

std::string hex(ReasonCode code) { return fmt::format(" 0x{:02X}", static_cast<std::uint8_t>(code)); }

// " name=value" where there is a value.
template <class T>
std::string field(std::string_view name, const std::optional<T>& value) {
    return value ? fmt::format(" {}={}", name, *value) : "";
}

std::string text(std::string_view name, const std::optional<std::string_view>& value) {
    return value ? fmt::format(" {}='{}'", name, *value) : "";
}

std::string text(std::string_view name, const std::optional<Bytes>& value) {
    return value ? fmt::format(" {}='{}'", name, as_text(*value)) : "";
}

std::string flag(std::string_view name, bool value) { return value ? fmt::format(" {}", name) : ""; }

std::string user(const UserProperties& properties) {
    std::string line;
    for (const auto& [name, value] : properties) line += fmt::format(" user={}:{}", name, value);
    return line;
}

std::string codes(const std::vector<ReasonCode>& reason_codes) {
    std::string line;
    for (auto code : reason_codes) line += hex(code);
    return line;
}

std::string message(const MessageProperties& properties) {
    return field("format", properties.payload_format_indicator) +
           field("expiry", properties.message_expiry_interval_seconds) + text("type", properties.content_type) +
           text("response", properties.response_topic) + text("correlation", properties.correlation_data) +
           user(properties.user_properties);
}

struct Describe {
    std::string operator()(const Connect& packet) const { return fmt::format("CONNECT '{}'", packet.client_id); }

    std::string operator()(const ConnAck& packet) const {
        return "CONNACK" + hex(packet.reason_code) + flag("session_present", packet.session_present) +
               text("client_id", packet.assigned_client_id) + field("keep_alive", packet.server_keep_alive_seconds) +
               field("expiry", packet.session_expiry_interval_seconds) + text("response", packet.response_information) +
               text("server", packet.server_reference) + text("method", packet.authentication_method) +
               text("data", packet.authentication_data) + user(packet.user_properties);
    }

    std::string operator()(const Publish& packet) const {
        auto line = fmt::format("PUBLISH {} '{}'", packet.topic, as_text(packet.payload));
        if (packet.qos != QoS::AtMostOnce) {
            line += fmt::format(" qos={} id={}", static_cast<int>(packet.qos), packet.packet_id.value);
        }
        line += flag("dup", packet.dup) + flag("retain", packet.retain) + field("alias", packet.topic_alias);
        for (auto identifier : packet.subscription_identifiers) line += fmt::format(" subscription={}", identifier);
        return line + message(packet.properties);
    }

    template <PacketType type>
    std::string operator()(const Acknowledgement<type>& packet) const {
        return fmt::format("{} {}", to_string(type), packet.packet_id.value) +
               (packet.reason_code == ReasonCode::Success ? "" : hex(packet.reason_code)) +
               user(packet.user_properties);
    }

    std::string operator()(const SubAck& packet) const {
        return fmt::format("SUBACK {}", packet.packet_id.value) + codes(packet.reason_codes) +
               user(packet.user_properties);
    }

    std::string operator()(const UnsubAck& packet) const {
        return fmt::format("UNSUBACK {}", packet.packet_id.value) + codes(packet.reason_codes) +
               user(packet.user_properties);
    }

    std::string operator()(const Subscribe& packet) const {
        return fmt::format("SUBSCRIBE {}", packet.packet_id.value);
    }
    std::string operator()(const Unsubscribe& packet) const {
        return fmt::format("UNSUBSCRIBE {}", packet.packet_id.value);
    }
    std::string operator()(const PingReq&) const { return "PINGREQ"; }
    std::string operator()(const PingResp&) const { return "PINGRESP"; }

    std::string operator()(const Disconnect& packet) const {
        return "DISCONNECT" + hex(packet.reason_code) + field("expiry", packet.session_expiry_interval_seconds) +
               text("server", packet.server_reference) + user(packet.user_properties);
    }

    std::string operator()(const Auth& packet) const {
        return "AUTH" + hex(packet.reason_code) + text("method", packet.authentication_method) +
               text("data", packet.authentication_data) + user(packet.user_properties);
    }
};

}  // namespace

std::string describe(const Packet& packet) { return std::visit(Describe{}, packet); }

}  // namespace chappe::conformance
