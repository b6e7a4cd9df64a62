#pragma once

// One shard of the broker: the sessions whose client identifiers hash to it, their connections, and the shared
// subscriptions that have their home here. It is told what has happened (bytes, mail, time) and answers with Actions;
// it does no input or output, and is used by one thread. Shards meet only in the Commons and by mail.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/deadline_heap.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/time.h"
#include "broker/action.h"
#include "broker/commons.h"
#include "broker/connection.h"
#include "broker/counters.h"
#include "broker/flapping_clients.h"
#include "broker/journal_writer.h"
#include "broker/limits.h"
#include "broker/mail.h"
#include "broker/match_cache.h"
#include "broker/ports.h"
#include "broker/publish_encoder.h"
#include "broker/session.h"
#include "broker/shared_group.h"
#include "broker/slot_map.h"
#include "broker/unsent_bytes.h"
#include "mqtt/decoder.h"

namespace chappe::broker {

// Another server for clients to use (4.13): Server moved, or for now only.
struct Redirect {
    std::string server_reference;
    bool permanent = false;
};

// Why a client may not stay.
struct Farewell {
    mqtt::ReasonCode code;
    std::string_view reason;
    bool ends_session = false;  // Or else it is there for when the client may come again.
};

// Asked about each session; the address is that of its connection, and empty while the client is away.
using Judge = std::function<std::optional<Farewell>(const Identity& who, std::string_view address)>;

struct ShardConfig {
    Limits limits;
    Policy policy;
    std::string response_topic_prefix = "response";  // Response Information is PREFIX/CLIENT-ID/; empty: none is given.
    std::size_t drops_kept = 1000;
};

// A connection on its way from the shard that accepted it to its home.
struct HandedOver {
    Peer peer;
    Instant opened_at;
    bool over_limit = false;
    Buffer input;  // The CONNECT packet and what came after it.
};

class Shard {
public:
    Shard(ShardId id, Commons& commons, ShardConfig config, std::uint64_t seed, Instant now);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    ~Shard();

    // --- Connections. Ids of connections that are gone are ignored, so a caller need not look first.

    // A connection has been accepted. Nothing when there are so many that it is not even worth an answer: close it.
    [[nodiscard]] std::optional<ConnectionId> accept(Peer peer, Instant now);
    // What TLS has found out of the client: its certificate, verified, or whose preshared key it has. Before the first
    // receive().
    void identify(ConnectionId id, std::shared_ptr<const Certificate> certificate,
                  std::shared_ptr<const std::string> psk_identity) noexcept;
    // A proxy has said whom it speaks for. Before the first receive().
    void readdress(ConnectionId id, std::string address) noexcept;
    [[nodiscard]] std::optional<HandedOver> take_for_handover(ConnectionId id);
    [[nodiscard]] ConnectionId adopt(HandedOver handed_over, Instant now);

    // Whether bytes of this connection are wanted now. When not, a ReadAgain or ReadAllAgain will follow.
    [[nodiscard]] bool may_read(ConnectionId id) const noexcept;
    void receive(ConnectionId id, Bytes bytes, Instant now);

    // What to write; nullptr when the connection is gone or has nothing. Report with sent() what was written.
    [[nodiscard]] const Output* begin_write(ConnectionId id) noexcept;
    void sent(ConnectionId id, std::size_t bytes, Instant now);

    // The network connection is closed, by the peer, by an error (`why` for the log), or as an action asked.
    void disconnected(ConnectionId id, std::string_view why, Instant now);
    // The same, because what carries it was refused before there was a CONNECT, as TLS does.
    void refused_by_transport(ConnectionId id, std::string_view why, Instant now);

    // The answer of an Authenticator that did not answer at once.
    void authenticated(Ticket ticket, const Verdict& verdict, Instant now);

    // The Journal has made this batch permanent, or (`written` is false) could not.
    void committed(JournalBatch batch, bool written, Instant now);

    // --- Time and mail.
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    void advance(Instant now);
    // Returns how much there was.
    std::size_t read_mail(Instant now);
    // Ends what must end and posts what other shards are owed. Call it after each round, before anything is written.
    void end_round(Instant now);

    // The actions since this was last called. The reference holds until the next call of any function.
    [[nodiscard]] std::vector<Action>& take_actions();

