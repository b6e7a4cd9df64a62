#pragma once

#include <cstdint>
#include <unordered_set>

#include "base/assert.h"
#include "mqtt/types.h"

namespace chappe::client {

// The packet identifiers that the client has in use: its PUBLISH, SUBSCRIBE and UNSUBSCRIBE share one set (2.2.1).
// An identifier that was given back is used again as late as possible, which makes traces easier to read.
class PacketIds {
public:
    [[nodiscard]] bool available() const noexcept { return used_.size() < 65'535; }

    [[nodiscard]] mqtt::PacketId take() {
        ASSERT(available());
        do {
            ++last_;
        } while (last_ == 0 || !used_.insert(last_).second);
        return {last_};
    }

    void give_back(mqtt::PacketId id) {
        const auto erased = used_.erase(id.value);
        ASSERT(erased == 1);
    }

private:
    std::unordered_set<std::uint16_t> used_;
    std::uint16_t last_ = 0;
};

}  // namespace chappe::client
