#pragma once

// Shared subscriptions with each way to choose among their members.

#include <array>
#include <string_view>
#include <vector>

#include "tests/conformance/broker.h"

namespace chappe::conformance {

// With each strategy. Clients of several names, so that each is once on the shard where the shared subscription has its
// home, and once on another one.
class EveryStrategy : public testing::TestWithParam<broker::SharedStrategy> {
protected:
    static constexpr std::array<std::string_view, 4> names = {"one", "two", "three", "four"};

    [[nodiscard]] static bool by_hash() {
        return GetParam() == broker::SharedStrategy::HashTopic || GetParam() == broker::SharedStrategy::HashClient;
    }
    [[nodiscard]] static broker::Policy policy(broker::WhenFull when_full = broker::WhenFull::DropOldest) {
        return {.when_full = when_full, .shared_strategy = GetParam()};
    }
    // Acknowledges all that comes, until nothing comes any more. Returns the payloads.
    static Lines take_all(const Client& client) {
        Lines payloads;
        while (true) {
            const auto packets = client.packets();
            if (packets.empty()) return payloads;
            for (const auto& packet : packets) {
                if (const auto* message = std::get_if<Publish>(&packet)) {
                    payloads.emplace_back(as_text(message->payload));
                    if (message->qos == AtLeastOnce) client.send(puback(message->packet_id.value));
                    if (message->qos == ExactlyOnce) client.send(pubrec(message->packet_id.value));
                }
                if (const auto* release = std::get_if<PubRel>(&packet)) client.send(pubcomp(release->packet_id.value));
            }
        }
    }
    // The reason codes of all acknowledgements that came.
    static std::vector<ReasonCode> codes(const Client& client) {
        std::vector<ReasonCode> codes;
        for (const auto& packet : client.packets()) {
            if (const auto* ack = std::get_if<PubAck>(&packet)) codes.push_back(ack->reason_code);
        }
        return codes;
    }
};
#define CHAPPE_EVERY_STRATEGY(suite)                                                                             \
    INSTANTIATE_TEST_SUITE_P(Strategies, suite,                                                                  \
                             testing::Values(broker::SharedStrategy::RoundRobin, broker::SharedStrategy::Random, \
                                             broker::SharedStrategy::Sticky, broker::SharedStrategy::HashTopic,  \
                                             broker::SharedStrategy::HashClient))

}  // namespace chappe::conformance