    // --- For the operator and for features, on this shard's thread.
    void publish(const MessagePtr& message, Instant now);
    void configure(ShardConfig config);
    // Ends the connection of a client with this reason; false when it is not here.
    bool disconnect_client(std::string_view client_id, mqtt::ReasonCode code, Instant now);
    // The Permissions answer otherwise than before: subscriptions that are not permitted any more end, in portions, and
    // nothing that was denied since is delivered from now on.
    void permissions_changed();
    // Ends the connections of clients who may not stay, and the sessions of those whose Farewell says so.
    void dismiss(const Judge& judge, Instant now);
    // Sends one client, or all, to another server. Returns how many were told; clients older than 5.0 can't be, and
    // stay.
    std::size_t redirect_clients(std::optional<std::string_view> client_id, const Redirect& redirect, Instant now);
    // From now on, new clients are sent to another server; nothing: no longer.
    void redirect_new_clients(std::optional<Redirect> redirect) { redirect_new_ = std::move(redirect); }
    // The first of two steps to the end: publishes the wills of all who are connected and whose will is due with their
    // connection, and reads nothing more from clients. They may be owed what other shards publish here, so no shard may
    // take the second step before the mail of all has been read.
    void begin_shutdown(Instant now);
    // The second: says goodbye to all clients, with 0x8B.
    void shut_down(Instant now);

    [[nodiscard]] const Counters& counters() const noexcept { return counters_; }
    [[nodiscard]] const DropLog& drop_log() const noexcept { return drop_log_; }
    [[nodiscard]] std::size_t connection_count() const noexcept { return connections_.size(); }
    [[nodiscard]] ShardId id() const noexcept { return id_; }
    // nullptr where the client has no session here. For tests and listings.
    [[nodiscard]] const Session* find_session(std::string_view client_id) const;

private:
    enum class WillFate : std::uint8_t { Publish, Discard };
    enum class SessionFate : std::uint8_t { AsAgreed, Continues };

    struct PublishVerdict {
        bool matched = false;
        bool rejected = false;
        bool lost = false;  // The Journal could not write it.
    };

    // A PUBLISH whose acknowledgement waits for other shards, for the Journal, or both.
    struct PendingPublish {
        PendingPublish(PendingId pending, SessionId publisher, mqtt::PacketId packet, mqtt::QoS packet_qos)
            : id(pending), session(publisher), packet_id(packet), qos(packet_qos) {}

        PendingId id;
        SessionId session;
        mqtt::PacketId packet_id;
        mqtt::QoS qos;
        std::uint32_t receipts_awaited = 0;  // From shards, and one for the Journal.
        PublishVerdict verdict;
    };

    enum class Ack : std::uint8_t { New, Owed };

    struct Routed {
        PublishVerdict verdict;
        std::uint32_t receipts_awaited = 0;
    };

    // What happens when a batch of the Journal has been committed.
    struct AwaitedCommit {
        JournalBatch batch = 0;
        PublishToken token;
        bool rejected = false;
    };

    struct Outbox {
        std::vector<Mail> mail;
        std::size_t bytes = 0;
    };

    // --- shard.cpp: the rounds.
    [[nodiscard]] std::size_t process(Connection& connection, Bytes bytes, Instant now);
    [[nodiscard]] bool process_frame(Connection& connection, const mqtt::Frame& frame, Bytes packet, Instant now);
    [[nodiscard]] mqtt::DecodeLimits decode_limits() const noexcept;
    void count_if_too_many(const mqtt::Error& error) noexcept;
    [[nodiscard]] mqtt::Result<> handle_frame(Connection& connection, const mqtt::Frame& frame, Instant now);
    void process_input(Connection& connection, Instant now);
    void count_unfinished(Connection& connection, Instant now);
    void pause_or_resume_reading(Connection& connection);
    void set_deadline(const Connection& connection, Instant at);
    void set_deadline(const Session& session);
    void on_deadline(Connection& connection, Instant now);
    void on_deadline(Session& session, Instant now);
    void check_keep_alive(Connection& connection, Instant now);
    void await_next_packet(const Connection& connection);
    void end_in_time(Connection& connection, Instant now);
    void ask_for_own_wake();
    [[nodiscard]] Instant reading_time(Instant now) const noexcept;
    void mailbox_emptied(Instant now);
    void remove_expired_retained(Instant now);
    void release_large();
    void send_retained(Instant now);
    void post(ShardId to, Mail mail, std::size_t bytes = 0);
    void erase(Connection& connection);
    void make_room_before_login(Instant now);
    void begin_login(Connection& connection);
    void end_login(Connection& connection) noexcept;
    [[nodiscard]] Session* session_of(const Connection& connection) const noexcept;

