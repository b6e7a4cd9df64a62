#pragma once

// The Directory of now, which many threads read and one replaces.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "access/directory.h"

namespace chappe::access {

// Reading costs one atomic load where nothing has changed: each thread keeps what it got last. There is one Current in
// a program's life that matters at a time; a thread that uses another one in turn only reads more slowly.
class Current {
public:
    explicit Current(std::shared_ptr<const Directory> directory) : directory_(std::move(directory)) {}

    void replace(std::shared_ptr<const Directory> directory) {
        const std::scoped_lock lock(mutex_);
        directory_ = std::move(directory);
        generation_.store(next_generation(), std::memory_order_release);
    }

    // Another one after each replace().
    [[nodiscard]] std::uint64_t generation() const noexcept { return generation_.load(std::memory_order_acquire); }

    // Valid on this thread until its next call of get() on any Current.
    [[nodiscard]] const Directory& get() const {
        thread_local Kept kept;
        if (kept.generation != generation()) {
            const std::scoped_lock lock(mutex_);
            kept = {generation_.load(std::memory_order_relaxed), directory_};
        }
        return *kept.directory;
    }

    [[nodiscard]] std::shared_ptr<const Directory> share() const {
        const std::scoped_lock lock(mutex_);
        return directory_;
    }

private:
    struct Kept {
        std::uint64_t generation = 0;
        std::shared_ptr<const Directory> directory;
    };

    // Unique in the program, so that two objects are not mistaken for one another.
    static std::uint64_t next_generation() {
        static std::atomic<std::uint64_t> last = 0;
        return last.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    mutable std::mutex mutex_;
    std::shared_ptr<const Directory> directory_;
    std::atomic<std::uint64_t> generation_ = next_generation();
};

}  // namespace chappe::access
