#pragma once

// What the broker keeps for one client (4.1): subscriptions, messages under way in both directions, the will. It may
// outlive the network connection. Owned by its home shard. It sends through the Connection it is attached to, and tells
// what else became of messages in SessionEvents, which the shard reads after each call.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "broker/connection.h"
#include "broker/counted_bytes.h"
#include "broker/counters.h"
#include "broker/delivery.h"
#include "broker/inflight_window.h"
#include "broker/journal_writer.h"
#include "broker/limits.h"
#include "broker/memberships.h"
#include "broker/message_queue.h"
#include "broker/publish_encoder.h"
#include "broker/retained_store.h"
#include "mqtt/packet.h"
#include "mqtt/topic.h"

namespace chappe::broker {

// What calls of a Session bring about beyond the packets that they send.
struct SessionEvents {
    struct Loss {
        MessagePtr message;
        DropReason reason;
    };

    std::vector<Loss> losses;
    std::vector<GroupRef> completed;  // One for each message of a shared subscription that its member is done with.
    bool room_promised = false;       // To a shared subscription, whose home is to be told.
    bool queue_overflowed = false;    // when_full = end_session: the shard ends the session.

    [[nodiscard]] bool empty() const noexcept {
        return losses.empty() && completed.empty() && !room_promised && !queue_overflowed;
    }
    void clear() {
        losses.clear();
        completed.clear();
        room_promised = false;
        queue_overflowed = false;
    }
};

// A will waiting for its occasion (3.1.2.5).
struct StoredWill {
    std::string topic;
    std::string payload;
    Buffer properties;  // As mqtt::encode_forwarded_properties() writes them.
    mqtt::QoS qos;
    bool retain;
    std::optional<std::uint32_t> expiry_interval_seconds;
    std::uint32_t delay_interval_seconds;
    Identity identity;          // On whose behalf: permissions are asked when it is published.
    CountedBytes counted = {};  // In Commons::session_bytes.
};

struct SessionSubscription {
    mqtt::TopicFilter filter;
    mqtt::SubscriptionOptions options;
    std::uint32_t identifier = 0;
    RetainedStamp retained_until = 0;  // 0: all retained messages that it was owed have been sent.

    // The memory it takes besides the filter's nodes in the topic tree: the text twice, here and as its key, and its
    // places in the map, among the subscribers of the filter, and among those that wait for retained messages.
    [[nodiscard]] std::size_t size_bytes() const noexcept {
        return sizeof(SessionSubscription) + 2 * filter.text().size() + 128 + 48;
    }
};

// What all sessions of a shard work with.
struct SessionEnvironment {
    QueueAccounts accounts;
    const Policy& policy;
    PublishEncoder& encoder;
    const RetainedStore& retained;
    const Permissions& permissions;
    std::uint32_t permissions_generation;  // Another one each time that they may have changed.
    SessionEvents& events;
    JournalWriter& journal;
    const TextHash& hash;
    Ring<SessionId>& retained_readers;  // Those that send_retained() is to be called for.
};

class Session {
public:
    enum class Taken : std::uint8_t {
        Yes,       // Sent, queued, or dropped as the standard or the operator asks; counted if dropped.
        Rejected,  // The queue is full and the publisher shall know (when_full = reject).
    };

    Session(SessionId id, std::string client_id, SessionEnvironment& environment);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const SessionId id;
    const std::string client_id;
    const ClientKey key;

    Identity identity;     // Of the client that connected last.
    CountedBytes counted;  // In Commons::session_bytes.
    std::uint32_t expiry_interval_seconds = 0;
    std::optional<Instant> ends_at;      // While disconnected, unless it never expires.
    std::optional<Instant> will_due_at;  // While a delayed will waits.
    std::unique_ptr<StoredWill> will;
    std::unique_ptr<Memberships> groups;  // Null: it has never been in a shared subscription.
    bool kept = false;                    // In the Journal: all that changes is written there.
    bool drop_reported = false;           // A dropped message of this session has been logged.
    // By filter as subscribed. Strangers choose them, so the hash is keyed.
    std::unordered_map<std::string, SessionSubscription, TextHashRef, std::equal_to<>> subscriptions;

