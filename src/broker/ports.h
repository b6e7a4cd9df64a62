#pragma once

// The few interfaces through which the rest of Chappe meets the broker core. A feature implements one of these, or the
// Journal (journal.h), or is a LocalSubscriber and a caller of Shard::publish(); there is no other road, so no other
// place can forget a check.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/certificate.h"
#include "base/time.h"
#include "broker/ids.h"
#include "broker/message.h"
#include "mqtt/packet.h"
#include "mqtt/reason_code.h"

namespace chappe::broker {

// Where a connection comes from, as its listener knows it.
struct Peer {
    std::string address;                              // For logs: "192.168.1.5:50312" or "unix:/run/chappe.sock".
    bool anonymous_allowed = false;                   // The listener takes clients that do not say who they are.
    bool is_operator = false;                         // Came by the operator's socket: may use $CONTROL.
    std::shared_ptr<const Certificate> certificate;   // Which it has shown, and TLS has verified; null: none.
    std::shared_ptr<const std::string> psk_identity;  // Whose preshared key TLS has used; null: none.
};

// What an Authenticator has found out about a client beyond its name, for the Permissions to judge by. Immutable.
struct Attributes {
    std::vector<std::string> roles;  // Besides those that the user name has.
    std::string certificate_name;    // CN of the verified certificate; empty: none.
    std::vector<std::pair<std::string, std::string>> claims;

    [[nodiscard]] std::size_t size_bytes() const noexcept;
};

// Who a client is, once it has been accepted. Lives as long as its session.
struct Identity {
    std::string client_id;
    std::string user_name;  // Empty: anonymous.
    bool is_operator = false;
    std::shared_ptr<const Attributes> attributes;  // Null: none.

    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return client_id.size() + user_name.size() + (attributes ? attributes->size_bytes() : 0);
    }

    // Whether permissions make no difference between the two.
    [[nodiscard]] bool is_same_user(const Identity& other) const noexcept {
        return user_name == other.user_name && is_operator == other.is_operator;
    }
};

// Names a CONNECT or AUTH that waits for its answer. Each has another step; what an Authenticator keeps from one step
// to the next it finds by the connection.
struct Ticket {
    ShardId shard;
    ConnectionId connection;
    std::uint32_t step = 0;

    friend bool operator==(const Ticket&, const Ticket&) = default;
};

// What a client says of itself. The views hold during the call only.
struct Login {
    const Peer& peer;
    mqtt::ProtocolVersion version;
    std::string_view client_id;
    std::optional<std::string_view> user_name;
    std::optional<Bytes> password;
    std::optional<std::string_view> authentication_method;
    std::optional<Bytes> authentication_data;
};

// What a client says in an AUTH. Holds during the call only.
struct Continuation {
    const Peer& peer;
    std::string_view client_id;
    const mqtt::Auth& auth;
};

// The answer to a Login or to an AUTH: Success, ContinueAuthentication (with data for the client's next step), or a
// reason code for the refusal and, in `reason`, what may be told to the client. ServerBusy: logins_waiting_max clients
// wait for an answer already; ConnectionRateExceeded: address_connects_per_minute_max is reached.
struct Verdict {
    mqtt::ReasonCode code = mqtt::ReasonCode::Success;
    std::string reason;
    std::string detail;     // For the log: by which method it was accepted, or of a refusal what only we shall know.
    std::string user_name;  // Of a refused client: as it says.
    std::optional<std::string> authentication_data;
    std::shared_ptr<const Attributes> attributes;
    std::optional<Instant> expires_at;  // When the connection ends, unless it authenticates again.
};

// Asked once for each CONNECT and each AUTH, by the shard that owns the connection. Answers at once, or returns nothing
// and has Shard::authenticated() called later, on that shard's thread; until then the connection waits. One question at
// a time: there is no AUTH while an answer is still to come, and none without a challenge (ContinueAuthentication),
// except the first of a re-authentication.
class Authenticator {
public:
    virtual ~Authenticator() = default;

    [[nodiscard]] virtual std::optional<Verdict> authenticate(const Login& login, Ticket ticket) = 0;
    // The client's AUTH: the next step of an enhanced authentication (4.12), or the first of a re-authentication
    // (4.12.1). A re-authentication that ends with another user name than the connection's is refused.
    [[nodiscard]] virtual std::optional<Verdict> proceed(const Continuation& said, Ticket ticket) = 0;
    // An authentication ends before its last verdict: the connection is gone or has been refused for another reason. No
    // answer is wanted any more, and none will come from the client. The ticket is that of the last question.
    virtual void abandon(Ticket ticket) = 0;
};

enum class Access : std::uint8_t { Publish, Subscribe, Receive };

struct Question {
    const Identity& who;
    Access access;
    std::string_view topic;  // A topic name; for Subscribe a topic filter without "$share/NAME/".
    mqtt::QoS qos;
    bool retain = false;
    bool shared = false;
};

struct Decision {
    bool allowed = true;
    std::string_view reason;  // Why not: short, and safe to show to the client. Holds as long as the Permissions do.
    mqtt::QoS qos_max = mqtt::QoS::ExactlyOnce;  // Subscribe: the highest that may be granted.
};

// Asked at every entrance and every exit of a message. Called on all shards' threads at once; must not block.
class Permissions {
public:
    virtual ~Permissions() = default;

    [[nodiscard]] virtual Decision decide(const Question& question) const = 0;
    // Whether Receive is ever denied: when not, deliveries are not asked about one by one.
    [[nodiscard]] virtual bool restricts_receiving() const noexcept = 0;
    // The same for one client. The answer is relied on until Shard::permissions_changed().
    [[nodiscard]] virtual bool restricts_receiving_of(const Identity& who) const noexcept;
};

// Whether this client may receive it by the rules of this moment.
[[nodiscard]] bool may_receive(const Permissions& permissions, const Identity& who, const Message& message);

// A subscriber inside the program. deliver() is called on the thread of the shard where the message was published, so
// it only hands the message on to a thread of its own.
class LocalSubscriber {
public:
    virtual ~LocalSubscriber() = default;

    virtual void deliver(const MessagePtr& message) = 0;
};

enum class EventKind : std::uint8_t {
    ClientConnected,
    ClientDisconnected,  // `code` and `reason` say why; Success: the client said goodbye.
    ConnectRefused,      // CONNECT was answered with an error, or never came.
    SessionTakenOver,
    SessionExpired,
    SubscribeRefused,
    PublishRefused,
    SubscriptionRevoked,
    MessageDropped,  // Logged for the first of each reason and session; all are counted.
};

[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;  // "client_connected"

// Something that an operator may want to read. The views hold during the call only.
struct Event {
    EventKind kind;
    std::string_view client_id;
    std::string_view user_name = {};
    std::string_view address;
    std::string_view topic;
    mqtt::ReasonCode code = mqtt::ReasonCode::Success;
    std::string_view reason;
    std::string_view method = {};  // Of authentication, by which a client was accepted.
};

// Called on the shards' threads; must not block.
class EventLog {
public:
    virtual ~EventLog() = default;

    virtual void record(const Event& event) = 0;
};

}  // namespace chappe::broker