    // --- shard_connect.cpp: how connections and sessions begin and end.
    [[nodiscard]] bool handle_connect(Connection& connection, const mqtt::Frame& frame, Bytes packet, Instant now);
    [[nodiscard]] bool keep_out_flapping(Connection& connection, Instant now);
    void note_connected(const Connection& connection, const mqtt::Connect& connect, Instant now);
    [[nodiscard]] mqtt::Result<> check_connect(Connection& connection, const mqtt::Connect& connect);
    [[nodiscard]] std::string assign_client_id();
    void apply(Connection& connection, const Verdict& verdict, Instant now);
    void decide(Connection& connection, const mqtt::Connect& connect, const Verdict& verdict, Instant now);
    void decide_again(Connection& connection, const Verdict& verdict, Instant now);
    [[nodiscard]] Ticket next_ticket(Connection& connection) const noexcept;
    void abandon_authentication(Connection& connection);
    void take_identity(Connection& connection, Session& session, const Verdict& verdict);
    void send_auth(Connection& connection, mqtt::ReasonCode code, const Verdict& verdict, Instant now);
    void open_session(Connection& connection, const mqtt::Connect& connect, const Verdict& verdict, Instant now);
    [[nodiscard]] Session* find_or_create_session(const Connection& connection, const mqtt::Connect& connect,
                                                  bool& present, Instant now);
    // Ends what the connection must not find: another connection, and the session where it is not continued.
    void end_predecessors(Session& session, const Connection& connection, bool clean_start, Instant now);
    [[nodiscard]] bool has_bytes_for_session(const Connection& connection, const mqtt::Connect& connect);
    void agree(Connection& connection, Session& session, const mqtt::Connect& connect);
    [[nodiscard]] std::uint32_t agreed_session_expiry(const mqtt::Connect& connect) const;
    [[nodiscard]] std::uint16_t agreed_keep_alive(const mqtt::Connect& connect) const;
    [[nodiscard]] mqtt::ConnAck make_acceptance(const Connection& connection, const mqtt::Connect& connect,
                                                const Verdict& verdict) const;
    void accept_connect(Connection& connection, const mqtt::Connect& connect, mqtt::ConnAck accepted, bool present);
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::Auth& auth, Instant now);
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::Disconnect& disconnect, Instant now);
    // `detail` is for the log, in place of the reason.
    void refuse(Connection& connection, mqtt::ReasonCode code, std::string_view reason, Instant now,
                std::string_view detail = {});
    // Ends a connection for a fault of the client or at our own wish: the last packet says why, as far as there is one.
    void close(Connection& connection, mqtt::ReasonCode code, std::string_view reason, Instant now,
               SessionFate fate = SessionFate::AsAgreed, const Redirect* redirect = nullptr);
    void finish(Connection& connection, Instant now);
    void detach(Connection& connection, WillFate will, SessionFate fate, Instant now);
    void end_session(Session& session, Instant now);

    // --- shard_will.cpp
    [[nodiscard]] std::size_t will_bytes(const mqtt::Will& will, const Identity& identity);
    void set_will(Session& session, const mqtt::Connect& connect, const Identity& identity);
    void end_will(Session& session, WillFate fate, SessionFate session_fate, Instant now);
    void publish_will(Session& session, Instant now);

    // --- shard_publish.cpp: from a publisher to sessions.
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::Publish& publish, Instant now);
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::PubRel& release);
    template <class Ack>
    [[nodiscard]] mqtt::Result<> handle_ack(Connection& connection, const Ack& ack, Instant now);
    [[nodiscard]] mqtt::Result<> check_topic(std::string_view topic);
    [[nodiscard]] mqtt::Result<> check_length(std::string_view topic);
    [[nodiscard]] mqtt::Result<> check_levels(std::string_view topic);
    [[nodiscard]] mqtt::Result<> count_unacknowledged(Connection& connection, Session& session,
                                                      const mqtt::Publish& publish);
    [[nodiscard]] mqtt::Result<> count_one(Connection& connection);
    [[nodiscard]] mqtt::Result<> acknowledge_again(Connection& connection, const Session& session,
                                                   const mqtt::Publish& publish, bool counted);
    [[nodiscard]] mqtt::Result<> refuse_publish(Connection& connection, const mqtt::Publish& publish,
                                                std::string_view topic, mqtt::ReasonCode code, std::string_view reason,
                                                Instant now);
    [[nodiscard]] MessagePtr make_message(const mqtt::Publish& publish, std::string_view topic, ClientKey publisher,
                                          Instant now);
    [[nodiscard]] bool retain(const MessagePtr& message);
    [[nodiscard]] mqtt::Result<> route_acknowledged(Connection& connection, Session& session,
                                                    const mqtt::Publish& publish, const MessagePtr& message,
                                                    std::uint64_t written_before, Instant now);
    [[nodiscard]] mqtt::Result<> acknowledge(Connection& connection, Session& session, mqtt::PacketId packet_id,
                                             mqtt::QoS qos, PublishVerdict verdict, Ack ack);
    Routed route(const MessagePtr& message, PublishToken token, Instant now);
    // Whether somebody's full queue rejected it.
    bool deliver(const MessagePtr& message, std::span<const Subscription> subscriptions, Instant now);
    bool deliver_to_session(const MessagePtr& message, std::span<const Subscription> subscriptions, Instant now);
    void settle(Session& session, Instant now);
    void count_drop(std::string_view client_id, const Message& message, DropReason reason, Instant now);
    void count_drop(std::string_view client_id, std::string_view topic, DropReason reason, Instant now);
    void receive_receipt(const mail::Receipt& receipt, Instant now);

    // --- shard_permissions.cpp
    void revoke(Session& session, Instant now);
    [[nodiscard]] bool keeps_permission(Session& session, SessionSubscription& subscription, Instant now);
    void revoke_some(Instant now);

    // --- shard_journal.cpp
    // Writes down what was agreed for the session, or that it is no longer kept.
    void keep(Session& session);
    void keep_will(const Session& session);
    std::unique_ptr<StoredWill> take_will(Session& session);
    void receive_publication(const mail::Publication& publication, Instant now);
    void answer(PublishToken token, bool rejected, bool lost, Instant now);

    // --- shard_subscribe.cpp
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::Subscribe& subscribe, Instant now);
    [[nodiscard]] mqtt::Result<> handle(Connection& connection, const mqtt::Unsubscribe& unsubscribe, Instant now);
    [[nodiscard]] mqtt::Result<mqtt::ReasonCode> subscribe_one(Connection& connection, Session& session,
                                                               const mqtt::Subscribe::Entry& entry,
                                                               std::uint32_t identifier, Instant now);
    [[nodiscard]] std::optional<Bound> in_the_way_of_subscription(const Session& session) const;
    void enter(Session& session, const SessionSubscription& subscription, bool is_new, Instant now);
    void remove_subscription(Session& session, const SessionSubscription& subscription, Instant now);

    // --- shard_groups.cpp: shared subscriptions.
    [[nodiscard]] GroupMember member_of(const Session& session, const SessionSubscription& subscription) const;
    void join_group(Session& session, const SessionSubscription& subscription, bool is_new, Instant now);
    void leave_group(Session& session, const SessionSubscription& subscription, Instant now);
    // The session has come or gone: tells the homes of its shared subscriptions, and what it left for others.
    void update_groups(Session& session, Instant now, std::vector<Delivery> left = {});
    // The session ends: gives back what it has not acknowledged.
    void return_group_deliveries(Session& session, Instant now);
    void return_to_home(mail::MemberReturned returned, Instant now);
    void report_done(mail::MemberDone done, Instant now);
    void report_room(Session& session, Instant now);
    [[nodiscard]] bool deliver_to_member(SessionId member, const Delivery& delivery, Instant now);
    void receive_member_delivery(mail::MemberDelivery& arrived, Instant now);
    void send_home(GroupId group, Mail mail, Instant now, std::size_t bytes = 0);

    // The same, at the home.
    [[nodiscard]] SharedGroup& group_at_home(GroupId id);
    void end_group(SharedGroup& group, Instant now);
    void end_early_groups(Instant now);
    bool deliver_to_group(GroupId id, const MessagePtr& message, Instant now);
    [[nodiscard]] bool queue_for_group(const SharedGroup& group, GroupQueue& queue, Delivery delivery, Instant now);
    void drop_expired_from_group(const SharedGroup& group, GroupQueue& queue, Instant now);
    [[nodiscard]] SharedGroup::Choice choice() noexcept;
    [[nodiscard]] GroupQueue* place(SharedGroup& group, const Delivery& waiting, Instant now);
    [[nodiscard]] bool give(SharedGroup& group, SharedGroup::Member& member, const Delivery& waiting, Instant now);
    void pump_group(SharedGroup& group, std::span<SharedGroup::Member> backlogs, Instant now);
    void stop_awaiting_recalls(SharedGroup& group, Instant now);
    void give_out(SharedGroup& group, std::span<SharedGroup::Member> backlogs, Instant now);
    void recall(SharedGroup& group, Instant now);
    void pump_backlog(SharedGroup& group, SharedGroup::Member& member, Instant now);
    void pump_queue(SharedGroup& group, std::size_t messages_max, Instant now);
    void handle_group_mail(mail::RefusalSeen& seen, Instant now);
    void handle_group_mail(mail::MemberReady& ready, Instant now);
    void handle_group_mail(mail::NothingWaits& nothing, Instant now);
    void handle_group_mail(mail::MemberRecall& recall, Instant now);
    void handle_group_mail(mail::MemberUpdate& update, Instant now);
    void handle_group_mail(mail::MemberLeft& left, Instant now);
    void handle_group_mail(mail::MemberDone& done, Instant now);
    void handle_group_mail(mail::MemberReturned& returned, Instant now);

    const ShardId id_;
    Commons& commons_;
    ShardConfig config_;
    Random random_;
    Counters counters_;
    DropLog drop_log_;
    UnsentBytes unsent_;
    std::vector<Action> actions_;
    std::vector<Action> taken_actions_;
    DeadlineHeap connection_deadlines_;  // By slot, one each: what it is for follows from the connection's state.
    DeadlineHeap session_deadlines_;  // By slot: the end of a disconnected session, or its will if that is due before.
    Instant retained_expiry_at_;      // On one shard only, elsewhere Instant::max().

    MatchCache matches_;
    PublishEncoder encoder_;
    SessionEvents events_;
    SessionEvents spare_events_;
    JournalWriter journal_;
    Ring<AwaitedCommit> awaited_commits_;
    Ring<SessionId> retained_readers_;  // Sessions that take turns in reading what is retained.
    std::size_t retained_looks_left_;   // Until mail is read again.
    bool own_wake_asked_ = false;
    std::size_t next_to_revoke_ = 0;  // A slot of sessions_.
    bool revoking_ = false;
    SessionEnvironment environment_;

    SlotMap<SessionId, Session> sessions_;
    std::unordered_map<std::string_view, SessionId, TextHashRef> sessions_by_client_;  // Keys point into the sessions.
    SlotMap<ConnectionId, Connection> connections_;
    std::map<std::uint64_t, ConnectionId> before_login_;  // In the order in which they came.
    std::uint64_t last_before_login_ = 0;
    FlappingClients flapping_;
    std::unordered_map<GroupId, SharedGroup> groups_;
    SlotMap<PendingId, PendingPublish> pending_;

    std::vector<Outbox> outboxes_;
    std::vector<Mail> arrived_;
    std::vector<ShardId> senders_waiting_;
    std::uint32_t mailboxes_full_ = 0;  // That this shard waits for, and so does not read its publishers.
    Instant reading_stopped_at_;        // While there are such.
    Duration not_reading_{0};           // How long that was, in all, before.
    std::optional<Redirect> redirect_new_;
    mqtt::Publish publish_;  // Decoded into again and again.
    Buffer properties_;      // Likewise.
    std::vector<std::uint32_t> identifiers_;
    std::vector<GroupId> early_groups_;  // Made for a message that came before the first member's MemberUpdate.
    std::vector<SessionId> overflowed_;  // when_full = end_session.
    std::uint64_t assigned_client_ids_ = 0;
    bool shutting_down_ = false;
};

}  // namespace chappe::broker
