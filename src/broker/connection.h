#pragma once

// One network connection as the protocol sees it: what was agreed in CONNECT, bytes that are not yet a whole packet,
// and what is to be written. It knows the rules of a connection, not those of a session. Owned by a shard; the bytes
// come and go through the shard's caller.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ring.h"
#include "base/time.h"
#include "broker/action.h"
#include "broker/counters.h"
#include "broker/delivery.h"
#include "broker/ids.h"
#include "broker/output.h"
#include "broker/ports.h"
#include "broker/publish_encoder.h"
#include "broker/topic_aliases.h"
#include "mqtt/encoder.h"
#include "mqtt/packet.h"

namespace chappe::broker {

class Connection {
public:
    enum class State : std::uint8_t {
        AwaitingConnect,
        Authenticating,  // CONNECT is here and waits for the Authenticator.
        Connected,
        HandingOver,  // To the home shard of its client; nothing is read until it is there.
        Closing,      // The last packet has been put in the output; nothing that arrives is read any more.
    };

    // How far an authentication has come: that of CONNECT, or one on a connection that is in use (4.12, 4.12.1).
    enum class Authentication : std::uint8_t {
        Idle,        // None is under way.
        Asked,       // The Authenticator is to answer.
        Challenged,  // The client is to answer, with AUTH.
    };

    // An acknowledgement of a PUBLISH. They leave in the order in which the PUBLISH packets came ([MQTT-4.6.0-2],
    // [MQTT-4.6.0-3]), so one that is ready waits for those before it.
    struct OwedAck {
        mqtt::PacketId packet_id;
        mqtt::QoS qos;
        bool ready;
        mqtt::ReasonCode code;
        std::string_view reason;
        bool withdrawn = false;  // Ready, but nothing is sent.
        bool again = false;      // For a packet that came twice on this connection, and so was counted twice.
    };

    // Sending asks for an action::Write, once until begin_write().
    Connection(ConnectionId id, Peer peer, Counters& counters, UnsentBytes& unsent, std::vector<Action>& actions,
               Instant now);

    const ConnectionId id;
    Peer peer;
    const Instant opened_at;
    std::uint64_t before_login = 0;  // Its place among those that have not logged in; 0: it has none.

    State state = State::AwaitingConnect;
    SessionId session;              // Zero until CONNECT has been accepted, and after it has been detached.
    Identity identity;              // Set with CONNECT.
    Instant last_packet_at;         // For the keep alive; by the shard's clock that stands still while nobody is read.
    bool connect_received = false;  // So the version is known, and a refusal can be a CONNACK.
    bool over_limit = false;        // Beyond connections_max: its CONNECT will be refused.
    bool reading_paused = false;
    Authentication authentication = Authentication::Idle;
    std::uint32_t authentication_step = 0;          // Of the last question to the Authenticator.
    Instant authentication_until = Instant::max();  // When one on a connection that is in use must be over.
    Instant expires_at = Instant::max();            // What it has authenticated with.

    // --- What CONNECT agreed on.
    mqtt::ProtocolVersion version = mqtt::ProtocolVersion::V5;
    bool bridge = false;
    bool problem_information = true;
    std::uint16_t keep_alive_seconds = 0;
    std::uint32_t packet_size_max = mqtt::packet_size_limit;  // The client's, or the standard's where that is lower.
    // Ours, as CONNACK announced them. They hold as long as the connection, whatever a reload changes in between.
    std::uint32_t accepted_packet_size_max = 0;
    std::uint16_t receive_maximum = 0;
    std::string authentication_method;  // Empty: none.

    [[nodiscard]] bool awaits_authenticator() const noexcept {
        return state == State::Authenticating && authentication == Authentication::Asked;
    }
    // While an enhanced authentication waits for its next step, that is the client's AUTH.
    [[nodiscard]] bool takes_packets() const noexcept {
        return state == State::AwaitingConnect || state == State::Connected ||
               (state == State::Authenticating && authentication == Authentication::Challenged);
    }
    // When it ends, however much it says; without this, keep alive alone counts.
    [[nodiscard]] Instant ends_at() const noexcept { return std::min(authentication_until, expires_at); }
    [[nodiscard]] bool v5() const noexcept { return version == mqtt::ProtocolVersion::V5; }
    [[nodiscard]] std::optional<Duration> keep_alive_limit() const noexcept;  // One and a half times ([MQTT-3.1.2-22]).

    void allow_aliases(std::uint16_t incoming_max, std::uint16_t outgoing_max, const TextHash& hash);
    // The topic of a PUBLISH, its alias resolved.
    [[nodiscard]] mqtt::Result<std::string_view> resolve_topic(const mqtt::Publish& publish);

    // --- Received and not yet handled.
    Buffer input;                   // The beginning of a packet, or what came while an Authenticator is asked.
    std::size_t input_counted = 0;  // The memory of `input` that Commons::unfinished_bytes has.
    Buffer connect_packet;          // While an Authenticator is asked.

    // --- To be written.
    Output output;
    // The Write that was asked for is being done; what is sent from now on asks again.
    void begin_write() noexcept { write_wanted_ = false; }

