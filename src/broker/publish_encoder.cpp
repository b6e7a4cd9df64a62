#include "broker/publish_encoder.h"

#include <algorithm>

#include "mqtt/encoder.h"

namespace chappe::broker {
namespace {

std::optional<std::uint32_t> expiry_of(const Message& message, Instant now) noexcept {
    if (!message.expires()) return std::nullopt;
    return message.expiry_seconds_left(now);
}

void encode(const Message& message, const Variant& variant, OutgoingAliases::Use alias,
            std::optional<std::uint32_t> expiry, PublishEncoder::Head& head) {
    head.bytes.clear();
    const auto packet_id_at = mqtt::encode(
        mqtt::PublishHead{
            .qos = variant.qos,
            .retain = variant.retain,
            .topic = alias.known ? std::string_view{} : message.topic(),
            .topic_alias = alias.alias != 0 ? std::optional(alias.alias) : std::nullopt,
            .message_expiry_interval_seconds = expiry,
            .subscription_identifiers = variant.subscription_identifiers,
            .forwarded_properties = message.properties(),
            .payload_size = message.payload().size(),
        },
        variant.v5 ? mqtt::ProtocolVersion::V5 : mqtt::ProtocolVersion::V311, head.bytes);
    head.packet_id_at = packet_id_at.value_or(0);
}

}  // namespace

const PublishEncoder::Head& PublishEncoder::head(const MessagePtr& message, const Variant& variant, Instant now) {
    if (message_ != message) {
        forget();
        message_ = message;
    }
    const auto expiry = expiry_of(*message, now);
    for (const auto& kept : kept_) {
        if (kept.used && kept.v5 == variant.v5 && kept.qos == variant.qos && kept.retain == variant.retain &&
            kept.expiry_seconds_left == expiry &&
            std::ranges::equal(kept.subscription_identifiers, variant.subscription_identifiers)) {
            return kept.head;
        }
    }
    auto& kept = kept_[replace_next_];
    replace_next_ = (replace_next_ + 1) % kept_.size();
    encode(*message, variant, {}, expiry, kept.head);
    kept.used = true;
    kept.v5 = variant.v5;
    kept.qos = variant.qos;
    kept.retain = variant.retain;
    kept.expiry_seconds_left = expiry;
    kept.subscription_identifiers.assign(variant.subscription_identifiers.begin(),
                                         variant.subscription_identifiers.end());
    return kept.head;
}

const PublishEncoder::Head& PublishEncoder::head_with_alias(const MessagePtr& message, const Variant& variant,
                                                            OutgoingAliases::Use alias, Instant now) {
    encode(*message, variant, alias, expiry_of(*message, now), with_alias_);
    return with_alias_;
}

void PublishEncoder::release_larger(std::size_t kept_bytes_max) noexcept {
    const auto release = [&](Head& head) {
        if (head.bytes.capacity() > kept_bytes_max) head.bytes.release();
    };
    for (auto& kept : kept_) release(kept.head);
    release(with_alias_);
}

void PublishEncoder::forget() {
    message_ = {};
    for (auto& kept : kept_) kept.used = false;
    replace_next_ = 0;
}

}  // namespace chappe::broker
