#pragma once

// The fifteen control packets as structs. Text and binary fields are views: after decoding, into the bytes decoded;
// before encoding, into whatever the caller keeps alive. Properties of MQTT 5.0 stand beside the fields they go with;
// with 3.1 and 3.1.1 they are absent when decoded and left out when encoded. An absent property is std::nullopt, or the
// default that the standard gives where it makes no difference whether the property was sent.

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "mqtt/reason_code.h"
#include "mqtt/types.h"

namespace chappe::mqtt {

// Name and value; may repeat, and the order is kept (3.3.2.3.7).
using UserProperties = std::vector<std::pair<std::string_view, std::string_view>>;

// The properties of an application message that travel with it from publisher to subscriber (3.3.2.3).
// A will has the same (3.1.3.2).
struct MessageProperties {
    std::optional<std::uint8_t> payload_format_indicator;  // 0: bytes, 1: UTF-8
    std::optional<std::uint32_t> message_expiry_interval_seconds;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> response_topic;
    std::optional<Bytes> correlation_data;
    UserProperties user_properties;

    friend bool operator==(const MessageProperties& a, const MessageProperties& b);
};

// 3.1.3.2. `delay_interval_seconds` is 5.0's Will Delay Interval.
struct Will {
    std::string_view topic;
    Bytes payload;
    QoS qos = QoS::AtMostOnce;
    bool retain = false;
    std::uint32_t delay_interval_seconds = 0;
    MessageProperties properties;

    friend bool operator==(const Will& a, const Will& b);
};

// 3.1
struct Connect {
    ProtocolVersion version = ProtocolVersion::V5;
    bool bridge = false;      // Mosquitto's marker: bit 0x80 of the protocol version.
    bool clean_start = true;  // Clean Session in 3.1.1.
    std::uint16_t keep_alive_seconds = 0;
    std::string_view client_id;
    std::optional<Will> will;
    std::optional<std::string_view> user_name;
    std::optional<Bytes> password;

    std::optional<std::uint32_t> session_expiry_interval_seconds;
    std::optional<std::uint16_t> receive_maximum;
    std::optional<std::uint32_t> maximum_packet_size;
    std::uint16_t topic_alias_maximum = 0;
    bool request_response_information = false;
    bool request_problem_information = true;
    std::optional<std::string_view> authentication_method;
    std::optional<Bytes> authentication_data;
    UserProperties user_properties;

    friend bool operator==(const Connect& a, const Connect& b);
};

// 3.2. For 3.1 and 3.1.1 the encoder maps the reason code to that standard's return code; the decoder maps it back.
struct ConnAck {
    static constexpr auto type = PacketType::ConnAck;

    bool session_present = false;
    ReasonCode reason_code = ReasonCode::Success;

    std::optional<std::uint32_t> session_expiry_interval_seconds;
    std::optional<std::uint16_t> receive_maximum;
    std::optional<QoS> maximum_qos;
    std::optional<bool> retain_available;
    std::optional<std::uint32_t> maximum_packet_size;
    std::optional<std::string_view> assigned_client_id;
    std::uint16_t topic_alias_maximum = 0;
    std::optional<std::string_view> reason_string;
    std::optional<bool> wildcard_subscription_available;
    std::optional<bool> subscription_identifiers_available;
    std::optional<bool> shared_subscription_available;
    std::optional<std::uint16_t> server_keep_alive_seconds;
    std::optional<std::string_view> response_information;
    std::optional<std::string_view> server_reference;
    std::optional<std::string_view> authentication_method;
    std::optional<Bytes> authentication_data;
    UserProperties user_properties;

    friend bool operator==(const ConnAck& a, const ConnAck& b);
};

// 3.3. `packet_id` is 0 for QoS 0.
struct Publish {
    bool dup = false;
    QoS qos = QoS::AtMostOnce;
    bool retain = false;
    std::string_view topic;  // Empty where a topic alias stands for it.
    PacketId packet_id;
    std::optional<std::uint16_t> topic_alias;
    std::vector<std::uint32_t> subscription_identifiers;
    MessageProperties properties;
    Bytes payload;

