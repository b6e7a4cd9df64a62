#include "sim/draw.h"

namespace chappe::sim {

WorldOptions Draw::world(std::uint64_t seed) {
    WorldOptions options{.seed = seed};
    options.shards = static_cast<std::uint16_t>(1 + below(4));
    options.limits.inflight_max = static_cast<std::uint16_t>(1 + below(20));
    options.limits.receive_maximum = static_cast<std::uint16_t>(1 + below(20));
    options.policy.shared_strategy = static_cast<broker::SharedStrategy>(below(5));
    if (one_in(3)) options.limits.mailbox_bytes_max = 200;
    if (one_in(3)) options.limits.unsent_bytes_max = 300;
    if (one_in(4)) options.window_bytes = 100;
    small_queues_ = one_in(4);
    if (small_queues_) {
        options.limits.queue_messages_max = static_cast<std::uint32_t>(1 + below(5));
        options.policy.when_full = static_cast<broker::WhenFull>(below(3));
    }
    rejects_ = small_queues_ && options.policy.when_full == broker::WhenFull::Reject;
    return options;
}

// Before 5.0 a rejected message has no answer but the end of the connection; such a publisher would go on forever.
mqtt::ProtocolVersion Draw::version() {
    const bool old = one_in(3) && !rejects_;
    return old ? mqtt::ProtocolVersion::V311 : mqtt::ProtocolVersion::V5;
}

client::Options Draw::client(const std::string& name) {
    client::Options options;
    options.client_id = name;
    options.version = version();
    options.clean_start = false;
    options.session_expiry_interval_seconds = 3600;
    options.receive_maximum = static_cast<std::uint16_t>(1 + below(10));
    options.inflight_max = static_cast<std::uint16_t>(1 + below(10));
    options.topic_alias_maximum = static_cast<std::uint16_t>(below(3));
    options.topic_aliases = one_in(2);
    options.keep_alive_seconds = static_cast<std::uint16_t>(1 + below(5));
    options.queue_messages_max = 100'000;
    if (one_in(2)) options.acknowledge = client::Acknowledge::ByCaller;
    return options;
}

Habits Draw::habits() {
    Habits habits{.acknowledges_within = Duration{below(300'000'000)}};
    if (one_in(3)) habits.refuses_one_in = 1 + below(20);
    if (one_in(2)) habits.receive_maximum_max = 10;
    return habits;
}

client::Options Draw::testator(const std::string& name, const std::string& topic, const std::string& payload,
                               mqtt::QoS qos) {
    auto options = client(name);
    options.clean_start = one_in(3);
    options.session_expiry_interval_seconds = one_in(4) ? 0 : one_in(2) ? seconds_below(8) : 3600;
    client::OwnedWill will{.topic = topic, .payload = payload, .qos = qos, .retain = one_in(3), .properties = {}};
    if (options.version == mqtt::ProtocolVersion::V5) {
        will.delay_interval_seconds = one_in(3) ? 0 : seconds_below(8);
        if (one_in(4)) will.properties.message_expiry_interval_seconds = 1 + seconds_below(4);
    }
    options.will = std::move(will);
    return options;
}

}  // namespace chappe::sim
