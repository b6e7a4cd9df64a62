// How connections and sessions begin and end: CONNECT, AUTH and DISCONNECT (3.1, 3.2, 3.14, 3.15, 4.1, 4.12).

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::ProtocolVersion;
using mqtt::ReasonCode;

namespace {

constexpr auto close_timeout = 5s;  // For writing the last bytes to a client that does not read.

// CONNACK of 3.1 and 3.1.1 knows five refusals; whatever else is wrong, the connection is closed without one.
bool has_return_code(ReasonCode code) noexcept {
    static constexpr std::array known = {ReasonCode::UnsupportedProtocolVersion,
                                         ReasonCode::ClientIdentifierNotValid,
                                         ReasonCode::ServerUnavailable,
                                         ReasonCode::ServerBusy,
                                         ReasonCode::BadUserNameOrPassword,
                                         ReasonCode::NotAuthorized,
                                         ReasonCode::Banned,
                                         ReasonCode::QuotaExceeded,
                                         ReasonCode::UseAnotherServer,
                                         ReasonCode::ServerMoved,
                                         ReasonCode::ConnectionRateExceeded};
    return std::ranges::find(known, code) != known.end();
}

std::uint32_t asked_session_expiry(const mqtt::Connect& connect) noexcept {
    if (connect.version == ProtocolVersion::V5) return connect.session_expiry_interval_seconds.value_or(0);
    return connect.clean_start ? 0 : mqtt::session_never_expires;
}

}  // namespace

// Returns whether the packet is done with here: not when the client's home is another shard.
bool Shard::handle_connect(Connection& connection, const mqtt::Frame& frame, Bytes packet, Instant now) {
    const auto read = mqtt::decode(frame, ProtocolVersion::V5, mqtt::Sender::Client, decode_limits());
    if (!read) {
        count_if_too_many(read.error());
        counters_.connects_received.add();
        connection.version = mqtt::refusal_version(frame);
        connection.connect_received = true;
        refuse(connection, read.error().code, read.error().reason, now);
        return true;
    }
    const auto& connect = std::get<mqtt::Connect>(*read);
    const auto home = connect.client_id.empty() ? id_ : commons_.home_of_client(connect.client_id);
    if (home != id_) {
        connection.state = Connection::State::HandingOver;
        end_login(connection);  // It goes on there.
        actions_.push_back(action::HandOver{.connection = connection.id, .to = home});
        return false;
    }
    counters_.connects_received.add();
    connection.connect_received = true;
    connection.version = connect.version;
    connection.bridge = connect.bridge;
    connection.problem_information = connect.request_problem_information;
    connection.packet_size_max =
        std::min(connect.maximum_packet_size.value_or(mqtt::packet_size_limit), mqtt::packet_size_limit);
    connection.authentication_method = connect.authentication_method.value_or("");
    connection.identity.client_id = connect.client_id;
    connection.identity.is_operator = connection.peer.is_operator;
    if (const auto checked = check_connect(connection, connect); !checked) {
        refuse(connection, checked.error().code, checked.error().reason, now);
        return true;
    }
    if (keep_out_flapping(connection, now)) return true;
    connection.state = Connection::State::Authenticating;
    const auto verdict = commons_.authenticator.authenticate({.peer = connection.peer,
                                                              .version = connect.version,
                                                              .client_id = connect.client_id,
                                                              .user_name = connect.user_name,
                                                              .password = connect.password,
                                                              .authentication_method = connect.authentication_method,
                                                              .authentication_data = connect.authentication_data},
                                                             next_ticket(connection));
    if (!verdict || verdict->code == ReasonCode::ContinueAuthentication) connection.connect_packet.append(packet);
    if (verdict) decide(connection, connect, *verdict, now);
    return true;
}

