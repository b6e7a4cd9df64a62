// Wills (3.1.2.5, 3.1.3.2, 3.1.3.3): kept with the session, published when the connection ends otherwise than agreed.

#include <algorithm>
#include <utility>

#include "broker/shard.h"
#include "mqtt/encoder.h"

namespace chappe::broker {

// The memory that it takes when it is stored.
std::size_t Shard::will_bytes(const mqtt::Will& will, const Identity& identity) {
    properties_.clear();
    mqtt::encode_forwarded_properties(will.properties, properties_);
    return sizeof(StoredWill) + will.topic.size() + will.payload.size() + properties_.size() + identity.size_bytes();
}

void Shard::set_will(Session& session, const mqtt::Connect& connect, const Identity& identity) {
    const auto& will = *connect.will;
    session.will = std::make_unique<StoredWill>(StoredWill{
        .topic = std::string(will.topic),
        .payload = std::string(as_text(will.payload)),
        .properties = {},
        .qos = will.qos,
        .retain = will.retain,
        .expiry_interval_seconds = will.properties.message_expiry_interval_seconds,
        .delay_interval_seconds = std::min(will.delay_interval_seconds, config_.limits.will_delay_max_seconds),
        .identity = identity});
    mqtt::encode_forwarded_properties(will.properties, session.will->properties);
    session.will->counted = CountedBytes(commons_.session_bytes, will_bytes(will, identity));
    if (session.will->delay_interval_seconds < will.delay_interval_seconds) {
        counters_.reached(Bound::WillDelayMaxSeconds);
    }
    keep_will(session);
}

// The connection has ended, and the session goes on.
void Shard::end_will(Session& session, WillFate fate, SessionFate session_fate, Instant now) {
    if (!session.will) return;
    if (fate == WillFate::Discard) {
        take_will(session);
    } else if (session.will->delay_interval_seconds == 0) {
        publish_will(session, now);
    } else if (session_fate == SessionFate::Continues) {
        take_will(session);  // A new connection is there before the delay has passed ([MQTT-3.1.3-9]).
    } else {
        session.will_due_at = now + std::chrono::seconds{session.will->delay_interval_seconds};
        keep_will(session);
    }
}

void Shard::publish_will(Session& session, Instant now) {
    const auto will = take_will(session);
    Message::Fields fields{.topic = will->topic,
                           .payload = as_bytes(will->payload),
                           .properties = will->properties.bytes(),
                           .qos = will->qos,
                           .retain = will->retain,
                           .publisher = session.key};
    if (will->expiry_interval_seconds) fields.expires_at = now + std::chrono::seconds{*will->expiry_interval_seconds};
    const auto message = Message::create(fields);
    const auto decision = commons_.permissions.decide({.who = will->identity,
                                                       .access = Access::Publish,
                                                       .topic = will->topic,
                                                       .qos = will->qos,
                                                       .retain = will->retain});
    if (!decision.allowed) return count_drop(session.client_id, *message, DropReason::NotAuthorized, now);
    publish(message, now);
}

}  // namespace chappe::broker
