#pragma once

// A keyed hash of text: who does not know the seed cannot choose texts that collide, so that a hash table filled with
// names from the network stays fast.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/random.h"

namespace chappe {

// Sixteen bytes at a time are folded with a 64 x 64 -> 128 bit multiplication, as wyhash and its kin do. Both factors
// are masked with something secret: with a known mask, text that makes one factor zero would collide under every seed.
// Not for signatures.
class TextHash {
public:
    explicit TextHash(std::uint64_t seed) noexcept {
        Random random(seed);
        state_ = random.next();
        mask_ = random.next();
    }

    [[nodiscard]] std::uint64_t operator()(std::string_view text) const noexcept {
        const auto* from = text.data();
        auto left = text.size();
        auto state = state_;
        for (; left > 16; from += 16, left -= 16) {
            state = fold(read<std::uint64_t>(from) ^ mask_, read<std::uint64_t>(from + 8) ^ state);
        }
        const auto [a, b] = read_rest(from, left);
        return fold(fold(a ^ mask_, b ^ state), text.size() ^ mask_);
    }

    // The hash of a pair: `hash` is that of a text, `number` anything.
    [[nodiscard]] static std::uint64_t combine(std::uint64_t hash, std::uint32_t number) noexcept {
        return fold(hash, number * 0x9e3779b97f4a7c16 + 1);  // Odd, so never zero.
    }

    // The hash of two numbers, keyed like that of a text.
    [[nodiscard]] std::uint64_t of_numbers(std::uint64_t a, std::uint64_t b) const noexcept {
        return fold(fold(a ^ mask_, b ^ state_), state_ ^ mask_);
    }

private:
    struct Rest {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
    };

    // 0 to 16 bytes as two numbers. The two halves may overlap: the size is hashed as well, so nothing is ambiguous.
    static Rest read_rest(const char* from, std::size_t size) noexcept {
        if (size >= 8) return {read<std::uint64_t>(from), read<std::uint64_t>(from + size - 8)};
        if (size >= 4) return {read<std::uint32_t>(from), read<std::uint32_t>(from + size - 4)};
        if (size == 0) return {};
        const auto byte = [&](std::size_t at) {
            return static_cast<std::uint64_t>(static_cast<unsigned char>(from[at]));
        };
        return {byte(0) << 16 | byte(size / 2) << 8 | byte(size - 1), 0};
    }

    template <class Integer>
    static Integer read(const char* from) noexcept {
        Integer value;
        std::memcpy(&value, from, sizeof value);
        return value;
    }

    static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
        const auto product = static_cast<unsigned __int128>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    }

    std::uint64_t state_;
    std::uint64_t mask_;
};

// A TextHash that lives elsewhere, as the hash of a standard container: for containers that there are many of. With
// std::equal_to<> a key of type std::string is found by a view.
class TextHashRef {
public:
    using is_transparent = void;

    explicit TextHashRef(const TextHash& hash) noexcept : hash_(&hash) {}

    [[nodiscard]] std::size_t operator()(std::string_view text) const noexcept { return (*hash_)(text); }

private:
    const TextHash* hash_;
};

}  // namespace chappe