mqtt::Result<> Shard::check_connect(Connection& connection, const mqtt::Connect& connect) {
    if (connection.over_limit) return mqtt::failure(ReasonCode::ServerBusy, "connections_max is reached");
    if (shutting_down_) return mqtt::failure(ReasonCode::ServerUnavailable, "the server is shutting down");
    if (redirect_new_ && !connection.peer.is_operator) {
        const auto code = redirect_new_->permanent ? ReasonCode::ServerMoved : ReasonCode::UseAnotherServer;
        return mqtt::failure(code, "the operator sends new clients to another server");
    }
    if (connect.client_id.size() > config_.limits.client_id_length_max) {
        counters_.reached(Bound::ClientIdLengthMax);
        return mqtt::failure(ReasonCode::ClientIdentifierNotValid,
                             "client identifier longer than client_id_length_max");
    }
    if (connect.client_id.empty()) {
        if (connect.version == ProtocolVersion::V31) {
            return mqtt::failure(ReasonCode::ClientIdentifierNotValid, "MQTT 3.1 wants a client identifier");
        }
        if (connect.version == ProtocolVersion::V311 && !connect.clean_start) {  // [MQTT3-3.1.3-8]
            return mqtt::failure(ReasonCode::ClientIdentifierNotValid, "no client identifier, but a session to keep");
        }
        connection.identity.client_id = assign_client_id();
    }
    if (connect.will) {
        if (auto checked = check_topic(connect.will->topic); !checked) return checked;
    }
    return {};
}

// A client that has connected too often of late is kept out before anybody asks who it is, which is what costs most.
bool Shard::keep_out_flapping(Connection& connection, Instant now) {
    const bool is_off = config_.limits.client_connects_per_minute_max == 0;
    if (is_off || connection.peer.is_operator) return false;
    const auto wait = flapping_.wait(commons_.hash(connection.identity.client_id), now);
    if (!wait) return false;
    counters_.reached(Bound::FlappingWaitSeconds);
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    const auto why = "this client identifier connects too often; try again in " + std::to_string(seconds) + " s";
    refuse(connection, ReasonCode::ConnectionRateExceeded, why, now);
    return true;
}

// An identifier that we have made up never comes a second time.
void Shard::note_connected(const Connection& connection, const mqtt::Connect& connect, Instant now) {
    const auto most = config_.limits.client_connects_per_minute_max;
    if (most == 0 || connection.peer.is_operator || connect.client_id.empty()) return;
    const auto wait = std::chrono::seconds{config_.limits.flapping_wait_seconds};
    if (!flapping_.connected(commons_.hash(connect.client_id), most, wait, now)) return;
    counters_.reached(Bound::ClientConnectsPerMinuteMax);
}

// An identifier that nobody can guess from another one, and that has its home here ([MQTT-3.1.3-6]).
std::string Shard::assign_client_id() {
    static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
    while (true) {
        ++assigned_client_ids_;
        auto bits = commons_.hash.of_numbers(random_.next(), assigned_client_ids_);
        std::string name = "chappe-";
        for (int digit = 0; digit != 24; ++digit) {
            if (digit == 12) bits = commons_.hash.of_numbers(random_.next(), bits);
            name += digits[bits & 31];
            bits >>= 5;
        }
        if (commons_.home_of_client(name) == id_ && !sessions_by_client_.contains(name)) return name;
    }
}

// The Authenticator is about to be asked; its answer will come with this ticket.
Ticket Shard::next_ticket(Connection& connection) const noexcept {
    connection.authentication = Connection::Authentication::Asked;
    return {.shard = id_, .connection = connection.id, .step = ++connection.authentication_step};
}

// No verdict is wanted any more, where one was to come.
void Shard::abandon_authentication(Connection& connection) {
    if (std::exchange(connection.authentication, Connection::Authentication::Idle) ==
        Connection::Authentication::Idle) {
        return;
    }
    commons_.authenticator.abandon({.shard = id_, .connection = connection.id, .step = connection.authentication_step});
}

void Shard::authenticated(Ticket ticket, const Verdict& verdict, Instant now) {
    auto* connection = connections_.find(ticket.connection);
    if (connection == nullptr) return;
    const bool asked = connection->authentication == Connection::Authentication::Asked;
    if (!asked || ticket.step != connection->authentication_step) return;  // Abandoned, or answered before.
    apply(*connection, verdict, now);
    process_input(*connection, now);
}

