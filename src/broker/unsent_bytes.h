#pragma once

// The memory of all that waits to be written to connections, for unsent_bytes_total_max. Each shard counts what it adds
// and takes away, and tells the total, which all shards share, when that has become much: so counting costs an
// addition, and the total is wrong by told_from_bytes for each shard at most.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace chappe::broker {

// A message may be counted by one shard and taken away by another, which may tell first: so it has a sign. It is read
// with each message that has to wait, so nothing that is written often stands beside it.
struct alignas(64) UnsentBytesTotal {
    std::atomic<std::int64_t> bytes = 0;

    [[nodiscard]] std::size_t value() const noexcept { return at_least_zero(bytes.load(std::memory_order_relaxed)); }
    [[nodiscard]] static std::size_t at_least_zero(std::int64_t bytes) noexcept {
        return bytes < 0 ? 0 : static_cast<std::size_t>(bytes);
    }
};

// One shard's part.
class UnsentBytes {
public:
    static constexpr std::int64_t told_from_bytes = 64 * 1024;

    explicit UnsentBytes(UnsentBytesTotal& total) noexcept : total_(total) {}
    UnsentBytes(const UnsentBytes&) = delete;
    UnsentBytes& operator=(const UnsentBytes&) = delete;
    ~UnsentBytes() { tell(); }

    void add(std::size_t bytes) noexcept { change(static_cast<std::int64_t>(bytes)); }
    void subtract(std::size_t bytes) noexcept { change(-static_cast<std::int64_t>(bytes)); }
    void change(std::size_t before, std::size_t after) noexcept {
        change(static_cast<std::int64_t>(after) - static_cast<std::int64_t>(before));
    }

    // Of all shards.
    [[nodiscard]] std::size_t all() const noexcept {
        return UnsentBytesTotal::at_least_zero(total_.bytes.load(std::memory_order_relaxed) + untold_);
    }

private:
    void change(std::int64_t bytes) noexcept {
        untold_ += bytes;
        if (untold_ >= told_from_bytes || untold_ <= -told_from_bytes) [[unlikely]]
            tell();
    }
    void tell() noexcept { total_.bytes.fetch_add(std::exchange(untold_, 0), std::memory_order_relaxed); }

    UnsentBytesTotal& total_;
    std::int64_t untold_ = 0;
};

}  // namespace chappe::broker