    // The memory it takes without will, subscriptions and messages: the client identifier is there twice, and its
    // place among the sessions of the shard counts as well.
    [[nodiscard]] static std::size_t size_bytes(const Identity& identity) noexcept {
        return sizeof(Session) + identity.client_id.size() + identity.size_bytes() + 128;
    }

    // --- The connection.
    [[nodiscard]] Connection* connection() const noexcept { return connection_; }
    [[nodiscard]] bool connected() const noexcept { return connection_ != nullptr; }
    // Begins on a new connection; `send_quota` is the client's Receive Maximum, or our bound where that is lower.
    void attach(Connection& connection, std::uint16_t send_quota) noexcept;
    // Sends again what was unacknowledged ([MQTT-4.4.0-1]) and then what is queued.
    void resume(Instant now);
    void detach();

    // --- To the client.
    // Whether the client may receive it by the rules of this moment. They may change while a message waits, so this is
    // asked when it comes, when it leaves the queue, and before it is sent again.
    [[nodiscard]] bool may_receive(const Message& message) const;
    // The identity is another one than before, or may do other things.
    void identity_changed() noexcept { permissions_generation_ = 0; }
    // One message for this session. `identifiers` and `retain` are those of the matching subscriptions.
    Taken deliver(const MessagePtr& message, mqtt::QoS qos, bool retain, std::span<const std::uint32_t> identifiers,
                  Instant now);
    // This subscription of the session is owed what was retained up to this stamp, from the beginning if it has got a
    // part of it before. They are not fetched before the client takes them, so however many there are, what waits for
    // them is one entry for each subscription; it outlives the connection.
    void owe_retained(SessionSubscription& subscription, RetainedStamp until);
    // The subscription ends.
    void forget_retained(const SessionSubscription& subscription);
    // Sends a part of them, looking at no more than `looks` retained messages and taking off those it has looked at.
    // Returns whether it can go on at once.
    [[nodiscard]] bool send_retained(std::size_t& looks, Instant now);
    // Sends what waits, as far as the quota and the connection's unsent bytes allow.
    void pump(Instant now);

    // The client's acknowledgements. They fail where the exchange is broken beyond repair.
    [[nodiscard]] mqtt::Result<> handle(const mqtt::PubAck& ack);
    [[nodiscard]] mqtt::Result<> handle(const mqtt::PubRec& ack);
    [[nodiscard]] mqtt::Result<> handle(const mqtt::PubComp& ack);

    // --- From the client: packet identifiers of QoS 2 for which PUBREC was or will be sent ([MQTT-4.3.3-10]).
    [[nodiscard]] bool is_received(mqtt::PacketId id) const noexcept;
    void received(mqtt::PacketId id);
    // Of those, the ones that count against the Receive Maximum of this connection, since their PUBLISH has come on it.
    [[nodiscard]] bool is_counted(mqtt::PacketId id) const noexcept;
    void count_again(mqtt::PacketId id) noexcept;
    // And the ones whose PUBREC does not wait for anything any more.
    [[nodiscard]] bool is_settled(mqtt::PacketId id) const noexcept;
    void settled(mqtt::PacketId id) noexcept;
    // False where it was not there.
    bool released(mqtt::PacketId id);

    // --- Shared subscriptions.
    // A message that came through one. It is never queued here: where there is no room for it, false is returned, and
    // it stays at the home, which can give it to another member or reject it.
    [[nodiscard]] bool deliver_from_group(const Delivery& delivery, Instant now);
    // Promises a free place to a shared subscription that waits for one.
    void offer_room();
    [[nodiscard]] std::uint32_t unacknowledged_of(GroupId group) const;
    // What was sent through shared subscriptions, is not acknowledged, and may go to another member: QoS 1. QoS 2
    // stays, to be completed with this client ([MQTT-4.8.2-4]). Until another takes it over, QoS 1 stays as well, and
    // is sent again when the client is back ([MQTT-4.4.0-1]).
    [[nodiscard]] std::vector<Delivery> left_for_others() const;
    // Takes back those of one shared subscription that another member takes over; or all.
    [[nodiscard]] std::vector<Delivery> take_back(GroupId group, std::vector<std::uint32_t> sequences);
    [[nodiscard]] std::vector<Delivery> take_back_all();

