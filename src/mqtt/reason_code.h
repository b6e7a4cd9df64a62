#pragma once

// Reason codes of MQTT 5.0 (section 2.4), and Result<T>: a value, or what the peer did wrong.

#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "mqtt/types.h"

namespace chappe::mqtt {

enum class ReasonCode : std::uint8_t {
    Success = 0x00,  // Also Normal disconnection and Granted QoS 0.
    GrantedQoS1 = 0x01,
    GrantedQoS2 = 0x02,
    DisconnectWithWillMessage = 0x04,
    NoMatchingSubscribers = 0x10,
    NoSubscriptionExisted = 0x11,
    ContinueAuthentication = 0x18,
    ReAuthenticate = 0x19,
    UnspecifiedError = 0x80,
    MalformedPacket = 0x81,
    ProtocolError = 0x82,
    ImplementationSpecificError = 0x83,
    UnsupportedProtocolVersion = 0x84,
    ClientIdentifierNotValid = 0x85,
    BadUserNameOrPassword = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ServerBusy = 0x89,
    Banned = 0x8A,
    ServerShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    TopicFilterInvalid = 0x8F,
    TopicNameInvalid = 0x90,
    PacketIdentifierInUse = 0x91,
    PacketIdentifierNotFound = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    MessageRateTooHigh = 0x96,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
    PayloadFormatInvalid = 0x99,
    RetainNotSupported = 0x9A,
    QoSNotSupported = 0x9B,
    UseAnotherServer = 0x9C,
    ServerMoved = 0x9D,
    SharedSubscriptionsNotSupported = 0x9E,
    ConnectionRateExceeded = 0x9F,
    MaximumConnectTime = 0xA0,
    SubscriptionIdentifiersNotSupported = 0xA1,
    WildcardSubscriptionsNotSupported = 0xA2,
};

[[nodiscard]] constexpr bool is_error(ReasonCode code) noexcept { return static_cast<std::uint8_t>(code) >= 0x80; }

// The standard's name, as in "Packet too large"; "Unknown reason code" for a value that the standard does not name.
[[nodiscard]] std::string_view to_string(ReasonCode code) noexcept;

// Whether a packet of this type, sent by this side, may carry the code in 5.0 (tables 3-1 to 3-11).
[[nodiscard]] bool is_allowed(ReasonCode code, PacketType packet, Sender sender) noexcept;

// The code itself where such a packet may carry it, else the one that says most nearly the same. For packets that can
// report any failure, and codes that report one.
[[nodiscard]] ReasonCode nearest_allowed(ReasonCode code, PacketType packet, Sender sender);

// The return code of a 3.1.1 or 3.1 CONNACK that says the same (table 3.1 of 3.1.1), or nothing where none applies and
// the server has to close without CONNACK ([MQTT3-3.2.2-6]).
[[nodiscard]] std::optional<std::uint8_t> connect_return_code(ReasonCode code) noexcept;

// The way back; nothing for a return code that is reserved.
[[nodiscard]] std::optional<ReasonCode> reason_of_connect_return_code(std::uint8_t return_code) noexcept;

// A fault of the peer, and why. The reason is a string literal, short enough for a Reason String.
struct Error {
    ReasonCode code;
    std::string_view reason;
};

template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> failure(ReasonCode code, std::string_view reason) {
    return std::unexpected(Error{code, reason});
}

}  // namespace chappe::mqtt
