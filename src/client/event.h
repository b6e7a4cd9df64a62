#pragma once

// What the protocol tells its owner. The views in an event live until the next call of the protocol.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/id.h"
#include "client/owned.h"
#include "mqtt/packet.h"

namespace chappe::client {

// One message that the caller published. Tokens grow in the order of publishing and are never used again.
using PublishToken = Id<struct PublishTokenTag, std::uint64_t>;
// One subscribe() or unsubscribe(). 0: the client's own renewal of subscriptions that the server had lost.
using RequestToken = Id<struct RequestTokenTag, std::uint64_t>;
// One message from the server, for acknowledge().
using DeliveryToken = Id<struct DeliveryTokenTag, std::uint64_t>;

// How a connection, or the attempt to make one, came to its end.
enum class Cause : std::uint8_t {
    Requested,      // disconnect() was called.
    Unreachable,    // There was no network connection: name not found, port closed, no route.
    Refused,        // CONNACK with an error.
    Ended,          // The server sent DISCONNECT.
    Lost,           // The network connection broke.
    Silent,         // The server did not answer in time.
    ProtocolError,  // The server broke the protocol.
};

struct Disconnection {
    Cause cause = Cause::Lost;
    // What CONNACK or DISCONNECT said, or what we sent.
    mqtt::ReasonCode reason_code = mqtt::ReasonCode::Success;
    std::string reason;  // The Reason String, or the system's or our own explanation. May be empty.
    std::string server_reference;
    bool was_connected = false;    // Whether CONNACK had accepted the connection.
    std::size_t unsent_bytes = 0;  // Encoded, and not taken by the network: messages of QoS 0 among them are lost.
};

namespace event {

struct Connected {
    mqtt::ConnAck packet;
};

struct Message {
    mqtt::Publish packet;  // With its topic, also where the server sent an alias.
    DeliveryToken token;   // 0 for QoS 0.
};

// A message of QoS 1 or 2 has been acknowledged. One of QoS 0 has no acknowledgement, so this comes for it only where
// the server's limits, learned after publish(), forbid to send it.
struct Published {
    PublishToken token;
    mqtt::ReasonCode reason_code;
    std::string_view reason;
};

struct Subscribed {
    RequestToken token;
    std::vector<Subscription> subscriptions;  // As asked for, each with the reason code at the same place.
    std::vector<mqtt::ReasonCode> reason_codes;
    std::string_view reason;
};

struct Unsubscribed {
    RequestToken token;
    std::vector<std::string> filters;
    std::vector<mqtt::ReasonCode> reason_codes;  // Empty before 5.0, which introduced them.
    std::string_view reason;
};

// The server's step of an enhanced authentication; the answer is authenticate().
struct Challenged {
    mqtt::Auth packet;
};

// can_publish() was false and is true again.
struct Drained {};

// The end of a connection, exactly once for each open().
struct Disconnected {
    Disconnection disconnection;
};

}  // namespace event

using Event = std::variant<event::Connected, event::Message, event::Published, event::Subscribed, event::Unsubscribed,
                           event::Challenged, event::Drained, event::Disconnected>;
using Events = std::vector<Event>;

}  // namespace chappe::client
