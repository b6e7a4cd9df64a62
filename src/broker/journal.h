#pragma once

// The port through which the shards write down what must survive the end of the process: sessions that outlive their
// connection with all that is owed to them, and retained messages. What a client may conclude from an answer (PUBACK,
// PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, CONNACK) is written before the answer is sent.
//
// A shard's records of one round are a batch. The Journal makes batches permanent, many at a time, and says so:
// Shard::committed(). Without a Journal (Commons::journal is null) sessions last as long as the process.
//
// Messages that go through shared subscriptions are not written yet: what waits at a home, and what a member has not
// acknowledged, is lost with the process, although its publisher was told that it is taken.

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/time.h"
#include "broker/ids.h"
#include "broker/message.h"
#include "mqtt/types.h"

namespace chappe::broker {

struct Delivery;
struct SessionSubscription;
struct Attributes;
struct StoredWill;

// Of one shard, counted from 1.
using JournalBatch = std::uint64_t;

// Names a message that is owed to a session. Of one shard, counted from 1 in the order in which they came; 0: the
// message is not in the Journal.
using DeliveryNumber = std::uint64_t;

namespace record {

// A session begins to be kept, or what was agreed for it has changed. Its id names it in all other records.
struct SessionKept {
    SessionId session;
    std::string_view client_id;
    std::string_view user_name;
    bool is_operator = false;
    const Attributes* attributes = nullptr;
    std::uint32_t expiry_interval_seconds = 0;
    std::optional<Instant> ends_at;  // None: it is connected, or never expires.
};

// With all that was kept of it.
struct SessionEnded {
    SessionId session;
};

struct WillKept {
    SessionId session;
    const StoredWill* will = nullptr;
    std::optional<Instant> due_at;  // None: the client is connected.
};

struct WillGone {
    SessionId session;
};

struct SubscriptionKept {
    SessionId session;
    const SessionSubscription* subscription = nullptr;
};

struct SubscriptionRemoved {
    SessionId session;
    std::string_view filter;  // As subscribed.
};

struct MessageOwed {
    SessionId session;
    DeliveryNumber number = 0;
    const Delivery* delivery = nullptr;
};

// PUBLISH goes out with this packet identifier, which belongs to the message until it is done.
struct MessageSent {
    SessionId session;
    DeliveryNumber number = 0;
    mqtt::PacketId packet_id;
};

// PUBREC has come: only the packet identifier is still owed, until PUBCOMP.
struct MessageReleased {
    SessionId session;
    DeliveryNumber number = 0;
};

struct MessageDone {
    SessionId session;
    DeliveryNumber number = 0;
};

// From the client, QoS 2: taken, and not to be taken again until PUBREL ([MQTT-4.3.3-10]).
struct PacketReceived {
    SessionId session;
    mqtt::PacketId packet_id;
};

struct PacketReleased {
    SessionId session;
    mqtt::PacketId packet_id;
};

// The retained message of its topic; without payload: there is none any more.
struct Retained {
    MessagePtr message;
};

}  // namespace record

using Record = std::variant<record::SessionKept, record::SessionEnded, record::WillKept, record::WillGone,
                            record::SubscriptionKept, record::SubscriptionRemoved, record::MessageOwed,
                            record::MessageSent, record::MessageReleased, record::MessageDone, record::PacketReceived,
                            record::PacketReleased, record::Retained>;

// Called on all shards' threads at once; must not block.
class Journal {
public:
    virtual ~Journal() = default;

    // The next record of a shard. What it views or points to holds during the call only; messages may be kept.
    virtual void write(ShardId shard, const Record& record) = 0;
    // All records since the shard's last batch are this one. Shard::committed() is to be called when it is permanent,
    // or cannot be made so: later, not from within, on the shard's thread, in the order of its batches.
    virtual void commit(ShardId shard, JournalBatch batch) = 0;
};

}  // namespace chappe::broker