void Shard::apply(Connection& connection, const Verdict& verdict, Instant now) {
    if (connection.state == Connection::State::Connected) return decide_again(connection, verdict, now);
    ASSERT(connection.state == Connection::State::Authenticating);
    const auto packet = std::exchange(connection.connect_packet, {});
    const auto frame = mqtt::frame(packet.bytes(), packet.size());
    ASSERT(frame && *frame);
    const auto read = mqtt::decode(**frame, ProtocolVersion::V5, mqtt::Sender::Client);
    ASSERT(read);  // It was decoded when it came.
    if (verdict.code == ReasonCode::ContinueAuthentication) connection.connect_packet.append(packet.bytes());
    decide(connection, std::get<mqtt::Connect>(*read), verdict, now);
}

void Shard::decide(Connection& connection, const mqtt::Connect& connect, const Verdict& verdict, Instant now) {
    connection.authentication = Connection::Authentication::Idle;
    if (is_error(verdict.code)) {
        if (verdict.code == ReasonCode::ServerBusy) counters_.reached(Bound::LoginsWaitingMax);
        if (verdict.code == ReasonCode::ConnectionRateExceeded) counters_.reached(Bound::AddressConnectsPerMinuteMax);
        connection.identity.user_name = verdict.user_name;
        refuse(connection, verdict.code, verdict.reason, now, verdict.detail);
    } else if (verdict.code != ReasonCode::ContinueAuthentication) {
        open_session(connection, connect, verdict, now);
    } else if (connection.authentication_method.empty()) {  // [MQTT-4.12.0-6], and older versions have no AUTH.
        refuse(connection, ReasonCode::NotAuthorized, "no authentication method that is wanted here", now);
    } else {
        send_auth(connection, ReasonCode::ContinueAuthentication, verdict, now);
    }
}

// The same for a re-authentication (4.12.1): there is no CONNACK any more. Session and subscriptions were granted to
// the user who connected, so it has to be the same one.
void Shard::decide_again(Connection& connection, const Verdict& verdict, Instant now) {
    connection.authentication = Connection::Authentication::Idle;
    if (is_error(verdict.code)) return close(connection, verdict.code, verdict.reason, now);
    if (verdict.code == ReasonCode::ContinueAuthentication) {
        return send_auth(connection, ReasonCode::ContinueAuthentication, verdict, now);
    }
    if (verdict.user_name != connection.identity.user_name) {
        return close(connection, ReasonCode::NotAuthorized, "another user than the one who has connected", now);
    }
    connection.authentication_until = Instant::max();
    send_auth(connection, ReasonCode::Success, verdict, now);
    auto* session = session_of(connection);
    if (session == nullptr) return;
    // It may be permitted more than before, or less.
    take_identity(connection, *session, verdict);
    revoke(*session, now);
    if (session->groups) update_groups(*session, now);
}

// What the Authenticator has found out counts for the session, also when its client is away.
void Shard::take_identity(Connection& connection, Session& session, const Verdict& verdict) {
    connection.identity.attributes = verdict.attributes;
    connection.expires_at = verdict.expires_at.value_or(Instant::max());
    session.identity = connection.identity;
    session.identity_changed();
    session.counted = CountedBytes(commons_.session_bytes, Session::size_bytes(session.identity));
    await_next_packet(connection);
}

