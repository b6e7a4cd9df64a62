#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "client/event.h"
#include "client/inbox.h"
#include "client/keep_alive.h"
#include "client/options.h"
#include "client/outbox.h"
#include "client/packet_ids.h"
#include "client/requests.h"
#include "client/server_limits.h"
#include "client/topic_aliases.h"
#include "mqtt/decoder.h"

namespace chappe::client {

// An MQTT client without input, output or clock: bytes, commands and the time go in, bytes and events come out. Its
// owner (Client, or a test) carries the bytes and tells of the network connection:
//
//   open() -> received()... tick()... -> closed()        and open() again, for a reconnection
//
// After each call the owner sends what is in output(), and calls tick() at deadline(). When ending() is true, it sends
// what is left and closes the network connection; closed() then yields the Disconnected event. What a session is made
// of (messages in flight, QoS 2 state, subscriptions, packet ids) lasts from one open() to the next.
class Protocol {
public:
    explicit Protocol(Options options);

    // --- The network connection

    // It is there: CONNECT goes out.
    void open(Instant now);
    // Handles the first packet in `input` if it is complete, and returns its size, otherwise 0. One packet a call, so
    // that an owner that stops after a message has not acknowledged the ones behind it.
    [[nodiscard]] std::size_t received(Bytes input, Instant now, Events& events);
    // The network has taken what was in output(), all or enough that it is below Options::unsent_bytes_max.
    void drained(Instant now, Events& events);
    void tick(Instant now, Events& events);
    // It is gone. `reason` is the system's, where it was not we who ended it.
    void closed(std::string_view reason, Events& events);

    [[nodiscard]] Buffer& output() noexcept { return output_; }
    [[nodiscard]] Instant deadline() const noexcept;  // Instant::max() if there is none.
    [[nodiscard]] bool connected() const noexcept { return state_ == State::Connected; }
    [[nodiscard]] bool ending() const noexcept { return state_ == State::Ending; }

    // --- Commands. They may be given in any state, and wait for the connection where there is none.

    // False: too much is waiting already. A publish() that is made nonetheless is refused with QuotaExceeded.
    [[nodiscard]] bool can_publish() const noexcept { return !outbox_.full(); }
    // Takes a message, or says why it can never be sent: wrong topic, or above what the server allows. `dup`,
    // `packet_id` and `subscription_identifiers` are the protocol's own and ignored. A `topic_alias` is used where the
    // server allows it. The outcome of QoS 1 and 2 is a Published event.
    [[nodiscard]] mqtt::Result<PublishToken> publish(const mqtt::Publish& message, Instant now);
    // Topic filters must be valid, and have one subscription identifier or none together.
    RequestToken subscribe(std::vector<Subscription> subscriptions, Instant now,
                           OwnedUserProperties user_properties = {});
    RequestToken unsubscribe(std::vector<std::string> filters, Instant now, OwnedUserProperties user_properties = {});
    // With Acknowledge::ByCaller: the caller is done with a message of QoS 1 or 2.
    void acknowledge(DeliveryToken token, mqtt::ReasonCode code, Instant now);
    // AUTH, as the answer to a Challenged event, or with ReAuthenticate to begin anew.
    void authenticate(const mqtt::Auth& packet, Instant now);
    // DISCONNECT; ending() is true from then on. Nothing happens without a connection.
    void disconnect(const mqtt::Disconnect& packet, Instant now);
    // Another Receive Maximum from the next open() on.
    void receive_maximum(std::uint16_t maximum);

    // Published, and neither sent (QoS 0) nor acknowledged (QoS 1 and 2) yet.
    [[nodiscard]] std::size_t unfinished() const noexcept { return outbox_.size(); }
    [[nodiscard]] const ServerLimits& server_limits() const noexcept { return limits_; }
    [[nodiscard]] const Options& options() const noexcept { return options_; }

private:
    enum class State : std::uint8_t { Closed, Connecting, Connected, Ending };

    // Packets of the server (protocol_packets.cpp).
    [[nodiscard]] mqtt::Result<> handle(const mqtt::Frame& frame, Instant now, Events& events);
    [[nodiscard]] mqtt::Result<> handle_publish(const mqtt::Frame& frame, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::ConnAck& packet, Instant now, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::PubAck& packet, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::PubRec& packet, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::PubRel& packet);
    [[nodiscard]] mqtt::Result<> on(const mqtt::PubComp& packet, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::SubAck& packet, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::UnsubAck& packet, Events& events);
    [[nodiscard]] mqtt::Result<> on(const mqtt::PingResp& packet);
    [[nodiscard]] mqtt::Result<> on(const mqtt::Disconnect& packet);
    [[nodiscard]] mqtt::Result<> on(const mqtt::Auth& packet, Events& events);
    void begin_session(bool session_present, Events& events);
    [[nodiscard]] mqtt::Result<> finish(const Outbox::Acknowledged& acknowledged, mqtt::ReasonCode code,
                                        std::optional<std::string_view> reason, Events& events);
    void fail(const mqtt::Error& error);

    void send_connect();
    void send_publish(const StoredPublish& publish);
    void send_waiting();
    void settle(std::size_t output_before, Instant now, Events& events);
    void end(Cause cause, mqtt::ReasonCode code, std::string_view reason);
    [[nodiscard]] bool resumes() const noexcept;
    [[nodiscard]] std::uint16_t counted_maximum() const noexcept;
    [[nodiscard]] bool v5() const noexcept { return options_.version == mqtt::ProtocolVersion::V5; }

    Options options_;
    State state_ = State::Closed;
    Buffer output_;
    Events deferred_;  // Of commands: a command does not call its caller back. tick() is due while there are any.

    // The session.
    PacketIds ids_;
    Outbox outbox_;
    Inbox inbox_;
    Requests requests_;
    bool had_connection_ = false;  // CONNACK has accepted a connection before.
    bool told_full_ = false;       // A Drained event is owed.

    // The connection.
    Instant opened_at_{};
    bool sent_clean_start_ = false;
    KeepAlive keep_alive_;
    ServerLimits limits_;
    IncomingAliases incoming_aliases_;
    OutgoingAliases outgoing_aliases_;
    Disconnection disconnection_;
};

}  // namespace chappe::client
