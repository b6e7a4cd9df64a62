#pragma once

// An immutable text in 16 bytes, for structures that hold millions of short names.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include "base/assert.h"

namespace chappe {

// Up to 15 bytes are kept inside; longer ones in a block of their own, without spare room. (std::string takes 32.)
class CompactText {
public:
    CompactText() noexcept = default;
    explicit CompactText(std::string_view text) {
        if (text.size() <= inside_max) {
            copy(text, bytes_);
            bytes_[inside_max] = static_cast<char>(text.size());
            return;
        }
        ASSERT(text.size() <= std::numeric_limits<std::uint32_t>::max());
        const Outside outside{new char[text.size()], static_cast<std::uint32_t>(text.size())};
        copy(text, outside.text);
        std::memcpy(bytes_, &outside, outside_bytes);
        bytes_[inside_max] = outside_mark;
    }
    CompactText(CompactText&& other) noexcept { swap(other); }
    CompactText& operator=(CompactText&& other) noexcept {
        CompactText moved(std::move(other));
        swap(moved);
        return *this;
    }
    ~CompactText() {
        if (bytes_[inside_max] == outside_mark) delete[] outside().text;
    }

    [[nodiscard]] std::string_view view() const noexcept {
        if (bytes_[inside_max] != outside_mark) return {bytes_, static_cast<std::size_t>(bytes_[inside_max])};
        const auto text = outside();
        return {text.text, text.size};
    }

private:
    struct Outside {
        char* text;
        std::uint32_t size;
    };
    static constexpr std::size_t inside_max = 15;
    static constexpr std::size_t outside_bytes = offsetof(Outside, size) + sizeof(std::uint32_t);
    static constexpr char outside_mark = 127;  // In the last byte, where otherwise the size is.
    static_assert(outside_bytes <= inside_max);

    static void copy(std::string_view text, char* to) noexcept {
        if (!text.empty()) std::memcpy(to, text.data(), text.size());
    }
    [[nodiscard]] Outside outside() const noexcept {
        Outside text{};
        std::memcpy(&text, bytes_, outside_bytes);  // Its padding is not kept.
        return text;
    }
    void swap(CompactText& other) noexcept { std::swap(bytes_, other.bytes_); }

    alignas(void*) char bytes_[inside_max + 1] = {};
};

}  // namespace chappe