void Shard::send_auth(Connection& connection, ReasonCode code, const Verdict& verdict, Instant now) {
    mqtt::Auth auth{.reason_code = code, .authentication_method = connection.authentication_method};
    if (verdict.authentication_data) auth.authentication_data = as_bytes(*verdict.authentication_data);
    if (code == ReasonCode::ContinueAuthentication) connection.authentication = Connection::Authentication::Challenged;
    if (!connection.takes(auth)) {
        return close(connection, ReasonCode::PacketTooLarge, "AUTH is larger than your Maximum Packet Size", now);
    }
    connection.send(auth);
}

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::Auth& auth, Instant now) {
    if (connection.authentication_method.empty()) {
        return mqtt::failure(ReasonCode::ProtocolError, "AUTH without an authentication method in CONNECT");
    }
    if (auth.authentication_method.value_or("") != connection.authentication_method) {  // [MQTT-4.12.0-5]
        return mqtt::failure(ReasonCode::ProtocolError, "AUTH with another authentication method than CONNECT");
    }
    if (auth.reason_code == ReasonCode::ReAuthenticate) {
        const bool connected = connection.state == Connection::State::Connected;
        if (!connected || connection.authentication != Connection::Authentication::Idle) {
            return mqtt::failure(ReasonCode::ProtocolError, "an authentication is under way already");
        }
        connection.authentication_until = now + std::chrono::seconds{config_.limits.connect_timeout_seconds};
        await_next_packet(connection);
    } else if (connection.authentication != Connection::Authentication::Challenged) {  // 4.12: one step each, in turn.
        return mqtt::failure(ReasonCode::ProtocolError, "AUTH that nothing asked for");
    }
    const Continuation said{.peer = connection.peer, .client_id = connection.identity.client_id, .auth = auth};
    const auto verdict = commons_.authenticator.proceed(said, next_ticket(connection));
    if (verdict) apply(connection, *verdict, now);
    return {};
}

void Shard::open_session(Connection& connection, const mqtt::Connect& connect, const Verdict& verdict, Instant now) {
    connection.identity.user_name = verdict.user_name;
    connection.identity.attributes = verdict.attributes;
    const auto acceptance = make_acceptance(connection, connect, verdict);
    if (!connection.takes(acceptance)) {  // [MQTT-3.1.2-24]
        return refuse(connection, ReasonCode::PacketTooLarge, "the Maximum Packet Size leaves no room for CONNACK",
                      now);
    }
    if (!has_bytes_for_session(connection, connect)) {
        counters_.reached(Bound::SessionsBytesMax);
        return refuse(connection, ReasonCode::QuotaExceeded, "sessions_bytes_max is reached", now);
    }
    bool present = false;
    auto* session = find_or_create_session(connection, connect, present, now);
    if (session == nullptr) {
        counters_.reached(Bound::SessionsMax);
        return refuse(connection, ReasonCode::QuotaExceeded, "sessions_max is reached", now);
    }
    connection.state = Connection::State::Connected;
    connection.session = session->id;
    end_login(connection);
    note_connected(connection, connect, now);
    counters_.clients_connected.add();
    take_identity(connection, *session, verdict);
    agree(connection, *session, connect);
    accept_connect(connection, connect, acceptance, present);
    commons_.events.record({.kind = EventKind::ClientConnected,
                            .client_id = session->client_id,
                            .user_name = session->identity.user_name,
                            .address = connection.peer.address,
                            .reason = to_string(connection.version),
                            .method = verdict.detail});
    if (present) revoke(*session, now);
    session->resume(now);
    settle(*session, now);
    if (session->groups) update_groups(*session, now);
}

// Ends, continues or creates the client's session, as Clean Start asks ([MQTT-3.1.2-4], [MQTT-3.1.2-5],
// [MQTT-3.1.2-6]).
Session* Shard::find_or_create_session(const Connection& connection, const mqtt::Connect& connect, bool& present,
                                       Instant now) {
    const auto& client_id = connection.identity.client_id;
    const auto find = [&]() -> Session* {
        const auto found = sessions_by_client_.find(client_id);
        return found == sessions_by_client_.end() ? nullptr : sessions_.find(found->second);
    };
    // A will or a session that was due before this packet came is over, though nobody has looked at the deadline yet.
    if (auto* session = find(); session != nullptr && !session->connected()) on_deadline(*session, now);
    if (auto* session = find()) end_predecessors(*session, connection, connect.clean_start, now);
    auto* session = find();
    present = session != nullptr;
    if (session != nullptr) return session;
    const bool is_full = commons_.sessions.load(std::memory_order_relaxed) >= config_.limits.sessions_max;
    if (is_full && !connection.peer.is_operator) return nullptr;
    commons_.sessions.fetch_add(1, std::memory_order_relaxed);
    counters_.sessions.add();
    auto [id, created] = sessions_.emplace(client_id, environment_);
    sessions_by_client_.emplace(created.client_id, id);
    created.counted = CountedBytes(commons_.session_bytes, Session::size_bytes(connection.identity));
    return &created;
}

