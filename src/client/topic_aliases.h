#pragma once

// Topic aliases (3.3.2.3.4), one table for each direction. What an alias stands for ends with the connection.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mqtt/packet.h"

namespace chappe::client {

// The aliases of the server. Bounded by the Topic Alias Maximum that we announced.
class IncomingAliases {
public:
    void reset(std::uint16_t maximum) { topics_.assign(maximum, {}); }

    // Remembers the topic that comes with an alias, or puts the remembered one in; it is a view into this table.
    [[nodiscard]] mqtt::Result<> resolve(mqtt::Publish& publish);

private:
    std::vector<std::string> topics_;  // Alias n is at n - 1; empty: not set.
};

// The aliases that we make. The first topics get them, and keep them: with more topics than aliases, handing them
// round would send each topic in full again and again.
class OutgoingAliases {
public:
    struct Use {
        std::uint16_t alias;
        bool with_topic;  // The server does not know it yet.
    };

    // `maximum` is the server's Topic Alias Maximum; `automatic` gives aliases to topics without a wanted one, too.
    void reset(std::uint16_t maximum, bool automatic);

    // The alias for the next packet with this topic; nothing when it goes without. The caller then sends the packet.
    [[nodiscard]] std::optional<Use> use(std::string_view topic, std::optional<std::uint16_t> wanted);

private:
    Use assign(std::uint16_t alias, std::string_view topic);

    std::uint16_t maximum_ = 0;
    bool automatic_ = false;
    std::vector<std::string> topics_;  // Alias n is at n - 1.
    std::unordered_map<std::string, std::uint16_t> aliases_;
};

}  // namespace chappe::client