    friend bool operator==(const Publish& a, const Publish& b);
};

// 3.4 to 3.7: the four acknowledgements have one form.
template <PacketType packet_type>
struct Acknowledgement {
    static constexpr PacketType type = packet_type;

    PacketId packet_id;
    ReasonCode reason_code = ReasonCode::Success;
    std::optional<std::string_view> reason_string;
    UserProperties user_properties;

    friend bool operator==(const Acknowledgement& a, const Acknowledgement& b) = default;
};

using PubAck = Acknowledgement<PacketType::PubAck>;
using PubRec = Acknowledgement<PacketType::PubRec>;
using PubRel = Acknowledgement<PacketType::PubRel>;
using PubComp = Acknowledgement<PacketType::PubComp>;

// 3.8.3.1. The options of 5.0 have their 3.1.1 meaning by default.
struct SubscriptionOptions {
    QoS qos = QoS::AtMostOnce;
    bool no_local = false;
    bool retain_as_published = false;
    RetainHandling retain_handling = RetainHandling::Send;

    friend bool operator==(const SubscriptionOptions&, const SubscriptionOptions&) = default;
};

// 3.8
struct Subscribe {
    struct Entry {
        std::string_view filter;
        SubscriptionOptions options;

        friend bool operator==(const Entry&, const Entry&) = default;
    };

    PacketId packet_id;
    std::vector<Entry> entries;
    std::optional<std::uint32_t> subscription_identifier;
    UserProperties user_properties;

    friend bool operator==(const Subscribe& a, const Subscribe& b) = default;
};

// 3.9
struct SubAck {
    static constexpr auto type = PacketType::SubAck;

    PacketId packet_id;
    std::vector<ReasonCode> reason_codes;
    std::optional<std::string_view> reason_string;
    UserProperties user_properties;

    friend bool operator==(const SubAck& a, const SubAck& b) = default;
};

// 3.10
struct Unsubscribe {
    PacketId packet_id;
    std::vector<std::string_view> filters;
    UserProperties user_properties;

    friend bool operator==(const Unsubscribe& a, const Unsubscribe& b) = default;
};

// 3.11. 3.1.1 has no reason codes here: none are encoded, and `reason_codes` is empty when decoded.
struct UnsubAck {
    static constexpr auto type = PacketType::UnsubAck;

    PacketId packet_id;
    std::vector<ReasonCode> reason_codes;
    std::optional<std::string_view> reason_string;
    UserProperties user_properties;

    friend bool operator==(const UnsubAck& a, const UnsubAck& b) = default;
};

// 3.12, 3.13
struct PingReq {
    friend bool operator==(const PingReq&, const PingReq&) = default;
};
struct PingResp {
    friend bool operator==(const PingResp&, const PingResp&) = default;
};

// 3.14
struct Disconnect {
    static constexpr auto type = PacketType::Disconnect;

    ReasonCode reason_code = ReasonCode::Success;
    std::optional<std::uint32_t> session_expiry_interval_seconds;
    std::optional<std::string_view> reason_string;
    std::optional<std::string_view> server_reference;
    UserProperties user_properties;

    friend bool operator==(const Disconnect& a, const Disconnect& b) = default;
};

// 3.15
struct Auth {
    static constexpr auto type = PacketType::Auth;

    ReasonCode reason_code = ReasonCode::Success;
    std::optional<std::string_view> authentication_method;
    std::optional<Bytes> authentication_data;
    std::optional<std::string_view> reason_string;
    UserProperties user_properties;

    friend bool operator==(const Auth& a, const Auth& b);
};

using Packet = std::variant<Connect, ConnAck, Publish, PubAck, PubRec, PubRel, PubComp, Subscribe, SubAck, Unsubscribe,
                            UnsubAck, PingReq, PingResp, Disconnect, Auth>;

}  // namespace chappe::mqtt