// Whether there is room for this client's session with the will that it brings, in place of what it has now.
bool Shard::has_bytes_for_session(const Connection& connection, const mqtt::Connect& connect) {
    if (connection.peer.is_operator) return true;
    auto needed = Session::size_bytes(connection.identity);
    if (connect.will) needed += will_bytes(*connect.will, connection.identity);
    std::size_t has = 0;
    if (const auto* session = find_session(connection.identity.client_id)) {
        has = session->counted.size() + (session->will ? session->will->counted.size() : 0);
    }
    if (needed <= has) return true;
    const auto others = commons_.session_bytes.load(std::memory_order_relaxed) - has;
    return others + needed <= config_.limits.sessions_bytes_max;
}

// A session belongs to the user who began it: its subscriptions and what it is owed were granted to that user alone. So
// it ends for another one who brings the same client identifier, as for Clean Start.
void Shard::end_predecessors(Session& session, const Connection& connection, bool clean_start, Instant now) {
    const auto id = session.id;
    const bool another_user = !session.identity.is_same_user(connection.identity);
    const bool ends = clean_start || another_user;
    if (session.connected() || another_user) {
        commons_.events.record(
            {.kind = EventKind::SessionTakenOver,
             .client_id = session.client_id,
             .address = connection.peer.address,
             .code = ReasonCode::SessionTakenOver,
             .reason = another_user ? "another user has connected with this client identifier" : ""});
    }
    if (session.connected()) {  // [MQTT-3.1.4-3]
        const bool continues = !ends && session.expiry_interval_seconds != 0;
        close(*session.connection(), ReasonCode::SessionTakenOver, "another connection uses this client identifier",
              now, continues ? SessionFate::Continues : SessionFate::AsAgreed);
    }
    if (auto* left = sessions_.find(id); left != nullptr && ends) end_session(*left, now);
}

void Shard::agree(Connection& connection, Session& session, const mqtt::Connect& connect) {
    const auto& limits = config_.limits;
    session.expiry_interval_seconds = agreed_session_expiry(connect);
    if (session.expiry_interval_seconds < asked_session_expiry(connect)) {
        counters_.reached(Bound::SessionExpiryMaxSeconds);
    }
    session.ends_at.reset();
    take_will(session);
    set_deadline(session);
    keep(session);
    if (connect.will) set_will(session, connect, connection.identity);

    connection.keep_alive_seconds = agreed_keep_alive(connect);
    if (connection.keep_alive_seconds != connect.keep_alive_seconds) counters_.reached(Bound::KeepAliveMaxSeconds);
    await_next_packet(connection);

    connection.accepted_packet_size_max = limits.packet_size_max;
    connection.receive_maximum = limits.receive_maximum;
    connection.allow_aliases(limits.topic_alias_max, std::min(connect.topic_alias_maximum, limits.topic_alias_max),
                             commons_.hash);
    session.attach(connection, std::min(connect.receive_maximum.value_or(std::numeric_limits<std::uint16_t>::max()),
                                        limits.inflight_max));
}

std::uint32_t Shard::agreed_session_expiry(const mqtt::Connect& connect) const {
    return std::min(asked_session_expiry(connect), config_.limits.session_expiry_max_seconds);
}

// Before 5.0 a client cannot be told another keep alive than its own.
std::uint16_t Shard::agreed_keep_alive(const mqtt::Connect& connect) const {
    const auto max = config_.limits.keep_alive_max_seconds;
    const auto asked = connect.keep_alive_seconds;
    const bool too_long = asked == 0 || asked > max;
    const bool limited = max != std::numeric_limits<std::uint16_t>::max();
    return connect.version == ProtocolVersion::V5 && limited && too_long ? max : asked;
}

