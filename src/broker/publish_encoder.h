#pragma once

// PUBLISH packets for subscribers. A message that goes to many is encoded once for each variant (version, QoS,
// flags, identifiers) and copied from there; only the packet identifier and DUP are then set. Owned by a shard.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "broker/message.h"
#include "broker/topic_aliases.h"
#include "mqtt/types.h"

namespace chappe::broker {

// How a message is to be sent to one subscriber.
struct Variant {
    bool v5 = false;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    std::span<const std::uint32_t> subscription_identifiers;
};

class PublishEncoder {
public:
    // A PUBLISH up to its payload. Empty where the packet would be larger than any may be.
    struct Head {
        Buffer bytes;
        std::size_t packet_id_at = 0;  // Where the packet identifier belongs; with QoS 0 there is none.
    };

    // The reference holds until the next call.
    [[nodiscard]] const Head& head(const MessagePtr& message, const Variant& variant, Instant now);
    // The same with a topic alias: for one client alone, so not kept.
    [[nodiscard]] const Head& head_with_alias(const MessagePtr& message, const Variant& variant,
                                              OutgoingAliases::Use alias, Instant now);

    // Lets go of the last message.
    void forget();
    // Gives back the memory of large packets.
    void release_larger(std::size_t kept_bytes_max) noexcept;

private:
    struct Kept {
        Head head;
        bool used = false;
        bool v5 = false;
        bool retain = false;
        mqtt::QoS qos = mqtt::QoS::AtMostOnce;
        std::optional<std::uint32_t> expiry_seconds_left;
        std::vector<std::uint32_t> subscription_identifiers;
    };

    MessagePtr message_;
    std::array<Kept, 4> kept_;
    std::size_t replace_next_ = 0;
    Head with_alias_;
};

}  // namespace chappe::broker
