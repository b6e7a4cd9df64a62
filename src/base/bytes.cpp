#include "base/bytes.h"

#include <algorithm>

namespace chappe {

void Buffer::make_room(std::size_t size) {
    const auto used = this->size();
    if (used + size <= capacity_ && begin_ >= capacity_ / 2) {
        std::memmove(memory_.get(), data(), used);
    } else {
        const auto capacity = std::max({used + size, 2 * capacity_, std::size_t{64}});
        auto memory = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
        if (used != 0) std::memcpy(memory.get(), data(), used);
        memory_ = std::move(memory);
        capacity_ = capacity;
    }
    begin_ = 0;
    end_ = used;
}

}  // namespace chappe