// The CONNACK for a client that is let in, without Session Present and Response Information. It views its arguments.
mqtt::ConnAck Shard::make_acceptance(const Connection& connection, const mqtt::Connect& connect,
                                     const Verdict& verdict) const {
    const auto& limits = config_.limits;
    mqtt::ConnAck accepted{.receive_maximum = limits.receive_maximum,
                           .maximum_packet_size = limits.packet_size_max,
                           .topic_alias_maximum = limits.topic_alias_max};
    const auto expiry = agreed_session_expiry(connect);
    if (expiry != connect.session_expiry_interval_seconds.value_or(0))
        accepted.session_expiry_interval_seconds = expiry;
    const auto keep_alive = agreed_keep_alive(connect);
    if (keep_alive != connect.keep_alive_seconds) accepted.server_keep_alive_seconds = keep_alive;
    if (connect.client_id.empty()) accepted.assigned_client_id = connection.identity.client_id;
    if (!connection.authentication_method.empty()) {
        accepted.authentication_method = connection.authentication_method;
        if (verdict.authentication_data) accepted.authentication_data = as_bytes(*verdict.authentication_data);
    }
    return accepted;
}

void Shard::accept_connect(Connection& connection, const mqtt::Connect& connect, mqtt::ConnAck accepted, bool present) {
    accepted.session_present = present;
    std::string response_information;
    if (connect.request_response_information && !config_.response_topic_prefix.empty() &&
        !mqtt::has_wildcards(connection.identity.client_id)) {
        response_information = config_.response_topic_prefix + "/" + connection.identity.client_id + "/";
        accepted.response_information = response_information;
    }
    if (!connection.takes(accepted)) accepted.response_information.reset();  // A convenience, unlike the rest.
    if (session_of(connection)->kept) journal_.hold(connection);
    connection.send(accepted);
}

mqtt::Result<> Shard::handle(Connection& connection, const mqtt::Disconnect& disconnect, Instant now) {
    auto* session = session_of(connection);
    if (session == nullptr) {  // During authentication.
        refuse(connection, ReasonCode::Success, "the client gave up", now);
        return {};
    }
    if (disconnect.session_expiry_interval_seconds) {
        if (session->expiry_interval_seconds == 0 && *disconnect.session_expiry_interval_seconds != 0) {
            return mqtt::failure(ReasonCode::ProtocolError,
                                 "a session that ends now cannot be prolonged");  // 3.14.2.2.2
        }
        const auto asked = *disconnect.session_expiry_interval_seconds;
        session->expiry_interval_seconds = std::min(asked, config_.limits.session_expiry_max_seconds);
        if (session->expiry_interval_seconds < asked) counters_.reached(Bound::SessionExpiryMaxSeconds);
    }
    commons_.events.record({.kind = EventKind::ClientDisconnected,
                            .client_id = session->client_id,
                            .address = connection.peer.address,
                            .code = disconnect.reason_code,
                            .reason = disconnect.reason_string.value_or("the client disconnected")});
    flapping_.left(commons_.hash(session->client_id));
    // Only 0x00 takes the will back ([MQTT-3.14.4-3]); every other reason leaves it to be published.
    const auto will = disconnect.reason_code == ReasonCode::Success ? WillFate::Discard : WillFate::Publish;
    detach(connection, will, SessionFate::AsAgreed, now);
    finish(connection, now);
    return {};
}

void Shard::refuse(Connection& connection, ReasonCode code, std::string_view reason, Instant now,
                   std::string_view detail) {
    counters_.connects_refused.add();
    commons_.events.record({.kind = EventKind::ConnectRefused,
                            .client_id = connection.identity.client_id,
                            .user_name = connection.identity.user_name,
                            .address = connection.peer.address,
                            .code = code,
                            .reason = detail.empty() ? reason : detail});
    if (is_error(code)) code = mqtt::nearest_allowed(code, mqtt::PacketType::ConnAck, mqtt::Sender::Server);
    if (connection.connect_received && is_error(code) && (connection.v5() || has_return_code(code))) {
        mqtt::ConnAck refused{.reason_code = code};
        const bool moved = code == ReasonCode::UseAnotherServer || code == ReasonCode::ServerMoved;
        if (moved && redirect_new_) refused.server_reference = redirect_new_->server_reference;
        if (!connection.takes(refused)) refused.server_reference.reset();
        if (connection.takes(refused)) connection.send_with_reason(refused, reason, true);
    }
    finish(connection, now);
}

