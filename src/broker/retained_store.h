#pragma once

// The retained messages: the last message of each topic that was published with RETAIN (3.3.1.3). One of the few
// structures that the shards share.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "broker/message.h"
#include "broker/retained_topics.h"

namespace chappe::broker {

// Thread-safe: striped by the first level of the topic, each stripe with its own lock.
class RetainedStore {
public:
    // `hash_seed` as for the TopicTree.
    RetainedStore(std::uint32_t messages_max, std::size_t bytes_max, std::uint64_t hash_seed = 0);
    ~RetainedStore();
    RetainedStore(const RetainedStore&) = delete;
    RetainedStore& operator=(const RetainedStore&) = delete;

    enum class Outcome : std::uint8_t {
        Stored,
        Replaced,
        Removed,
        NothingToRemove,
        FullMessages,  // Refused: what was retained for the topic before, if anything, still is.
        FullBytes,     // Likewise.
    };

    // An empty payload removes ([MQTT-3.3.1-6]) and is not stored itself ([MQTT-3.3.1-7]). A message keeps its expiry.
    Outcome set(MessagePtr message);

    // Null where there is none. May have expired.
    [[nodiscard]] MessagePtr get(std::string_view topic) const;

    // The stamp for somebody who has put a subscription into the topic tree and reads from now on what is retained:
    // what gets a higher one is routed by a tree that has the subscription. No two are the same, and none is 0.
    [[nodiscard]] RetainedStamp stamp() noexcept { return stamps_.fetch_add(1, std::memory_order_acq_rel) + 1; }

    // Where a reader goes on. At first it is at the beginning.
    struct Place {
        std::uint16_t stripe = 0;
        std::string topic;  // Empty: the first that can match.
    };

    // Appends a portion of what `query` asks for, from `place` on, and moves `place` behind it. Returns whether there
    // may be more. So whoever reads keeps a place and no messages, however many there are; what changes meanwhile is
    // found as it is then.
    //
    // Looks at no more than `looks` (not 0) messages and takes off those it has looked at. It does not look at those
    // outside the literal beginning of the filter ("a/b" of "a/b/+/c") and leaps over what an inner wildcard excludes:
    // "a/+/c" does not read all of "a/x/...". Topics with the same first level come in order, compared level by level
    // ("a", "a/b", "a-b").
    [[nodiscard]] bool read(const RetainedQuery& query, Place& place, std::size_t& looks,
                            std::vector<MessagePtr>& out) const;
    // The place of a message that was read: to read it again.
    [[nodiscard]] Place place_of(const Message& message) const;

    // Removes messages that have expired, at most so many per call; returns how many. Call again soon if it was the
    // maximum. Without expired messages it costs one load per stripe.
    static constexpr std::size_t remove_expired_max = 1000;
    std::size_t remove_expired(Instant now);

    // Other bounds, at a reload. What is beyond them now stays, and nothing is added until there is room.
    void limits(std::uint32_t messages_max, std::size_t bytes_max) noexcept;

    [[nodiscard]] std::size_t count() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;  // The sum of Message::size_bytes().
    [[nodiscard]] std::size_t payload_bytes() const noexcept;

private:
    struct Stripe;

    [[nodiscard]] std::uint16_t stripe_number(std::string_view topic) const noexcept;
    [[nodiscard]] Stripe& stripe_of(std::string_view topic) const noexcept;
    [[nodiscard]] Outcome account(const Message* previous, const Message& message);
    void forget(const Message& message) noexcept;

    TextHash hash_;
    std::vector<std::unique_ptr<Stripe>> stripes_;
    std::atomic<RetainedStamp> stamps_ = 0;
    std::atomic<std::size_t> messages_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    std::atomic<std::size_t> payload_bytes_ = 0;
    std::atomic<std::size_t> messages_max_;
    std::atomic<std::size_t> bytes_max_;
};

}  // namespace chappe::broker