    // --- At the end of the session: reports everything that is still owed as lost.
    void abandon_deliveries();

    [[nodiscard]] std::size_t queued() const noexcept { return queue_.size(); }
    [[nodiscard]] std::size_t inflight() const noexcept { return inflight_.size(); }
    [[nodiscard]] std::uint16_t send_quota() const noexcept { return send_quota_; }

private:
    // Above this many unsent bytes, messages that can wait do wait: a slow client's backlog stays in its queue.
    static constexpr std::size_t pump_until_unsent_bytes = 128 * 1024;

    struct Received {
        mqtt::PacketId id;
        bool counted = false;
        bool settled = false;
    };

    // The subscriptions that are owed retained messages, which get them one after the other.
    struct RetainedBacklog {
        std::map<RetainedStamp, SessionSubscription*> subscriptions;
        RetainedStore::Place place;  // Of the first one.
        bool wants_quota = false;    // The next message is of QoS 1 or 2.
        bool is_reader = false;      // Is among the SessionEnvironment's retained_readers.
    };

    [[nodiscard]] bool has_unsent_room() const noexcept;
    // Free places in the window, as far as unsent bytes allow to use them.
    [[nodiscard]] std::size_t room() const noexcept;
    // Whether there is one that is not promised to a shared subscription.
    [[nodiscard]] bool can_send_now() const noexcept { return room() > (groups && groups->promised() ? 1U : 0U); }
    [[nodiscard]] bool fits_in_flight(const Message& message) const noexcept;
    [[nodiscard]] bool has_bytes_for_promise() const noexcept;
    void account_inflight() noexcept;
    void count_full_window();
    void deliver_at_most_once(const MessagePtr& message, bool retain, std::span<const std::uint32_t> identifiers,
                              GroupRef group, Instant now);
    Taken enqueue(Delivery delivery, Instant now);
    [[nodiscard]] bool make_room(const Delivery& delivery, Instant now);
    void drop_expired(Instant now);
    void send(Delivery delivery, Instant now);
    void send_again(Instant now);
    void withhold(mqtt::PacketId packet_id);
    void release(mqtt::PacketId packet_id);
    void become_retained_reader();
    [[nodiscard]] bool send_retained_portion(std::size_t& looks, Instant now);
    [[nodiscard]] bool send_retained_message(const MessagePtr& message, const SessionSubscription& subscription,
                                             Instant now);
    void pump_queues(Instant now);
    void pump_queue(Instant now);
    [[nodiscard]] std::optional<DropReason> why_not_to_send(const Message& message, Instant now) const;
    template <class Picked>
    [[nodiscard]] std::vector<Delivery> take_from_window(Picked picked);
    void complete(const Delivery& delivery);
    void lose(const Delivery& delivery, DropReason reason);
    void lose(const MessagePtr& message, DropReason reason, GroupRef group = {});
    void keep(Delivery& delivery);
    // Whether the Journal has it: no longer when the client came back and wants its session to end with the connection.
    [[nodiscard]] bool recorded(const Delivery& delivery) const noexcept { return kept && delivery.number != 0; }
    void forget(const Delivery& delivery);

    SessionEnvironment& environment_;
    Connection* connection_ = nullptr;
    mutable std::uint32_t permissions_generation_ = 0;  // For which the next was asked; 0: not yet.
    mutable bool restricted_ = true;                    // Not everything may be received.
    std::uint16_t send_quota_ = 0;
    InflightWindow inflight_;
    std::size_t inflight_bytes_counted_ = 0;  // In the counters and in the total.
    std::size_t inflight_counted_ = 0;
    MessageQueue queue_;
    std::unique_ptr<RetainedBacklog> retained_;
    std::vector<Received> received_;
};

}  // namespace chappe::broker
