#pragma once

// The fuzzer's input, read as a row of choices. Behind its end every choice is the first one, so each input is a whole
// program.

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"

namespace chappe::fuzz {

class Input {
public:
    explicit Input(Bytes bytes) noexcept : rest_(bytes) {}

    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

    std::uint8_t byte() noexcept {
        if (rest_.empty()) return 0;
        const auto first = rest_.front();
        rest_ = rest_.subspan(1);
        return first;
    }

    std::size_t below(std::size_t bound) noexcept { return byte() % bound; }

    // Eight of them take one byte.
    bool flag() noexcept {
        if (flags_left_ == 0) {
            flags_ = byte();
            flags_left_ = 8;
        }
        --flags_left_;
        const bool set = (flags_ & 1) != 0;
        flags_ >>= 1;
        return set;
    }
    // What comes next begins with a byte of its own.
    void end_flags() noexcept { flags_left_ = 0; }

    template <class T, std::size_t size>
    const T& one_of(const std::array<T, size>& choices) noexcept {
        return choices[below(size)];
    }

    Bytes take(std::size_t size) noexcept {
        const auto taken = rest_.first(size < rest_.size() ? size : rest_.size());
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    Bytes rest_;
    unsigned flags_ = 0;
    unsigned flags_left_ = 0;
};

}  // namespace chappe::fuzz
