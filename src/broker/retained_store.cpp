#include "broker/retained_store.h"

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "broker/retained_topics.h"
#include "broker/topic_level.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

constexpr std::size_t stripe_count = 64;

// How many messages match() looks at before it lets others have the lock.
constexpr std::size_t looks_per_lock = 1024;

// Adds, unless that would exceed `max`.
bool try_add(std::atomic<std::size_t>& count, std::size_t amount, std::size_t max) noexcept {
    auto value = count.load(std::memory_order_relaxed);
    do {
        if (amount > max || value > max - amount) return false;
    } while (!count.compare_exchange_weak(value, value + amount, std::memory_order_relaxed));
    return true;
}

// `messages` consists of runs that are sorted, and all messages with the same first level are in the same run: what is
// left to do is to sort these groups.
void sort_groups(std::span<MessagePtr> messages) {
    struct Group {
        std::string_view first_level;
        std::span<MessagePtr> messages;
    };
    std::vector<Group> groups;
    for (auto& message : messages) {
        const auto level = first_level(message->topic());
        if (groups.empty() || groups.back().first_level != level) groups.push_back({level, {&message, 0}});
        groups.back().messages = {groups.back().messages.data(), groups.back().messages.size() + 1};
    }
    if (std::ranges::is_sorted(groups, {}, &Group::first_level)) return;
    std::ranges::sort(groups, {}, &Group::first_level);
    std::vector<MessagePtr> sorted;
    sorted.reserve(messages.size());
    for (const auto& group : groups) std::ranges::move(group.messages, std::back_inserter(sorted));
    std::ranges::move(sorted, messages.begin());
}

}  // namespace

struct alignas(64) RetainedStore::Stripe {
    explicit Stripe(const TextHash& hash) : topics(hash) {}

    // To be called under the lock after each change.
    void note_next_expiry() noexcept {
        next_expiry.store(topics.next_expiry().time_since_epoch().count(), std::memory_order_relaxed);
    }
    [[nodiscard]] bool has_expired(Instant now) const noexcept {
        return next_expiry.load(std::memory_order_relaxed) <= now.time_since_epoch().count();
    }

    void match(TopicScan& scan, Instant now, std::vector<MessagePtr>& out) const {
        for (std::optional<std::string> from(scan.start()); from;) {
            const std::shared_lock lock(mutex);
            from = topics.match(scan, *from, now, looks_per_lock, out);
        }
    }

    mutable std::shared_mutex mutex;
    RetainedTopics topics;
    std::atomic<Instant::rep> next_expiry = Instant::max().time_since_epoch().count();  // Spares the lock.
};

RetainedStore::RetainedStore(std::uint32_t messages_max, std::size_t bytes_max, std::uint64_t hash_seed)
    : hash_(hash_seed), messages_max_(messages_max), bytes_max_(bytes_max) {
    stripes_.reserve(stripe_count);
    for (std::size_t i = 0; i < stripe_count; ++i) stripes_.push_back(std::make_unique<Stripe>(hash_));
}

RetainedStore::~RetainedStore() = default;

RetainedStore::Stripe& RetainedStore::stripe_of(std::string_view topic) const noexcept {
    return *stripes_[hash_(first_level(topic)) % stripe_count];
}

RetainedStore::Outcome RetainedStore::set(MessagePtr message) {
    auto& stripe = stripe_of(message->topic());
    MessagePtr previous;  // Outlives the lock, so that no memory is freed under it.
    const std::unique_lock lock(stripe.mutex);
    if (message->payload().empty()) {
        previous = stripe.topics.remove(message->topic());
        stripe.note_next_expiry();
        if (!previous) return Outcome::NothingToRemove;
        forget(*previous);
        return Outcome::Removed;
    }
    previous = stripe.topics.find(message->topic());
    const auto outcome = account(previous.get(), *message);
    if (outcome == Outcome::Stored || outcome == Outcome::Replaced) {
        stripe.topics.put(std::move(message));
        stripe.note_next_expiry();
    }
    return outcome;
}

// What `message` is to take in place of `previous` (null: in addition), if the bounds allow it.
RetainedStore::Outcome RetainedStore::account(const Message* previous, const Message& message) {
    const auto size = message.size_bytes();
    const auto freed = previous != nullptr ? previous->size_bytes() : 0;
    if (previous == nullptr && !try_add(messages_, 1, messages_max_)) return Outcome::FullMessages;
    if (size <= freed) {
        bytes_ -= freed - size;
    } else if (!try_add(bytes_, size - freed, bytes_max_)) {
        if (previous == nullptr) --messages_;
        return Outcome::FullBytes;
    }
    return previous != nullptr ? Outcome::Replaced : Outcome::Stored;
}

void RetainedStore::forget(const Message& message) noexcept {
    --messages_;
    bytes_ -= message.size_bytes();
}

MessagePtr RetainedStore::get(std::string_view topic) const {
    const auto& stripe = stripe_of(topic);
    const std::shared_lock lock(stripe.mutex);
    return stripe.topics.find(topic);
}

void RetainedStore::match(std::string_view filter, Instant now, std::vector<MessagePtr>& out) const {
    if (!mqtt::has_wildcards(filter)) {
        if (auto message = get(filter); message && !message->expired(now)) out.push_back(std::move(message));
        return;
    }
    TopicScan scan(filter);
    if (!starts_with_wildcard(filter)) return stripe_of(filter).match(scan, now, out);
    const auto begin = out.size();
    for (const auto& stripe : stripes_) stripe->match(scan, now, out);
    sort_groups(std::span(out).subspan(begin));
}

std::size_t RetainedStore::remove_expired(Instant now) {
    std::vector<MessagePtr> removed;  // Freed when no lock is held.
    for (const auto& stripe : stripes_) {
        if (!stripe->has_expired(now)) continue;
        if (removed.size() == remove_expired_max) break;
        const std::unique_lock lock(stripe->mutex);
        while (removed.size() < remove_expired_max) {
            auto message = stripe->topics.remove_expired(now);
            if (!message) break;
            forget(*message);
            removed.push_back(std::move(message));
        }
        stripe->note_next_expiry();
    }
    return removed.size();
}

void RetainedStore::limits(std::uint32_t messages_max, std::size_t bytes_max) noexcept {
    messages_max_ = messages_max;
    bytes_max_ = bytes_max;
}

std::size_t RetainedStore::count() const noexcept { return messages_; }

std::size_t RetainedStore::bytes() const noexcept { return bytes_; }

}  // namespace chappe::broker
