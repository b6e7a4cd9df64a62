#include "mqtt/reason_code.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/assert.h"

namespace chappe::mqtt {

namespace {

// A set of packet types, one bit each.
struct PacketTypes {
    std::uint16_t bits = 0;

    constexpr PacketTypes(std::initializer_list<PacketType> types) {
        for (const auto type : types) bits = static_cast<std::uint16_t>(bits | 1U << static_cast<unsigned>(type));
    }
    [[nodiscard]] constexpr bool contains(PacketType type) const {
        return (bits >> static_cast<unsigned>(type) & 1U) != 0;
    }
};

struct ReasonCodeInfo {
    ReasonCode code;
    std::string_view name;
    PacketTypes from_client;
    PacketTypes from_server;
};

using enum PacketType;
using Code = ReasonCode;

// Table 2-6, with the direction that the tables of the packets add to it. DISCONNECT with BadAuthenticationMethod
// stands in 2-6 and not in 3-10; section 4.12 needs it, so servers may send it. Tables 3-4 and 3-5 leave
// NoMatchingSubscribers to servers, but a broker that bridges is a server behind its client, and Mosquitto's says so.
constexpr std::array reason_codes = {
    ReasonCodeInfo{Code::Success,
                   "Success",
                   {PubAck, PubRec, PubRel, PubComp, Disconnect},
                   {ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect, Auth}},
    ReasonCodeInfo{Code::GrantedQoS1, "Granted QoS 1", {}, {SubAck}},
    ReasonCodeInfo{Code::GrantedQoS2, "Granted QoS 2", {}, {SubAck}},
    ReasonCodeInfo{Code::DisconnectWithWillMessage, "Disconnect with Will Message", {Disconnect}, {}},
    ReasonCodeInfo{Code::NoMatchingSubscribers, "No matching subscribers", {PubAck, PubRec}, {PubAck, PubRec}},
    ReasonCodeInfo{Code::NoSubscriptionExisted, "No subscription existed", {}, {UnsubAck}},
    ReasonCodeInfo{Code::ContinueAuthentication, "Continue authentication", {Auth}, {Auth}},
    ReasonCodeInfo{Code::ReAuthenticate, "Re-authenticate", {Auth}, {}},
    ReasonCodeInfo{Code::UnspecifiedError,
                   "Unspecified error",
                   {PubAck, PubRec, Disconnect},
                   {ConnAck, PubAck, PubRec, SubAck, UnsubAck, Disconnect}},
    ReasonCodeInfo{Code::MalformedPacket, "Malformed Packet", {Disconnect}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::ProtocolError, "Protocol Error", {Disconnect}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::ImplementationSpecificError,
                   "Implementation specific error",
                   {PubAck, PubRec, Disconnect},
                   {ConnAck, PubAck, PubRec, SubAck, UnsubAck, Disconnect}},
    ReasonCodeInfo{Code::UnsupportedProtocolVersion, "Unsupported Protocol Version", {}, {ConnAck}},
    ReasonCodeInfo{Code::ClientIdentifierNotValid, "Client Identifier not valid", {}, {ConnAck}},
    ReasonCodeInfo{Code::BadUserNameOrPassword, "Bad User Name or Password", {}, {ConnAck}},
    ReasonCodeInfo{Code::NotAuthorized,
                   "Not authorized",
                   {PubAck, PubRec},
                   {ConnAck, PubAck, PubRec, SubAck, UnsubAck, Disconnect}},
    ReasonCodeInfo{Code::ServerUnavailable, "Server unavailable", {}, {ConnAck}},
    ReasonCodeInfo{Code::ServerBusy, "Server busy", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::Banned, "Banned", {}, {ConnAck}},
    ReasonCodeInfo{Code::ServerShuttingDown, "Server shutting down", {}, {Disconnect}},
    ReasonCodeInfo{Code::BadAuthenticationMethod, "Bad authentication method", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::KeepAliveTimeout, "Keep Alive timeout", {}, {Disconnect}},
    ReasonCodeInfo{Code::SessionTakenOver, "Session taken over", {}, {Disconnect}},
    ReasonCodeInfo{Code::TopicFilterInvalid, "Topic Filter invalid", {}, {SubAck, UnsubAck, Disconnect}},
    ReasonCodeInfo{Code::TopicNameInvalid,
                   "Topic Name invalid",
                   {PubAck, PubRec, Disconnect},
                   {ConnAck, PubAck, PubRec, Disconnect}},
    ReasonCodeInfo{
        Code::PacketIdentifierInUse, "Packet Identifier in use", {PubAck, PubRec}, {PubAck, PubRec, SubAck, UnsubAck}},
    ReasonCodeInfo{Code::PacketIdentifierNotFound, "Packet Identifier not found", {PubRel, PubComp}, {PubRel, PubComp}},
    ReasonCodeInfo{Code::ReceiveMaximumExceeded, "Receive Maximum exceeded", {Disconnect}, {Disconnect}},
    ReasonCodeInfo{Code::TopicAliasInvalid, "Topic Alias invalid", {Disconnect}, {Disconnect}},
    ReasonCodeInfo{Code::PacketTooLarge, "Packet too large", {Disconnect}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::MessageRateTooHigh, "Message rate too high", {Disconnect}, {Disconnect}},
    ReasonCodeInfo{Code::QuotaExceeded,
                   "Quota exceeded",
                   {PubAck, PubRec, Disconnect},
                   {ConnAck, PubAck, PubRec, SubAck, Disconnect}},
    ReasonCodeInfo{Code::AdministrativeAction, "Administrative action", {Disconnect}, {Disconnect}},
    ReasonCodeInfo{Code::PayloadFormatInvalid,
                   "Payload format invalid",
                   {PubAck, PubRec, Disconnect},
                   {ConnAck, PubAck, PubRec, Disconnect}},
    ReasonCodeInfo{Code::RetainNotSupported, "Retain not supported", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::QoSNotSupported, "QoS not supported", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::UseAnotherServer, "Use another server", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::ServerMoved, "Server moved", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{
        Code::SharedSubscriptionsNotSupported, "Shared Subscriptions not supported", {}, {SubAck, Disconnect}},
    ReasonCodeInfo{Code::ConnectionRateExceeded, "Connection rate exceeded", {}, {ConnAck, Disconnect}},
    ReasonCodeInfo{Code::MaximumConnectTime, "Maximum connect time", {}, {Disconnect}},
    ReasonCodeInfo{
        Code::SubscriptionIdentifiersNotSupported, "Subscription Identifiers not supported", {}, {SubAck, Disconnect}},
    ReasonCodeInfo{
        Code::WildcardSubscriptionsNotSupported, "Wildcard Subscriptions not supported", {}, {SubAck, Disconnect}},
};

const ReasonCodeInfo* find(ReasonCode code) noexcept {
    const auto found = std::ranges::lower_bound(reason_codes, code, {}, &ReasonCodeInfo::code);
    return found != reason_codes.end() && found->code == code ? &*found : nullptr;
}

static_assert(std::ranges::is_sorted(reason_codes, {}, &ReasonCodeInfo::code));

}  // namespace

std::string_view to_string(ReasonCode code) noexcept {
    const auto* info = find(code);
    return info != nullptr ? info->name : "Unknown reason code";
}

bool is_allowed(ReasonCode code, PacketType packet, Sender sender) noexcept {
    const auto* info = find(code);
    if (info == nullptr) return false;
    return (sender == Sender::Client ? info->from_client : info->from_server).contains(packet);
}

ReasonCode nearest_allowed(ReasonCode code, PacketType packet, Sender sender) {
    ASSERT(is_error(code) && is_allowed(ReasonCode::UnspecifiedError, packet, sender));
    const auto nearest = [code] {
        switch (code) {
            case ReasonCode::ServerShuttingDown:
                return ReasonCode::ServerUnavailable;
            case ReasonCode::ServerUnavailable:
                return ReasonCode::ServerBusy;
            case ReasonCode::ClientIdentifierNotValid:
            case ReasonCode::BadUserNameOrPassword:
            case ReasonCode::Banned:
            case ReasonCode::AdministrativeAction:
                return ReasonCode::NotAuthorized;
            case ReasonCode::UnsupportedProtocolVersion:
            case ReasonCode::ReceiveMaximumExceeded:
            case ReasonCode::TopicAliasInvalid:
                return ReasonCode::ProtocolError;
            default:
                return ReasonCode::UnspecifiedError;
        }
    };
    for (const auto candidate : {code, nearest()}) {
        if (is_allowed(candidate, packet, sender)) return candidate;
    }
    return ReasonCode::UnspecifiedError;
}

std::optional<std::uint8_t> connect_return_code(ReasonCode code) noexcept {
    switch (code) {
        case ReasonCode::Success:
            return 0;
        case ReasonCode::UnsupportedProtocolVersion:
            return 1;
        case ReasonCode::ClientIdentifierNotValid:
            return 2;
        case ReasonCode::UnspecifiedError:
        case ReasonCode::ImplementationSpecificError:
        case ReasonCode::ServerUnavailable:
        case ReasonCode::ServerBusy:
        case ReasonCode::ServerShuttingDown:
        case ReasonCode::QuotaExceeded:
        case ReasonCode::UseAnotherServer:
        case ReasonCode::ServerMoved:
        case ReasonCode::ConnectionRateExceeded:
            return 3;
        case ReasonCode::BadUserNameOrPassword:
            return 4;
        case ReasonCode::NotAuthorized:
        case ReasonCode::Banned:
            return 5;
        default:
            return std::nullopt;
    }
}

std::optional<ReasonCode> reason_of_connect_return_code(std::uint8_t return_code) noexcept {
    static constexpr std::array reasons = {
        ReasonCode::Success,           ReasonCode::UnsupportedProtocolVersion, ReasonCode::ClientIdentifierNotValid,
        ReasonCode::ServerUnavailable, ReasonCode::BadUserNameOrPassword,      ReasonCode::NotAuthorized,
    };
    if (return_code >= reasons.size()) return std::nullopt;
    return reasons[return_code];
}

}  // namespace chappe::mqtt
