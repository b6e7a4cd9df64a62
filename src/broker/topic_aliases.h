#pragma once

// Topic aliases (3.3.2.3.4): a number instead of a topic name, for the length of one connection and in one direction.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "mqtt/reason_code.h"

namespace chappe::broker {

// Aliases that the client sets, 1 to `maximum`.
class IncomingAliases {
public:
    explicit IncomingAliases(std::uint16_t maximum) noexcept : maximum_(maximum) {}

    // The topic meant by a PUBLISH with this alias and topic; an empty topic stands for what the alias was set to.
    // Fails with TopicAliasInvalid above the maximum, ProtocolError for an alias that was not set.
    [[nodiscard]] mqtt::Result<std::string_view> resolve(std::uint16_t alias, std::string_view topic);

private:
    std::uint16_t maximum_;
    std::vector<std::string> topics_;  // Alias n is at n - 1; grows with the aliases in use.
};

// Aliases that the broker makes towards a client that allows `maximum` of them. The first topics get one each; when
// all are given, one that has not been used since the hand last passed it goes to the new topic (the clock algorithm).
class OutgoingAliases {
public:
    OutgoingAliases(std::uint16_t maximum, const TextHash& hash) : maximum_(maximum), by_topic_(0, TextHashRef(hash)) {}

    struct Use {
        std::uint16_t alias = 0;  // 0: send the topic only.
        bool known = false;       // The client knows it already: send no topic.
    };

    [[nodiscard]] Use use(std::string_view topic);

private:
    struct Alias {
        std::string topic;
        bool used = false;
    };

    [[nodiscard]] std::uint16_t free_alias();

    std::uint16_t maximum_;
    std::uint16_t hand_ = 0;
    std::vector<Alias> aliases_;  // Alias n is at n - 1.
    // Keys point into aliases_, which is reserved at once.
    std::unordered_map<std::string_view, std::uint16_t, TextHashRef> by_topic_;
};

}  // namespace chappe::broker
