#include "broker/retained_store.h"

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>

#include "broker/topic_level.h"
#include "mqtt/topic.h"

namespace chappe::broker {
namespace {

constexpr std::uint16_t stripe_count = 64;

// Adds, unless that would exceed `max`.
bool try_add(std::atomic<std::size_t>& count, std::size_t amount, std::size_t max) noexcept {
    auto value = count.load(std::memory_order_relaxed);
    do {
        if (amount > max || value > max - amount) return false;
    } while (!count.compare_exchange_weak(value, value + amount, std::memory_order_relaxed));
    return true;
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

std::uint16_t RetainedStore::stripe_number(std::string_view topic) const noexcept {
    return static_cast<std::uint16_t>(hash_(first_level(topic)) % stripe_count);
}

RetainedStore::Stripe& RetainedStore::stripe_of(std::string_view topic) const noexcept {
    return *stripes_[stripe_number(topic)];
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
        stripe.topics.put(std::move(message), stamp());
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
    payload_bytes_ += message.payload().size();
    if (previous == nullptr) return Outcome::Stored;
    payload_bytes_ -= previous->payload().size();
    return Outcome::Replaced;
}

void RetainedStore::forget(const Message& message) noexcept {
    --messages_;
    bytes_ -= message.size_bytes();
    payload_bytes_ -= message.payload().size();
}

MessagePtr RetainedStore::get(std::string_view topic) const {
    const auto& stripe = stripe_of(topic);
    const std::shared_lock lock(stripe.mutex);
    return stripe.topics.find(topic);
}

bool RetainedStore::read(const RetainedQuery& query, Place& place, std::size_t& looks,
                         std::vector<MessagePtr>& out) const {
    ASSERT(looks != 0);
    if (!mqtt::has_wildcards(query.filter)) {
        --looks;
        const auto& stripe = stripe_of(query.filter);
        const std::shared_lock lock(stripe.mutex);
        if (auto message = stripe.topics.find(query.filter, query)) out.push_back(std::move(message));
        return false;
    }
    TopicScan scan(query.filter);
    const bool in_every_stripe = starts_with_wildcard(query.filter);
    const auto& stripe = in_every_stripe ? *stripes_[place.stripe] : stripe_of(query.filter);
    const std::shared_lock lock(stripe.mutex);
    auto next = stripe.topics.match(scan, place.topic.empty() ? scan.start() : place.topic, query, looks, out);
    if (next) {
        place.topic = *std::move(next);
        return true;
    }
    if (looks != 0) --looks;  // For the end of the stripe, which may have been all there is of it.
    place.topic.clear();
    return in_every_stripe && ++place.stripe != stripe_count;
}

RetainedStore::Place RetainedStore::place_of(const Message& message) const {
    return {.stripe = stripe_number(message.topic()), .topic = std::string(message.topic())};
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

std::size_t RetainedStore::payload_bytes() const noexcept { return payload_bytes_; }

}  // namespace chappe::broker
