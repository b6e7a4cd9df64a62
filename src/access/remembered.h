#pragma once

// Who has been let in a while ago, so that a thousand devices that come back at once need not all be looked at anew.

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "crypto/secret.h"

namespace chappe::access {

// The parts one after the other, for Remembered; only the last may have a NUL.
[[nodiscard]] crypto::Secret joined(std::initializer_list<std::string_view> parts);

// Something of the credentials, passwords among them: of it only a digest is kept, with a key that never leaves the
// memory. Who was looked for least lately is forgotten first. Thread-safe.
template <class Value>
class Remembered {
public:
    // Zero: nothing is remembered.
    Remembered(Duration kept_for, std::size_t entries_max) : kept_for_(kept_for), entries_max_(entries_max) {}

    // Whether find() will have it for some time yet: who asks that does not have to wait for what it is about.
    [[nodiscard]] bool has(std::string_view credentials, Instant now) {
        return find(credentials, now + good_for_at_least).has_value();
    }

    [[nodiscard]] std::optional<Value> find(std::string_view credentials, Instant now) {
        if (kept_for_ == Duration::zero()) return std::nullopt;
        const auto digest = digest_of(credentials);
        const std::scoped_lock lock(mutex_);
        const auto found = by_digest_.find(digest);
        if (found == by_digest_.end() || now >= found->second->until) return std::nullopt;
        entries_.splice(entries_.end(), entries_, found->second);
        return found->second->value;
    }

    // For `at_most` so long, if that is less.
    void add(std::string_view credentials, Value value, Instant now, Duration at_most = Duration::max()) {
        const auto kept_for = std::min(kept_for_, at_most);
        if (kept_for <= Duration::zero()) return;
        auto digest = digest_of(credentials);
        const std::scoped_lock lock(mutex_);
        if (const auto old = by_digest_.find(digest); old != by_digest_.end()) forget(old->second);
        if (entries_.size() >= entries_max_) forget(entries_.begin());
        entries_.push_back({.digest = std::move(digest), .value = std::move(value), .until = now + kept_for});
        by_digest_.emplace(entries_.back().digest, std::prev(entries_.end()));
    }

    [[nodiscard]] std::size_t size() const {
        const std::scoped_lock lock(mutex_);
        return entries_.size();
    }

private:
    static constexpr Duration good_for_at_least = 1s;

    struct Entry {
        std::string digest;
        Value value;
        Instant until;
    };
    using Entries = std::list<Entry>;

    [[nodiscard]] std::string digest_of(std::string_view credentials) const {
        return crypto::hmac(crypto::Hash::Sha256, key_.reveal(), credentials);
    }

    void forget(typename Entries::iterator entry) {
        by_digest_.erase(entry->digest);
        entries_.erase(entry);
    }

    const Duration kept_for_;
    const std::size_t entries_max_;
    const crypto::Secret key_ = crypto::random_password();
    mutable std::mutex mutex_;  // Guards what follows.
    Entries entries_;           // Who was looked for last is at the end.
    std::unordered_map<std::string_view, typename Entries::iterator> by_digest_;
};

}  // namespace chappe::access
