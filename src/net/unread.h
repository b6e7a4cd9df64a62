#pragma once

// Bytes that were read too far and wait to be read again. A part of streams.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace chappe::net {

class Unread {
public:
    [[nodiscard]] bool empty() const noexcept { return bytes_.empty(); }

    // What is put back now was read before what is still here.
    void put_back(Bytes bytes) {
        Buffer joined;
        joined.append(bytes);
        joined.append(bytes_.bytes());
        bytes_ = std::move(joined);
    }

    // Returns how many bytes are in `into` now.
    [[nodiscard]] std::size_t take(std::span<std::uint8_t> into) {
        const auto size = std::min(into.size(), bytes_.size());
        std::memcpy(into.data(), bytes_.data(), size);
        bytes_.consume(size);
        if (bytes_.empty()) bytes_.release();
        return size;
    }

    void clear() noexcept { bytes_.release(); }

private:
    Buffer bytes_;
};

}  // namespace chappe::net
