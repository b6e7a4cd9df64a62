// The packets of the server.

#include <type_traits>
#include <utility>
#include <variant>

#include "client/protocol.h"
#include "mqtt/encoder.h"

namespace chappe::client {

using mqtt::failure;
using mqtt::ReasonCode;

namespace {

// Of the faults that the decoder finds, those that a client may name in its DISCONNECT (3.14.2.1).
ReasonCode for_disconnect(ReasonCode code) noexcept {
    switch (code) {
        case ReasonCode::MalformedPacket:
        case ReasonCode::ProtocolError:
        case ReasonCode::TopicNameInvalid:
        case ReasonCode::ReceiveMaximumExceeded:
        case ReasonCode::TopicAliasInvalid:
        case ReasonCode::PacketTooLarge:
            return code;
        default:
            return ReasonCode::ProtocolError;
    }
}

}  // namespace

mqtt::Result<> Protocol::handle(const mqtt::Frame& frame, Instant now, Events& events) {
    const bool expected = frame.type == mqtt::PacketType::ConnAck
                              ? state_ == State::Connecting
                              : state_ == State::Connected || frame.type == mqtt::PacketType::Auth;
    if (!expected) return failure(ReasonCode::ProtocolError, "Unexpected packet from the server");
    if (frame.type == mqtt::PacketType::Publish) return handle_publish(frame, events);
    const auto packet = TRY(mqtt::decode(frame, options_.version, mqtt::Sender::Server));
    return std::visit(
        [&](const auto& it) -> mqtt::Result<> {
            if constexpr (requires { on(it, now, events); }) {
                return on(it, now, events);
            } else if constexpr (requires { on(it, events); }) {
                return on(it, events);
            } else if constexpr (requires { on(it); }) {
                return on(it);
            } else {
                return failure(ReasonCode::ProtocolError, "A server does not send this packet");
            }
        },
        packet);
}

mqtt::Result<> Protocol::handle_publish(const mqtt::Frame& frame, Events& events) {
    mqtt::Publish packet;
    TRY(mqtt::decode(frame, options_.version, mqtt::Sender::Server, packet));
    TRY(incoming_aliases_.resolve(packet));
    if (packet.qos == mqtt::QoS::AtMostOnce) {
        events.push_back(event::Message{std::move(packet), {}});
        return {};
    }
    const auto arrival = TRY(inbox_.on_publish(packet.packet_id, packet.qos));
    if (arrival.is_new) events.push_back(event::Message{std::move(packet), arrival.token});
    if (options_.acknowledge == Acknowledge::Automatically) inbox_.acknowledge(arrival.token, ReasonCode::Success);
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::ConnAck& packet, Instant now, Events& events) {
    if (packet.reason_code != ReasonCode::Success) {
        disconnection_.server_reference = packet.server_reference.value_or("");
        end(Cause::Refused, packet.reason_code, packet.reason_string.value_or(""));
        return {};
    }
    if (packet.session_present && sent_clean_start_) {
        return failure(ReasonCode::ProtocolError, "Session present after a clean start");
    }
    state_ = State::Connected;
    had_connection_ = true;
    if (packet.assigned_client_id) options_.client_id = *packet.assigned_client_id;
    limits_ = ServerLimits::of(packet);
    keep_alive_.start(packet.server_keep_alive_seconds.value_or(options_.keep_alive_seconds), options_.response_timeout,
                      now);
    incoming_aliases_.reset(v5() ? options_.topic_alias_maximum : std::uint16_t{0});
    outgoing_aliases_.reset(limits_.topic_alias_maximum, options_.topic_aliases);
    events.push_back(event::Connected{packet});
    begin_session(packet.session_present, events);
    return {};
}

void Protocol::begin_session(bool session_present, Events& events) {
    if (session_present) {
        outbox_.resume();
        for (const auto id : outbox_.unfinished_releases()) {
            mqtt::encode(mqtt::PubRel{.packet_id = id}, options_.version, output_);
        }
    } else {
        inbox_.session_lost();
        for (const auto token : outbox_.restart(ids_)) {
            events.push_back(event::Published{token, ReasonCode::Success, {}});
        }
    }
    requests_.resume(session_present, ids_);
    outbox_.remove_waiting([this](const StoredPublish& publish) { return !limits_.refusal(publish); },
                           [&](PublishToken token, const StoredPublish& publish) {
                               const auto refusal = limits_.refusal(publish);
                               events.push_back(event::Published{token, refusal->code, refusal->reason});
                           });
}

mqtt::Result<> Protocol::on(const mqtt::PubAck& packet, Events& events) {
    return finish(outbox_.on_puback(packet.packet_id, ids_), packet.reason_code, packet.reason_string, events);
}

mqtt::Result<> Protocol::on(const mqtt::PubRec& packet, Events& events) {
    const auto acknowledged = outbox_.on_pubrec(packet.packet_id, packet.reason_code, ids_);
    if (acknowledged.outcome == Outbox::Outcome::Release) {
        mqtt::encode(mqtt::PubRel{.packet_id = packet.packet_id}, options_.version, output_);
        return {};
    }
    if (acknowledged.outcome == Outbox::Outcome::UnknownId && !mqtt::is_error(packet.reason_code)) {
        const mqtt::PubRel answer{.packet_id = packet.packet_id, .reason_code = ReasonCode::PacketIdentifierNotFound};
        mqtt::encode(answer, options_.version, output_);
        return {};
    }
    return finish(acknowledged, packet.reason_code, packet.reason_string, events);
}

mqtt::Result<> Protocol::on(const mqtt::PubRel& packet) {
    const mqtt::PubComp answer{.packet_id = packet.packet_id, .reason_code = inbox_.on_pubrel(packet.packet_id)};
    mqtt::encode(answer, options_.version, output_);
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::PubComp& packet, Events& events) {
    // The server has had the message since its PUBREC; that it has forgotten the packet id (0x92) changes nothing.
    return finish(outbox_.on_pubcomp(packet.packet_id, ids_), ReasonCode::Success, packet.reason_string, events);
}

mqtt::Result<> Protocol::finish(const Outbox::Acknowledged& acknowledged, ReasonCode code,
                                std::optional<std::string_view> reason, Events& events) {
    if (acknowledged.outcome == Outbox::Outcome::WrongKind) {
        return failure(ReasonCode::ProtocolError, "Acknowledgement that does not go with the message");
    }
    // An unknown id is what is left of a session that one side has forgotten; there is nothing to do.
    if (acknowledged.outcome == Outbox::Outcome::Done) {
        events.push_back(event::Published{acknowledged.token, code, reason.value_or("")});
    }
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::SubAck& packet, Events& events) {
    events.push_back(TRY(requests_.on_suback(packet, ids_)));
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::UnsubAck& packet, Events& events) {
    events.push_back(TRY(requests_.on_unsuback(packet, ids_)));
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::PingResp&) {
    keep_alive_.ping_answered();
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::Disconnect& packet) {
    disconnection_.server_reference = packet.server_reference.value_or("");
    end(Cause::Ended, packet.reason_code, packet.reason_string.value_or(""));
    return {};
}

mqtt::Result<> Protocol::on(const mqtt::Auth& packet, Events& events) {
    if (!options_.authentication_method) return failure(ReasonCode::ProtocolError, "AUTH that was not asked for");
    events.push_back(event::Challenged{packet});
    return {};
}

// The server broke the protocol: it is told, where the version has words for it, and the connection ends.
void Protocol::fail(const mqtt::Error& error) {
    if (state_ != State::Connecting && state_ != State::Connected) return;
    if (v5() && state_ == State::Connected) {
        mqtt::encode(mqtt::Disconnect{.reason_code = for_disconnect(error.code)}, options_.version, output_);
    }
    end(Cause::ProtocolError, error.code, error.reason);
}

}  // namespace chappe::client