    // With reason codes that the packet may carry: mqtt::nearest_allowed() finds them.
    template <class Packet>
    void send(const Packet& packet) {
        if constexpr (requires { packet.reason_code; }) assert_allowed(packet.reason_code, Packet::type);
        if constexpr (requires { packet.reason_codes; }) {
            for (const auto code : packet.reason_codes) assert_allowed(code, Packet::type);
        }
        const auto before = output.size();
        output.append_with([&](Buffer& out) { mqtt::encode(packet, version, out); });
        reply_bytes_ += output.size() - before;
        counters_.packets_sent.add();
        want_write();
    }
    // Bytes of packets other than PUBLISH that were sent since the output was empty: what a client makes us owe it by
    // sending and not reading.
    [[nodiscard]] std::size_t reply_bytes() const noexcept { return reply_bytes_; }
    // So many bytes of the output have been written.
    void sent(std::size_t bytes);
    // Whether this connection has something unsent and all together have so much that it is not to be given more. Where
    // the last write has left nothing, as with all who read what they get, a quarter more is for them.
    [[nodiscard]] bool is_in_full_total(std::size_t unsent_bytes_total_max) const noexcept {
        if (output.empty()) return false;
        const auto all = output.unsent_by_all();
        if (all <= unsent_bytes_total_max) [[likely]]
            return false;
        return lags_ || all - unsent_bytes_total_max > unsent_bytes_total_max / 4;
    }
    // Whether the packet is within the client's Maximum Packet Size, and every text within what a packet can carry.
    // What carries no text is, since a client that CONNACK would be too large for is refused; whoever sends something
    // longer asks first ([MQTT-3.1.2-24]).
    [[nodiscard]] bool takes(const mqtt::Packet& packet) const {
        return mqtt::encoded_size(packet, version) <= packet_size_max;
    }
    // Leaves out the Reason String and user properties where the client did not ask for them ([MQTT-3.1.2-29]) or
    // the packet would be larger than it takes ([MQTT-3.2.2-19], [MQTT-3.4.2-2] and so on).
    template <class Packet>
    void send_with_reason(Packet packet, std::string_view reason, bool even_without_problem_information = false);

    // Returns false, having sent nothing, where the packet is larger than the client takes ([MQTT-3.1.2-24]).
    [[nodiscard]] bool send_publish(PublishEncoder& encoder, const MessagePtr& message, const Variant& variant,
                                    mqtt::PacketId packet_id, bool dup, Instant now);

    // --- PUBLISH packets of QoS 1 and 2 from the client that are not yet acknowledged (its Receive Maximum is ours).
    [[nodiscard]] std::uint32_t unacknowledged() const noexcept { return unacknowledged_; }
    void publish_begun() noexcept { ++unacknowledged_; }
    void publish_completed() noexcept {
        if (unacknowledged_ != 0) --unacknowledged_;
    }

    // Owes an acknowledgement that is ready already, or will be: settle_ack() then says how. Ready ones are sent.
    void owe_ack(OwedAck ack);
    [[nodiscard]] bool owes_acks() const noexcept { return !owed_acks_.empty(); }
    // The same packet may be owed several.
    void settle_ack(mqtt::PacketId packet_id, mqtt::QoS qos, mqtt::ReasonCode code, std::string_view reason);
    // There will be none: the client will have to send the packet again.
    void withdraw_ack(mqtt::PacketId packet_id, mqtt::QoS qos);

    // What was held for this batch of the Journal may go.
    void committed(JournalBatch batch) {
        if (output.committed(batch)) want_write();
    }

private:
    void assert_allowed(mqtt::ReasonCode code, mqtt::PacketType type) const {
        if (code == mqtt::ReasonCode::Success || !v5()) return;  // Before 5.0 the encoder finds what says the same.
        ASSERT(mqtt::is_allowed(code, type, mqtt::Sender::Server));
    }
    void want_write() {
        if (!std::exchange(write_wanted_, true)) actions_.push_back(action::Write{id});
    }
    template <class Settle>
    void settle_owed(mqtt::PacketId packet_id, mqtt::QoS qos, Settle settle);
    void send_ready_acks();
    void send_ack(const OwedAck& ack);

    Counters& counters_;
    std::vector<Action>& actions_;
    bool write_wanted_ = false;
    bool lags_ = false;  // The last write has left something.
    std::size_t reply_bytes_ = 0;
    Ring<OwedAck> owed_acks_;
    std::uint32_t unacknowledged_ = 0;
    IncomingAliases incoming_aliases_{0};
    std::unique_ptr<OutgoingAliases> outgoing_aliases_;
};

template <class Packet>
void Connection::send_with_reason(Packet packet, std::string_view reason, bool even_without_problem_information) {
    if (v5() && !reason.empty() && (problem_information || even_without_problem_information)) {
        packet.reason_string = reason;
        if (takes(packet)) return send(packet);
        packet.reason_string.reset();
    }
    send(packet);
}

}  // namespace chappe::broker
