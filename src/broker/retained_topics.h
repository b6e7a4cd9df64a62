#pragma once

// Retained messages by topic: one stripe of the RetainedStore.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline_heap.h"
#include "base/hash.h"
#include "base/hash_index.h"
#include "base/pool.h"
#include "base/sorted_blocks.h"
#include "base/time.h"
#include "broker/message.h"
#include "broker/topic_scan.h"

namespace chappe::broker {

// Counts what happens in a RetainedStore: what comes later has the higher stamp.
using RetainedStamp = std::uint64_t;

// What a reader wants of one portion.
struct RetainedQuery {
    std::string_view filter;        // A valid topic filter, without "$share/NAME/".
    RetainedStamp until = 0;        // Not what was retained after this.
    Instant now;                    // Not what has expired.
    std::size_t messages_max = 64;  // Not more than these.
};

// Not thread-safe. A message is found by the hash of its topic, so that replacing it, which is what happens most, is
// one lookup; and a sorted sequence of all topics serves filters with wildcards. The topics' text is only in the
// messages: both structures together cost about 34 bytes per message. (A tree of topic levels was considered: for
// topics like "site/area/device/value" its nodes cost three times that, and it has no order of its own.)
class RetainedTopics {
public:
    explicit RetainedTopics(const TextHash& hash) : hash_(hash) {}

    // Null where there is none. Null also from the functions that return what was there before.
    [[nodiscard]] MessagePtr find(std::string_view topic) const;
    [[nodiscard]] MessagePtr find(std::string_view topic, const RetainedQuery& query) const;
    MessagePtr put(MessagePtr message, RetainedStamp stamp);
    MessagePtr remove(std::string_view topic);

    // Instant::max(): no message expires.
    [[nodiscard]] Instant next_expiry() const noexcept { return expiry_.first_at(); }
    // One that has expired, if there is any.
    MessagePtr remove_expired(Instant now);

    // Looks at no more than `looks` messages from the topic `from` on, takes off those it has looked at, and appends
    // those that are wanted. Returns the topic to go on from, or nothing at the end.
    [[nodiscard]] std::optional<std::string> match(TopicScan& scan, std::string_view from, const RetainedQuery& query,
                                                   std::size_t& looks, std::vector<MessagePtr>& out) const;

    [[nodiscard]] std::size_t count() const noexcept { return index_.size(); }

private:
    using Id = std::uint32_t;
    using Order = SortedBlocks<Id>;
    static constexpr Id none = HashIndex::none;

    struct Entry {
        MessagePtr message;
        RetainedStamp stamp = 0;
    };

    [[nodiscard]] static bool is_wanted(const Entry& entry, const RetainedQuery& query) noexcept {
        return entry.stamp <= query.until && !entry.message->expired(query.now);
    }
    [[nodiscard]] std::string_view topic(Id id) const noexcept { return entries_[id].message->topic(); }
    [[nodiscard]] Id id_of(std::string_view topic) const;
    [[nodiscard]] Order::Position position_of(std::string_view topic, Order::Position from = {}) const;
    void prefetch_beyond(Order::Position position) const noexcept;
    [[nodiscard]] Order::Position after(Order::Position position, const TopicScan::Step& step) const;
    Id add(const Message& message);
    MessagePtr remove(Id id);
    void note_expiry(Id id);

    TextHash hash_;
    Pool<Entry> entries_;
    HashIndex index_;
    Order order_;  // As compare_topics() says.
    DeadlineHeap expiry_;
};

}  // namespace chappe::broker
