#pragma once

// Views of bytes, and a growable buffer that is not zero-filled first.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace chappe {

using Bytes = std::span<const std::uint8_t>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Bytes appended at the end and consumed at the front. Memory grows as needed and is given back with release() only,
// so an owner that falls idle calls it.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer moved(std::move(other));
        swap(moved);
        return *this;
    }

    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }
    [[nodiscard]] const std::uint8_t* data() const noexcept { return memory_.get() + begin_; }
    [[nodiscard]] Bytes bytes() const noexcept { return {data(), size()}; }
    // For patching bytes that were appended before; `offset` counts from data().
    [[nodiscard]] std::uint8_t* at(std::size_t offset) noexcept {
        ASSERT(offset <= size());
        return memory_.get() + begin_ + offset;
    }

    // Makes room for `size` more bytes at the end and returns where to write them; the caller fills every one.
    [[nodiscard]] std::uint8_t* grow(std::size_t size) {
        if (capacity_ - end_ < size) make_room(size);
        auto* place = memory_.get() + end_;
        end_ += size;
        return place;
    }

    void append(Bytes bytes) {
        if (!bytes.empty()) std::memcpy(grow(bytes.size()), bytes.data(), bytes.size());
    }
    void append(std::string_view text) { append(as_bytes(text)); }

    void consume(std::size_t size) noexcept {
        ASSERT(size <= this->size());
        begin_ += size;
        if (begin_ == end_) begin_ = end_ = 0;
    }

    void clear() noexcept { begin_ = end_ = 0; }

    // Frees the memory. The content is lost.
    void release() noexcept {
        memory_.reset();
        begin_ = end_ = capacity_ = 0;
    }

    void swap(Buffer& other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(begin_, other.begin_);
        std::swap(end_, other.end_);
        std::swap(capacity_, other.capacity_);
    }

private:
    void make_room(std::size_t size);

    std::unique_ptr<std::uint8_t[]> memory_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace chappe
