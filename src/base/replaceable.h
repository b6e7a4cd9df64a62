#pragma once

// A pointer to something immutable that many threads read and one replaces. (std::atomic<std::shared_ptr> would say the
// same, but in GCC 12 its load() does not order what comes after it.)

#include <memory>
#include <mutex>
#include <utility>

namespace chappe {

// Thread-safe.
template <class T>
class Replaceable {
public:
    Replaceable() = default;
    explicit Replaceable(std::shared_ptr<const T> value) : value_(std::move(value)) {}

    [[nodiscard]] std::shared_ptr<const T> load() const {
        const std::scoped_lock lock(mutex_);
        return value_;
    }

    void operator=(std::shared_ptr<const T> value) {  // NOLINT(misc-unconventional-assign-operator): as of an atomic.
        const std::scoped_lock lock(mutex_);
        value_.swap(value);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> value_;
};

}  // namespace chappe