void Shard::close(Connection& connection, ReasonCode code, std::string_view reason, Instant now, SessionFate fate,
                  const Redirect* redirect) {
    switch (connection.state) {
        case Connection::State::AwaitingConnect:
        case Connection::State::Authenticating:
            return refuse(connection, code, reason, now);
        case Connection::State::HandingOver:
        case Connection::State::Closing:
            return;
        case Connection::State::Connected:
            break;
    }
    if (code == ReasonCode::ReceiveMaximumExceeded) counters_.reached(Bound::ReceiveMaximum);
    if (code == ReasonCode::TopicAliasInvalid) counters_.reached(Bound::TopicAliasMax);
    commons_.events.record({.kind = EventKind::ClientDisconnected,
                            .client_id = connection.identity.client_id,
                            .address = connection.peer.address,
                            .code = code,
                            .reason = reason});
    if (connection.v5()) {
        code = mqtt::nearest_allowed(code, mqtt::PacketType::Disconnect, mqtt::Sender::Server);
        mqtt::Disconnect goodbye{.reason_code = code};
        if (redirect != nullptr) goodbye.server_reference = redirect->server_reference;
        if (!connection.takes(goodbye)) goodbye.server_reference.reset();  // [MQTT-3.1.2-24]
        connection.send_with_reason(goodbye, reason, true);
    }
    detach(connection, WillFate::Publish, fate, now);
    finish(connection, now);
}

void Shard::finish(Connection& connection, Instant now) {
    abandon_authentication(connection);
    end_login(connection);
    connection.state = Connection::State::Closing;
    actions_.push_back(action::Close{connection.id});
    set_deadline(connection, now + close_timeout);
}

// The connection no longer serves its session.
void Shard::detach(Connection& connection, WillFate will, SessionFate fate, Instant now) {
    auto* session = session_of(connection);
    ASSERT(session != nullptr && session->connection() == &connection);
    connection.session = {};
    counters_.clients_connected.subtract();
    session->detach();
    settle(*session, now);
    const bool ends = fate == SessionFate::AsAgreed && session->expiry_interval_seconds == 0;
    if (ends && will == WillFate::Discard) session->will.reset();
    if (ends) return end_session(*session, now);
    // Before the will, which may be for a shared subscription that the session is a member of.
    const bool continues = fate == SessionFate::Continues;
    if (session->groups) update_groups(*session, now, continues ? std::vector<Delivery>{} : session->left_for_others());
    if (continues) return end_will(*session, will, fate, now);
    end_will(*session, will, fate, now);
    if (session->expiry_interval_seconds != mqtt::session_never_expires) {
        session->ends_at = now + std::chrono::seconds{session->expiry_interval_seconds};
    }
    set_deadline(*session);
    keep(*session);
}

void Shard::end_session(Session& session, Instant now) {
    if (session.connected()) {  // Its queue has overflowed, or an operator ends it.
        session.expiry_interval_seconds = 0;
        return close(*session.connection(), ReasonCode::QuotaExceeded, "the session was ended", now);
    }
    if (session.groups) return_group_deliveries(session, now);  // While their homes still know it.
    for (const auto& [text, subscription] : session.subscriptions) remove_subscription(session, subscription, now);
    session.subscriptions.clear();
    // [MQTT-3.1.2-8]: at the latest when the session ends. Its own subscriptions have gone before.
    if (session.will) publish_will(session, now);
    session.expiry_interval_seconds = 0;
    keep(session);
    session.abandon_deliveries();
    settle(session, now);
    counters_.sessions.subtract();
    commons_.sessions.fetch_sub(1, std::memory_order_relaxed);
    session_deadlines_.erase(decltype(sessions_)::slot_of(session.id));
    sessions_by_client_.erase(session.client_id);
    sessions_.erase(session.id);
}

}  // namespace chappe::broker
