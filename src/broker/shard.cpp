#include "broker/shard.h"

#include <algorithm>
#include <utility>

namespace chappe::broker {

using mqtt::ReasonCode;

namespace {

constexpr std::size_t matches_kept_max = 65'536;
// How many retained messages a shard looks at in a round, and a session in its turn.
constexpr std::size_t retained_looks_per_round = 4096;
constexpr std::size_t retained_looks_per_turn = 256;
constexpr auto retained_expiry_interval = 1s;  // How often expired retained messages are looked for.
constexpr auto retained_expiry_pause = 10ms;   // Between portions, when there are many.
// Bytes of acknowledgements and the like that a connection may have unsent, before unsent_bytes_max stops its reading.
constexpr std::size_t unsent_replies_max = 64 * 1024;
constexpr std::size_t unsent_replies_max_in_full_total = 8 * 1024;  // When unsent_bytes_total_max is reached.
// Beyond connections_max, so many more get an answer to their CONNECT; others are just closed.
constexpr std::uint32_t connections_answered_beyond_limit = 64;
constexpr auto keep_alive_pause = 1s;  // Between looks at a keep alive while nobody is read.

}  // namespace

Shard::Shard(ShardId shard, Commons& commons, ShardConfig config, std::uint64_t seed, Instant now)
    : id_(shard),
      commons_(commons),
      config_(std::move(config)),
      random_(seed),
      drop_log_(config_.drops_kept),
      unsent_(commons.unsent_bytes),
      retained_expiry_at_(shard.value == 0 ? now + retained_expiry_interval : Instant::max()),
      matches_(commons.tree, matches_kept_max),
      journal_(commons.journal, shard),
      retained_looks_left_(retained_looks_per_round),
      environment_{.accounts = {.limits = config_.limits, .counters = counters_, .total = commons.queued_bytes},
                   .policy = config_.policy,
                   .encoder = encoder_,
                   .retained = commons.retained,
                   .permissions = commons.permissions,
                   .permissions_generation = 1,
                   .events = events_,
                   .journal = journal_,
                   .hash = commons.hash,
                   .retained_readers = retained_readers_},
      sessions_by_client_(0, TextHashRef(commons.hash)),
      outboxes_(commons.shard_count) {}

Shard::~Shard() {
    commons_.connections.fetch_sub(static_cast<std::uint32_t>(connections_.size()), std::memory_order_relaxed);
    commons_.connections_before_login.fetch_sub(static_cast<std::uint32_t>(before_login_.size()),
                                                std::memory_order_relaxed);
    commons_.sessions.fetch_sub(static_cast<std::uint32_t>(sessions_.size()), std::memory_order_relaxed);
}

std::optional<ConnectionId> Shard::accept(Peer peer, Instant now) {
    counters_.sockets_accepted.add();
    const auto open = commons_.connections.load(std::memory_order_relaxed);
    // The operator comes in whatever is full: to find out why, and to make room.
    const bool over_limit = !peer.is_operator && open >= config_.limits.connections_max;
    if (over_limit) counters_.reached(Bound::ConnectionsMax);
    if (over_limit && open >= config_.limits.connections_max + connections_answered_beyond_limit) {
        commons_.events.record({.kind = EventKind::ConnectRefused,
                                .address = peer.address,
                                .code = ReasonCode::ServerBusy,
                                .reason = "connections_max is reached"});
        return std::nullopt;
    }
    if (!peer.is_operator) make_room_before_login(now);
    return adopt({.peer = std::move(peer), .opened_at = now, .over_limit = over_limit, .input = {}}, now);
}

// For one more that has not logged in. Whoever means to does so at once, so the one that has waited longest goes. Each
// shard has its share in any case: where strangers fill another one, nobody has to go here.
void Shard::make_room_before_login(Instant now) {
    const auto most = config_.limits.connections_before_login_max;
    const auto share = std::max<std::size_t>(most / commons_.shard_count, 1);
    const auto count = commons_.connections_before_login.load(std::memory_order_relaxed);
    if (count < most || before_login_.size() < share) return;
    counters_.reached(Bound::ConnectionsBeforeLoginMax);
    auto* first = connections_.find(before_login_.begin()->second);
    ASSERT(first != nullptr && first->state != Connection::State::HandingOver);
    refuse(*first, ReasonCode::ServerBusy, "connections_before_login_max is reached", now);
}

void Shard::begin_login(Connection& connection) {
    if (connection.peer.is_operator) return;
    connection.before_login = ++last_before_login_;
    before_login_.emplace(connection.before_login, connection.id);
    commons_.connections_before_login.fetch_add(1, std::memory_order_relaxed);
}

void Shard::end_login(Connection& connection) noexcept {
    if (before_login_.erase(std::exchange(connection.before_login, 0)) == 0) return;
    commons_.connections_before_login.fetch_sub(1, std::memory_order_relaxed);
}

void Shard::identify(ConnectionId id, std::shared_ptr<const Certificate> certificate,
                     std::shared_ptr<const std::string> psk_identity) noexcept {
    auto* connection = connections_.find(id);
    if (connection == nullptr) return;
    connection->peer.certificate = std::move(certificate);
    connection->peer.psk_identity = std::move(psk_identity);
}

void Shard::readdress(ConnectionId id, std::string address) noexcept {
    if (auto* connection = connections_.find(id)) connection->peer.address = std::move(address);
}

ConnectionId Shard::adopt(HandedOver handed_over, Instant now) {
    commons_.connections.fetch_add(1, std::memory_order_relaxed);
    counters_.connections.add();
    auto [id, connection] =
        connections_.emplace(std::move(handed_over.peer), counters_, unsent_, actions_, handed_over.opened_at);
    connection.over_limit = handed_over.over_limit;
    begin_login(connection);
    set_deadline(connection, handed_over.opened_at + std::chrono::seconds{config_.limits.connect_timeout_seconds});
    connection.input = std::move(handed_over.input);
    process_input(connection, now);
    return id;
}

std::optional<HandedOver> Shard::take_for_handover(ConnectionId id) {
    auto* connection = connections_.find(id);
    if (connection == nullptr || connection->state != Connection::State::HandingOver) return std::nullopt;
    HandedOver handed_over{.peer = connection->peer,
                           .opened_at = connection->opened_at,
                           .over_limit = connection->over_limit,
                           .input = std::move(connection->input)};
    erase(*connection);
    return handed_over;
}

bool Shard::may_read(ConnectionId id) const noexcept {
    const auto* connection = connections_.find(id);
    if (connection == nullptr || connection->reading_paused || mailboxes_full_ != 0 || shutting_down_) return false;
    return connection->state != Connection::State::HandingOver && connection->state != Connection::State::Closing;
}

void Shard::receive(ConnectionId id, Bytes bytes, Instant now) {
    auto* connection = connections_.find(id);
    if (connection == nullptr) return;
    counters_.bytes_received.add(bytes.size());
    if (!connection->input.empty()) {
        connection->input.append(bytes);
        return process_input(*connection, now);
    }
    const auto handled = process(*connection, bytes, now);
    connection->input.append(bytes.subspan(handled));
    count_unfinished(*connection, now);
    pause_or_resume_reading(*connection);
}

// Who sends a large packet slowly keeps its beginning here. Where all such beginnings take too much together, the one
// that would add to them is not waited for. What fits in a small buffer is: otherwise nobody could connect.
void Shard::count_unfinished(Connection& connection, Instant now) {
    constexpr std::size_t small = 4096;
    const auto size = connection.input.capacity();
    const auto counted = std::exchange(connection.input_counted, size);
    if (size == counted) return;
    const auto total = commons_.unfinished_bytes.fetch_add(size - counted, std::memory_order_relaxed) + size - counted;
    if (size < counted || size <= small || total <= config_.limits.unfinished_bytes_total_max) return;
    counters_.reached(Bound::UnfinishedBytesTotalMax);
    close(connection, ReasonCode::QuotaExceeded, "unfinished_bytes_total_max is reached", now);
    connection.input.release();
    count_unfinished(connection, now);
}

void Shard::process_input(Connection& connection, Instant now) {
    const auto handled = process(connection, connection.input.bytes(), now);
    connection.input.consume(handled);
    if (connection.input.empty()) connection.input.release();
    count_unfinished(connection, now);
    pause_or_resume_reading(connection);
}

// Handles the whole packets at the beginning of `bytes`, and returns how many bytes those were.
std::size_t Shard::process(Connection& connection, Bytes bytes, Instant now) {
    std::size_t handled = 0;
    while (handled != bytes.size() && connection.takes_packets()) {
        const auto rest = bytes.subspan(handled);
        const bool first = connection.state == Connection::State::AwaitingConnect;
        if (first && rest.front() >> 4 != std::to_underlying(mqtt::PacketType::Connect)) {
            refuse(connection, ReasonCode::ProtocolError, "the first packet is not CONNECT", now);  // [MQTT-3.1.0-1]
            break;
        }
        const bool accepted = connection.state == Connection::State::Connected;
        const auto frame =
            mqtt::frame(rest, accepted ? connection.accepted_packet_size_max : config_.limits.connect_packet_size_max);
        if (!frame) {
            if (frame.error().code == ReasonCode::PacketTooLarge) {
                counters_.reached(accepted ? Bound::PacketSizeMax : Bound::ConnectPacketSizeMax);
            }
            close(connection, frame.error().code, frame.error().reason, now);
            break;
        }
        if (!*frame) break;
        counters_.packets_received.add();
        if (!process_frame(connection, **frame, rest.first((*frame)->size), now)) break;
        handled += (*frame)->size;
    }
    return connection.state == Connection::State::Closing ? bytes.size() : handled;
}

// Returns whether the packet is done with; a CONNECT that goes to another shard is not.
bool Shard::process_frame(Connection& connection, const mqtt::Frame& frame, Bytes packet, Instant now) {
    connection.last_packet_at = reading_time(now);
    if (connection.state == Connection::State::AwaitingConnect) return handle_connect(connection, frame, packet, now);
    const auto handled = handle_frame(connection, frame, now);
    if (handled) return true;
    count_if_too_many(handled.error());
    close(connection, handled.error().code, handled.error().reason, now);
    return true;
}

mqtt::DecodeLimits Shard::decode_limits() const noexcept {
    return {.user_properties_max = config_.limits.user_properties_max,
            .filters_max = config_.limits.filters_per_packet_max};
}

void Shard::count_if_too_many(const mqtt::Error& error) noexcept {
    if (error.reason == mqtt::too_many_user_properties) counters_.reached(Bound::UserPropertiesMax);
    if (error.reason == mqtt::too_many_filters) counters_.reached(Bound::FiltersPerPacketMax);
}

mqtt::Result<> Shard::handle_frame(Connection& connection, const mqtt::Frame& frame, Instant now) {
    // Before what is in it: the faults of a packet that must not come have codes that the answer cannot have.
    if (frame.type == mqtt::PacketType::Connect) {
        return mqtt::failure(ReasonCode::ProtocolError, "a second CONNECT");  // [MQTT-3.1.0-2]
    }
    const bool connected = connection.state == Connection::State::Connected;
    if (!connected && frame.type != mqtt::PacketType::Auth && frame.type != mqtt::PacketType::Disconnect) {
        return mqtt::failure(ReasonCode::ProtocolError, "only AUTH may follow CONNECT here");  // [MQTT-3.1.2-30]
    }
    if (connected && frame.type == mqtt::PacketType::Publish) {
        TRY(mqtt::decode(frame, connection.version, mqtt::Sender::Client, publish_, decode_limits()));
        return handle(connection, publish_, now);
    }
    const auto packet = TRY(mqtt::decode(frame, connection.version, mqtt::Sender::Client, decode_limits()));
    return std::visit(
        [&]<class Packet>(const Packet& read) -> mqtt::Result<> {
            if constexpr (std::is_same_v<Packet, mqtt::PubAck> || std::is_same_v<Packet, mqtt::PubRec> ||
                          std::is_same_v<Packet, mqtt::PubComp>) {
                return handle_ack(connection, read, now);
            } else if constexpr (std::is_same_v<Packet, mqtt::PubRel>) {
                return handle(connection, read);
            } else if constexpr (std::is_same_v<Packet, mqtt::Subscribe> || std::is_same_v<Packet, mqtt::Unsubscribe> ||
                                 std::is_same_v<Packet, mqtt::Auth> || std::is_same_v<Packet, mqtt::Disconnect>) {
                return handle(connection, read, now);
            } else if constexpr (std::is_same_v<Packet, mqtt::PingReq>) {
                connection.send(mqtt::PingResp{});  // [MQTT-3.12.4-1]
                return {};
            } else {  // What only a server sends.
                return mqtt::failure(ReasonCode::ProtocolError, "a packet that a client must not send here");
            }
        },
        packet);
}

// A client that does not read its acknowledgements is not read either, so that they do not pile up. One that is merely
// slow to read what it subscribed to goes on to be read: its pings and acknowledgements must get through.
void Shard::pause_or_resume_reading(Connection& connection) {
    const auto unsent = connection.output.size();
    const bool full_total = connection.is_in_full_total(config_.limits.unsent_bytes_total_max);
    const auto unsent_max = full_total ? std::min(config_.limits.unsent_bytes_max, unsent_replies_max_in_full_total)
                                       : config_.limits.unsent_bytes_max;
    const bool full = connection.reading_paused
                          ? unsent > unsent_max / 2
                          : unsent > unsent_max && connection.reply_bytes() > std::min(unsent_replies_max, unsent_max);
    const bool pause = full || connection.awaits_authenticator();
    if (pause == connection.reading_paused) return;
    connection.reading_paused = pause;
    if (!pause) {
        actions_.push_back(action::ReadAgain{connection.id});
    } else if (full) {
        counters_.reached(full_total ? Bound::UnsentBytesTotalMax : Bound::UnsentBytesMax);
    }
}

const Output* Shard::begin_write(ConnectionId id) noexcept {
    auto* connection = connections_.find(id);
    if (connection == nullptr) return nullptr;
    connection->begin_write();
    return connection->output.writable() == 0 ? nullptr : &connection->output;
}

void Shard::sent(ConnectionId id, std::size_t bytes, Instant now) {
    auto* connection = connections_.find(id);
    if (connection == nullptr) return;
    counters_.bytes_sent.add(bytes);
    connection->sent(bytes);
    if (connection->reading_paused) connection->last_packet_at = reading_time(now);  // It takes bytes, so it is alive.
    pause_or_resume_reading(*connection);
    if (auto* session = session_of(*connection)) {
        session->pump(now);
        settle(*session, now);
    }
}

void Shard::disconnected(ConnectionId id, std::string_view why, Instant now) {
    auto* connection = connections_.find(id);
    if (connection == nullptr) return;
    abandon_authentication(*connection);
    if (connection->session.value != 0) {
        commons_.events.record({.kind = EventKind::ClientDisconnected,
                                .client_id = connection->identity.client_id,
                                .address = connection->peer.address,
                                .code = ReasonCode::UnspecifiedError,
                                .reason = why});
        detach(*connection, WillFate::Publish, SessionFate::AsAgreed, now);
    }
    erase(*connection);
}

void Shard::refused_by_transport(ConnectionId id, std::string_view why, Instant now) {
    const auto* connection = connections_.find(id);
    if (connection != nullptr && connection->session.value == 0) {
        counters_.connects_refused.add();
        commons_.events.record({.kind = EventKind::ConnectRefused,
                                .address = connection->peer.address,
                                .code = ReasonCode::NotAuthorized,
                                .reason = why});
    }
    disconnected(id, why, now);
}

void Shard::erase(Connection& connection) {
    end_login(connection);
    commons_.unfinished_bytes.fetch_sub(connection.input_counted, std::memory_order_relaxed);
    connection_deadlines_.erase(decltype(connections_)::slot_of(connection.id));
    counters_.connections.subtract();
    commons_.connections.fetch_sub(1, std::memory_order_relaxed);
    connections_.erase(connection.id);
}

Session* Shard::session_of(const Connection& connection) const noexcept { return sessions_.find(connection.session); }

const Session* Shard::find_session(std::string_view client_id) const {
    const auto found = sessions_by_client_.find(client_id);
    return found == sessions_by_client_.end() ? nullptr : sessions_.find(found->second);
}

std::optional<Instant> Shard::next_deadline() const {
    const auto next = std::min({connection_deadlines_.first_at(), session_deadlines_.first_at(), retained_expiry_at_});
    if (next == Instant::max()) return std::nullopt;
    return next;
}

void Shard::advance(Instant now) {
    while (connection_deadlines_.first_at() <= now) {
        const auto slot = connection_deadlines_.first();
        connection_deadlines_.erase(slot);
        on_deadline(*connections_.in_slot(slot), now);
    }
    while (session_deadlines_.first_at() <= now) {
        const auto slot = session_deadlines_.first();
        session_deadlines_.erase(slot);
        on_deadline(*sessions_.in_slot(slot), now);
    }
    if (retained_expiry_at_ <= now) remove_expired_retained(now);
}

void Shard::set_deadline(const Connection& connection, Instant at) {
    if (connection.state == Connection::State::Connected) at = std::min(at, connection.ends_at());
    if (at == Instant::max()) return connection_deadlines_.erase(decltype(connections_)::slot_of(connection.id));
    connection_deadlines_.set(decltype(connections_)::slot_of(connection.id), at);
}

void Shard::set_deadline(const Session& session) {
    const auto at = std::min(session.will_due_at.value_or(Instant::max()), session.ends_at.value_or(Instant::max()));
    const auto slot = decltype(sessions_)::slot_of(session.id);
    if (at == Instant::max()) {
        session_deadlines_.erase(slot);
    } else {
        session_deadlines_.set(slot, at);
    }
}

void Shard::on_deadline(Connection& connection, Instant now) {
    switch (connection.state) {
        case Connection::State::AwaitingConnect:
            counters_.reached(Bound::ConnectTimeoutSeconds);
            return refuse(connection, ReasonCode::MaximumConnectTime, "no complete CONNECT in time", now);
        case Connection::State::Authenticating:
            counters_.reached(Bound::ConnectTimeoutSeconds);
            return refuse(connection, ReasonCode::NotAuthorized, "the authentication took too long", now);
        case Connection::State::Connected:
            if (connection.ends_at() <= now) return end_in_time(connection, now);
            return check_keep_alive(connection, now);
        case Connection::State::HandingOver:
            return;
        case Connection::State::Closing:
            actions_.push_back(action::Abort{connection.id});
            return;
    }
}

void Shard::check_keep_alive(Connection& connection, Instant now) {
    const auto limit = connection.keep_alive_limit();
    if (!limit) return set_deadline(connection, Instant::max());
    const auto left = connection.last_packet_at + *limit - reading_time(now);
    if (left > Duration::zero()) {
        return set_deadline(connection,
                            now + (mailboxes_full_ == 0 ? left : std::max<Duration>(left, keep_alive_pause)));
    }
    close(connection, ReasonCode::KeepAliveTimeout, "nothing received for 1.5 times the keep alive", now);
}

// A deadline that comes too early is looked at and set again.
void Shard::await_next_packet(const Connection& connection) {
    const auto limit = connection.keep_alive_limit();
    set_deadline(connection, limit ? connection.last_packet_at + *limit : Instant::max());
}

void Shard::end_in_time(Connection& connection, Instant now) {
    if (connection.authentication_until <= now) {
        counters_.reached(Bound::ConnectTimeoutSeconds);
        return close(connection, ReasonCode::NotAuthorized, "the authentication took too long", now);
    }
    close(connection, ReasonCode::MaximumConnectTime, "what it has authenticated with has expired", now);
}

// A clock that stands still while this shard reads nobody, since another has not emptied its mailbox: that silence is
// not the clients'.
Instant Shard::reading_time(Instant now) const noexcept {
    return (mailboxes_full_ == 0 ? now : reading_stopped_at_) - not_reading_;
}

void Shard::on_deadline(Session& session, Instant now) {
    ASSERT(!session.connected());
    const bool ends = session.ends_at && *session.ends_at <= now;  // And publishes its will then.
    if (!ends && session.will_due_at && *session.will_due_at <= now) publish_will(session, now);
    if (!ends) return set_deadline(session);
    counters_.sessions_expired.add();
    commons_.events.record({.kind = EventKind::SessionExpired, .client_id = session.client_id});
    end_session(session, now);
}

void Shard::remove_expired_retained(Instant now) {
    const bool more = commons_.retained.remove_expired(now) == RetainedStore::remove_expired_max;
    retained_expiry_at_ = now + (more ? Duration{retained_expiry_pause} : Duration{retained_expiry_interval});
}

// For sessions with new subscriptions, in turns. What is left when enough has been done for this round is for the next
// one: a wake-up of our own sees to it that there is one soon, after what else has happened.
void Shard::send_retained(Instant now) {
    while (!retained_readers_.empty() && retained_looks_left_ != 0) {
        auto* session = sessions_.find(retained_readers_.pop_front());
        if (session == nullptr) continue;
        const auto turn = std::min(retained_looks_left_, retained_looks_per_turn);
        auto looks = turn;
        if (session->send_retained(looks, now)) retained_readers_.push_back(session->id);
        retained_looks_left_ -= turn - looks;
        settle(*session, now);
    }
    if (retained_readers_.empty()) return retained_readers_.clear_and_free();
    ask_for_own_wake();
}

void Shard::ask_for_own_wake() {
    if (!std::exchange(own_wake_asked_, true)) actions_.push_back(action::Wake{id_});
}

void Shard::post(ShardId to, Mail mail, std::size_t bytes) {
    ASSERT(to != id_);
    auto& outbox = outboxes_[to.value];
    // That a mailbox is empty again must not fill one: two shards would tell each other for ever.
    const bool counts = !std::holds_alternative<mail::MailboxEmptied>(mail);
    outbox.mail.push_back(std::move(mail));
    if (counts) outbox.bytes += sizeof(Mail) + bytes;
}

void Shard::end_round(Instant now) {
    for (const auto id : std::exchange(overflowed_, {})) {
        if (auto* session = sessions_.find(id)) end_session(*session, now);
    }
    send_retained(now);
    revoke_some(now);
    journal_.commit();
    for (std::uint16_t to = 0; to != outboxes_.size(); ++to) {
        auto& outbox = outboxes_[to];
        if (outbox.mail.empty()) continue;
        auto& mailbox = commons_.mailboxes[to];
        if (mailbox.put(outbox.mail, std::exchange(outbox.bytes, 0))) actions_.push_back(action::Wake{ShardId{to}});
        if (mailbox.full_for(id_, config_.limits.mailbox_bytes_max)) {
            if (mailboxes_full_++ == 0) reading_stopped_at_ = now;
            counters_.reached(Bound::MailboxBytesMax);
        }
    }
    encoder_.forget();
    release_large();
}

// One large packet must not leave its memory with the shard. What most have in common is kept: small buffers.
void Shard::release_large() {
    constexpr std::size_t kept_bytes_max = 64 * 1024;
    encoder_.release_larger(kept_bytes_max);
    if (properties_.capacity() > kept_bytes_max) properties_.release();
    const auto decoded_bytes =
        publish_.properties.user_properties.capacity() * sizeof(mqtt::UserProperties::value_type);
    if (decoded_bytes > kept_bytes_max) publish_ = {};
}

std::size_t Shard::read_mail(Instant now) {
    retained_looks_left_ = retained_looks_per_round;
    own_wake_asked_ = false;
    senders_waiting_.clear();
    commons_.mailboxes[id_.value].take(arrived_, senders_waiting_);
    const auto read = arrived_.size();
    for (auto& mail : arrived_) {
        std::visit(
            [&]<class Kind>(Kind& arrived) {
                if constexpr (std::is_same_v<Kind, mail::Publication>) {
                    receive_publication(arrived, now);
                } else if constexpr (std::is_same_v<Kind, mail::Receipt>) {
                    receive_receipt(arrived, now);
                } else if constexpr (std::is_same_v<Kind, mail::Injected>) {
                    publish(arrived.message, now);
                } else if constexpr (std::is_same_v<Kind, mail::MemberDelivery>) {
                    receive_member_delivery(arrived, now);
                } else if constexpr (std::is_same_v<Kind, mail::MailboxEmptied>) {
                    mailbox_emptied(now);
                } else {
                    handle_group_mail(arrived, now);
                }
            },
            mail);
    }
    arrived_.clear();
    end_early_groups(now);
    for (const auto sender : senders_waiting_) post(sender, mail::MailboxEmptied{});
    return read;
}

void Shard::mailbox_emptied(Instant now) {
    ASSERT(mailboxes_full_ != 0);  // Each mailbox that this shard waits for says so once.
    if (--mailboxes_full_ != 0) return;
    not_reading_ += now - reading_stopped_at_;
    actions_.push_back(action::ReadAllAgain{});
}

std::vector<Action>& Shard::take_actions() {
    taken_actions_.clear();
    taken_actions_.swap(actions_);
    return taken_actions_;
}

void Shard::publish(const MessagePtr& message, Instant now) {
    if (message->retain() && !retain(message)) {
        count_drop("", *message, DropReason::RetainedFull, now);
    }
    route(message, {}, now);
}

}  // namespace chappe::broker
