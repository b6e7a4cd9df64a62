#include "client/protocol.h"

#include <algorithm>
#include <utility>

#include "client/valid_message.h"
#include "mqtt/encoder.h"

namespace chappe::client {

using mqtt::ReasonCode;

Protocol::Protocol(Options options)
    : options_(std::move(options)),
      outbox_({.messages = options_.queue_messages_max, .bytes = options_.queue_bytes_max}),
      inbox_(counted_maximum()) {
    ASSERT(options_.receive_maximum > 0 && options_.inflight_max > 0);
}

// 3.1.1 has no Receive Maximum: the number of packet ids is the bound.
std::uint16_t Protocol::counted_maximum() const noexcept {
    return v5() ? options_.receive_maximum : std::uint16_t{65'535};
}

// --- The network connection

void Protocol::open(Instant now) {
    ASSERT(state_ == State::Closed);
    state_ = State::Connecting;
    opened_at_ = now;
    disconnection_ = {};
    limits_ = {};
    inbox_.receive_maximum(counted_maximum());
    send_connect();
}

void Protocol::send_connect() {
    mqtt::Connect packet;
    packet.version = options_.version;
    packet.bridge = options_.bridge;
    packet.clean_start = sent_clean_start_ = had_connection_ ? !resumes() : options_.clean_start;
    packet.keep_alive_seconds = options_.keep_alive_seconds;
    packet.client_id = options_.client_id;
    if (options_.will) packet.will = view(*options_.will);
    packet.user_name = options_.user_name;
    if (options_.password) packet.password = as_bytes(*options_.password);
    if (v5()) {
        if (options_.session_expiry_interval_seconds != 0) {
            packet.session_expiry_interval_seconds = options_.session_expiry_interval_seconds;
        }
        if (options_.receive_maximum != 65'535) packet.receive_maximum = options_.receive_maximum;
        packet.maximum_packet_size = options_.maximum_packet_size;
        packet.topic_alias_maximum = options_.topic_alias_maximum;
        packet.request_response_information = options_.request_response_information;
        packet.request_problem_information = options_.request_problem_information;
        packet.authentication_method = options_.authentication_method;
        if (options_.authentication_data) packet.authentication_data = as_bytes(*options_.authentication_data);
        packet.user_properties = view(options_.user_properties);
    }
    mqtt::encode(packet, output_);
}

// Whether the session outlives a connection, so that the next one goes on with it.
bool Protocol::resumes() const noexcept {
    return !options_.clean_start || (v5() && options_.session_expiry_interval_seconds != 0);
}

std::size_t Protocol::received(Bytes input, Instant now, Events& events) {
    if (state_ == State::Closed || state_ == State::Ending) return input.size();  // Nobody waits for it any more.
    keep_alive_.received(now);
    const auto before = output_.size();
    const auto frame = mqtt::frame(input, options_.maximum_packet_size.value_or(mqtt::packet_size_limit));
    if (!frame) {
        fail(frame.error());
        return input.size();
    }
    if (!*frame) return 0;
    if (const auto handled = handle(**frame, now, events); !handled) fail(handled.error());
    settle(before, now, events);
    return (*frame)->size;
}

void Protocol::drained(Instant now, Events& events) { settle(output_.size(), now, events); }

void Protocol::tick(Instant now, Events& events) {
    const auto before = output_.size();
    std::ranges::move(deferred_, std::back_inserter(events));
    deferred_.clear();
    if (state_ == State::Connecting && now >= opened_at_ + options_.connect_timeout) {
        end(Cause::Silent, ReasonCode::Success, "The server did not answer CONNECT");
    }
    if (state_ == State::Connected) {
        const auto due = keep_alive_.due(now);
        if (due == KeepAlive::Due::Ping) {
            mqtt::encode(mqtt::PingReq{}, options_.version, output_);
            keep_alive_.ping_sent(now);
        } else if (due == KeepAlive::Due::ServerIsSilent) {
            end(Cause::Silent, ReasonCode::Success, "The server did not answer PINGREQ");
        }
    }
    settle(before, now, events);
}

Instant Protocol::deadline() const noexcept {
    if (!deferred_.empty()) return Instant::min();
    if (state_ == State::Connecting) return opened_at_ + options_.connect_timeout;
    return state_ == State::Connected ? keep_alive_.deadline() : Instant::max();
}

void Protocol::closed(std::string_view reason, Events& events) {
    if (state_ == State::Closed) return;
    if (state_ != State::Ending) end(Cause::Lost, ReasonCode::Success, reason);
    state_ = State::Closed;
    disconnection_.unsent_bytes = output_.size();
    output_.release();
    keep_alive_.stop();
    inbox_.connection_lost();
    std::ranges::move(deferred_, std::back_inserter(events));
    deferred_.clear();
    events.push_back(event::Disconnected{std::move(disconnection_)});
}

// What follows from the call that is about to return: acknowledgements that are due, what now fits in the window.
void Protocol::settle(std::size_t output_before, Instant now, Events& events) {
    if (state_ == State::Connected) {
        inbox_.send_acknowledgements(options_.version, output_);
        if (requests_.unsent()) requests_.send(options_.version, limits_, ids_, output_, events);
        send_waiting();
        if (output_.size() > output_before) keep_alive_.sent(now);
    }
    if (told_full_ && outbox_.roomy()) {
        told_full_ = false;
        events.push_back(event::Drained{});
    }
}

void Protocol::send_waiting() {
    const auto in_flight_max = std::min(options_.inflight_max, limits_.receive_maximum);
    const auto send = [this](const StoredPublish& publish) { send_publish(publish); };
    while (output_.size() < options_.unsent_bytes_max && outbox_.send_next(in_flight_max, ids_, send)) {
    }
}

void Protocol::send_publish(const StoredPublish& publish) {
    constexpr std::size_t alias_size_max = 5;  // The property, and a byte more for each of the lengths around it.
    if (v5() && publish.size() + alias_size_max <= limits_.packet_size_max) {
        if (const auto use = outgoing_aliases_.use(publish.topic(), publish.topic_alias())) {
            publish.encode_with_alias(use->alias, use->with_topic, output_);
            return;
        }
    }
    output_.append(publish.bytes());
}

void Protocol::end(Cause cause, ReasonCode code, std::string_view reason) {
    disconnection_.cause = cause;
    disconnection_.reason_code = code;
    disconnection_.reason = reason;
    disconnection_.was_connected = state_ == State::Connected;
    state_ = State::Ending;
}

// --- Commands

mqtt::Result<PublishToken> Protocol::publish(const mqtt::Publish& message, Instant now) {
    TRY(check_message(message));
    if (outbox_.full()) return mqtt::failure(ReasonCode::QuotaExceeded, "Too much waits to be sent already");
    StoredPublish stored(message, options_.version);
    if (state_ == State::Connected) {
        if (const auto refusal = limits_.refusal(stored)) return std::unexpected(*refusal);
    }
    const auto token = outbox_.add(std::move(stored));
    told_full_ = told_full_ || outbox_.full();
    if (state_ == State::Connected) {
        const auto before = output_.size();
        send_waiting();
        if (output_.size() > before) keep_alive_.sent(now);
    }
    return token;
}

RequestToken Protocol::subscribe(std::vector<Subscription> subscriptions, Instant now,
                                 OwnedUserProperties user_properties) {
    const auto token = requests_.subscribe(std::move(subscriptions), std::move(user_properties));
    settle(output_.size(), now, deferred_);
    return token;
}

RequestToken Protocol::unsubscribe(std::vector<std::string> filters, Instant now, OwnedUserProperties user_properties) {
    const auto token = requests_.unsubscribe(std::move(filters), std::move(user_properties));
    settle(output_.size(), now, deferred_);
    return token;
}

void Protocol::acknowledge(DeliveryToken token, ReasonCode code, Instant now) {
    inbox_.acknowledge(token, code);
    settle(output_.size(), now, deferred_);
}

void Protocol::authenticate(const mqtt::Auth& packet, Instant now) {
    ASSERT(v5());
    if (state_ != State::Connecting && state_ != State::Connected) return;
    mqtt::encode(packet, options_.version, output_);
    keep_alive_.sent(now);
}

void Protocol::disconnect(const mqtt::Disconnect& packet, Instant now) {
    if (state_ == State::Closed || state_ == State::Ending) return;
    settle(output_.size(), now, deferred_);
    mqtt::encode(packet, options_.version, output_);
    end(Cause::Requested, packet.reason_code, "");
}

void Protocol::receive_maximum(std::uint16_t maximum) {
    ASSERT(maximum > 0);
    options_.receive_maximum = maximum;
}

}  // namespace chappe::client
