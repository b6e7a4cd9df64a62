#pragma once

// What shards tell one another: batches of these, through each shard's Mailbox.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/delivery.h"
#include "broker/ids.h"
#include "broker/match_list.h"
#include "broker/message.h"
#include "broker/ports.h"
#include "mqtt/packet.h"

namespace chappe::broker {

// A PUBLISH whose acknowledgement waits for what other shards say of it.
using PendingId = Id<struct PendingIdTag, std::uint64_t>;

struct PublishToken {
    ShardId shard;
    PendingId pending;  // Zero: nobody waits.
};

// One member of a shared subscription, as its home shard knows it.
struct GroupMember {
    ShardId shard;
    SessionId session;
    mqtt::SubscriptionOptions options;
    std::uint32_t subscription_identifier = 0;
    bool online = false;
    std::uint16_t capacity = 0;                // Messages of QoS 1 and 2 that it takes before it has acknowledged some.
    std::uint32_t unacknowledged = 0;          // When it joins: so many are left from when it was a member before.
    std::shared_ptr<const Identity> identity;  // Permissions are asked at the home, for it has to choose among others.
};

namespace mail {

// A message for the subscribers of one shard: those in `range` of `matches`.
struct Publication {
    MessagePtr message;
    Matches matches;
    MatchList::Range range;
    PublishToken token;
};

// The answer to a Publication with a token.
struct Receipt {
    PendingId pending;
    bool rejected = false;
    bool lost = false;  // The Journal of the receiving shard could not write it.
};

// The mailbox that the sender found full is empty again.
struct MailboxEmptied {};

// A message that a feature of the program publishes.
struct Injected {
    MessagePtr message;
};

// From a shared subscription's home to the member it chose.
struct MemberDelivery {
    SessionId member;
    Delivery delivery;
};

// A member has joined, or something about it has changed.
struct MemberUpdate {
    GroupId group;
    GroupMember member;
    bool comes = false;                       // It is there now, or may be permitted something else than before.
    std::vector<Delivery> left;               // By a member who is away, unacknowledged, the oldest first: QoS 1.
    std::unique_ptr<const std::string> text;  // "$share/NAME/FILTER", from one who joins.
};

struct MemberLeft {
    GroupId group;
    ShardId shard;
    SessionId session;
};

// The member is done with so many messages and takes as many more.
struct MemberDone {
    GroupId group;
    ShardId shard;
    SessionId session;
    std::uint32_t count = 0;
};

// What a member has not delivered: it waits at the home, or goes to another one.
struct MemberReturned {
    enum class Why : std::uint8_t {
        Left,         // The session has ended, is no member any more, or may not receive this any more.
        SessionEnds,  // A MemberLeft follows. Nothing waits for this member any more.
        Refused,      // For want of room: the member takes nothing until it has said that it has room.
        Recalled,     // The answer to a MemberRecall, even if it is nothing.
    };

    GroupId group;
    ShardId shard;
    SessionId session;
    Why why = Why::Left;
    std::vector<Delivery> deliveries;
};

// To a member that has refused something: its home knows, and what it had sent before has come.
struct RefusalSeen {
    GroupId group;
    SessionId session;
};

// A member that has refused something has room again, and a place for one message of this shared subscription.
struct MemberReady {
    GroupId group;
    ShardId shard;
    SessionId session;
};

// To a member who is away: others would take these of the messages that it left. They are returned, unless it has come
// back in the meantime. Until the answer is there, the others' places are kept for them.
struct MemberRecall {
    GroupId group;
    SessionId session;
    std::vector<std::uint32_t> sequences;
};

// The answer, if there is no message for it now.
struct NothingWaits {
    GroupId group;
    SessionId session;
};

}  // namespace mail

using Mail = std::variant<mail::Publication, mail::Receipt, mail::MailboxEmptied, mail::Injected, mail::MemberDelivery,
                          mail::MemberUpdate, mail::MemberLeft, mail::MemberDone, mail::MemberReturned,
                          mail::RefusalSeen, mail::MemberReady, mail::NothingWaits, mail::MemberRecall>;

}  // namespace chappe::broker
