#pragma once

// Memory that counts in a total of all shards for as long as it is there.

#include <atomic>
#include <cstddef>
#include <utility>

namespace chappe::broker {

class CountedBytes {
public:
    CountedBytes() = default;  // Nothing.
    CountedBytes(std::atomic<std::size_t>& total, std::size_t bytes) noexcept : total_(&total), bytes_(bytes) {
        total.fetch_add(bytes, std::memory_order_relaxed);
    }
    CountedBytes(CountedBytes&& other) noexcept : total_(other.total_), bytes_(std::exchange(other.bytes_, 0)) {}
    CountedBytes& operator=(CountedBytes&& other) noexcept {
        std::swap(total_, other.total_);
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~CountedBytes() {
        if (bytes_ != 0) total_->fetch_sub(bytes_, std::memory_order_relaxed);
    }

    [[nodiscard]] std::size_t size() const noexcept { return bytes_; }

private:
    std::atomic<std::size_t>* total_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace chappe::broker
