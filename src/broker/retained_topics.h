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

// Not thread-safe. A message is found by the hash of its topic, so that replacing it, which is what happens most, is
// one lookup; and a sorted sequence of all topics serves filters with wildcards. The topics' text is only in the
// messages: both structures together cost about 26 bytes per message. (A tree of topic levels was considered: for
// topics like "site/area/device/value" its nodes cost three times that, and it has no order of its own.)
class RetainedTopics {
public:
    explicit RetainedTopics(const TextHash& hash) : hash_(hash) {}

    // Null where there is none. Null also from the functions that return what was there before.
    [[nodiscard]] MessagePtr find(std::string_view topic) const;
    MessagePtr put(MessagePtr message);
    MessagePtr remove(std::string_view topic);

    // Instant::max(): no message expires.
    [[nodiscard]] Instant next_expiry() const noexcept { return expiry_.first_at(); }
    // One that has expired, if there is any.
    MessagePtr remove_expired(Instant now);

    // Looks at no more than `looks_max` messages from the topic `from` on, and appends those that match and have not
    // expired. Returns the topic to go on from, or nothing at the end.
    [[nodiscard]] std::optional<std::string> match(TopicScan& scan, std::string_view from, Instant now,
                                                   std::size_t looks_max, std::vector<MessagePtr>& out) const;

    [[nodiscard]] std::size_t count() const noexcept { return index_.size(); }

private:
    using Id = std::uint32_t;
    using Order = SortedBlocks<Id>;
    static constexpr Id none = HashIndex::none;

    [[nodiscard]] std::string_view topic(Id id) const noexcept { return messages_[id]->topic(); }
    [[nodiscard]] Id id_of(std::string_view topic) const;
    [[nodiscard]] Order::Position position_of(std::string_view topic, Order::Position from = {}) const;
    void prefetch_beyond(Order::Position position) const noexcept;
    [[nodiscard]] Order::Position after(Order::Position position, const TopicScan::Step& step) const;
    Id add(const Message& message);
    MessagePtr remove(Id id);
    void note_expiry(Id id);

    TextHash hash_;
    Pool<MessagePtr> messages_;
    HashIndex index_;
    Order order_;  // As compare_topics() says.
    DeadlineHeap expiry_;
};

}  // namespace chappe::broker
