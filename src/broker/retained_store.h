#pragma once

// The retained messages: the last message of each topic that was published with RETAIN (3.3.1.3). One of the few
// structures that the shards share.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "broker/message.h"

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

    // Appends the messages whose topics match `filter` and that have not expired at `now`, in the order of their
    // topics, compared level by level ("a", "a/b", "a-b"). `filter` is a valid topic filter, without "$share/NAME/".
    //
    // Looks at each retained message below the literal beginning of the filter ("a/b" of "a/b/+/c") a few times at
    // most, and leaps over what an inner wildcard excludes: "a/+/c" does not read all of "a/x/...".
    void match(std::string_view filter, Instant now, std::vector<MessagePtr>& out) const;

    // Removes messages that have expired, at most so many per call; returns how many. Call again soon if it was the
    // maximum. Without expired messages it costs one load per stripe.
    static constexpr std::size_t remove_expired_max = 1000;
    std::size_t remove_expired(Instant now);

    // Other bounds, at a reload. What is beyond them now stays, and nothing is added until there is room.
    void limits(std::uint32_t messages_max, std::size_t bytes_max) noexcept;

    [[nodiscard]] std::size_t count() const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept;  // The sum of Message::size_bytes().

private:
    struct Stripe;

    [[nodiscard]] Stripe& stripe_of(std::string_view topic) const noexcept;
    [[nodiscard]] Outcome account(const Message* previous, const Message& message);
    void forget(const Message& message) noexcept;

    TextHash hash_;
    std::vector<std::unique_ptr<Stripe>> stripes_;
    std::atomic<std::size_t> messages_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    std::atomic<std::size_t> messages_max_;
    std::atomic<std::size_t> bytes_max_;
};

}  // namespace chappe::broker
