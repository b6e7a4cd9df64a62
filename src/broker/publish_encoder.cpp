#include "broker/publish_encoder.h"

#include <algorithm>

#include "mqtt/encoder.h"

namespace chappe::broker {
namespace {

constexpr std::uint8_t message_expiry_property = 0x02;
constexpr std::uint8_t subscription_identifier_property = 0x0B;
constexpr std::uint8_t topic_alias_property = 0x23;

std::uint8_t* write_u16(std::uint16_t value, std::uint8_t* out) noexcept {
    out[0] = static_cast<std::uint8_t>(value >> 8);
    out[1] = static_cast<std::uint8_t>(value);
    return out + 2;
}

std::uint8_t* write_u32(std::uint32_t value, std::uint8_t* out) noexcept {
    out = write_u16(static_cast<std::uint16_t>(value >> 16), out);
    return write_u16(static_cast<std::uint16_t>(value), out);
}

std::uint8_t* write_bytes(Bytes bytes, std::uint8_t* out) noexcept {
    if (!bytes.empty()) std::memcpy(out, bytes.data(), bytes.size());
    return out + bytes.size();
}

std::optional<std::uint32_t> expiry_of(const Message& message, Instant now) noexcept {
    if (!message.expires()) return std::nullopt;
    return message.expiry_seconds_left(now);
}

std::size_t properties_size(const Message& message, const Variant& variant, std::uint16_t alias) noexcept {
    auto size = message.properties().size();
    if (message.expires()) size += 5;
    if (alias != 0) size += 3;
    for (const auto identifier : variant.subscription_identifiers) {
        size += 1 + mqtt::variable_byte_integer_size(identifier);
    }
    return size;
}

std::uint8_t* write_properties(const Message& message, const Variant& variant, std::uint16_t alias,
                               std::optional<std::uint32_t> expiry, std::uint8_t* out) noexcept {
    if (expiry) {
        *out++ = message_expiry_property;
        out = write_u32(*expiry, out);
    }
    if (alias != 0) {
        *out++ = topic_alias_property;
        out = write_u16(alias, out);
    }
    for (const auto identifier : variant.subscription_identifiers) {
        *out++ = subscription_identifier_property;
        out = mqtt::write_variable_byte_integer(identifier, out);
    }
    return write_bytes(message.properties(), out);
}

void encode(const Message& message, const Variant& variant, OutgoingAliases::Use alias,
            std::optional<std::uint32_t> expiry, PublishEncoder::Head& head) {
    const auto topic = alias.known ? std::string_view{} : message.topic();
    const bool has_id = variant.qos != mqtt::QoS::AtMostOnce;
    const auto properties = variant.v5 ? static_cast<std::uint32_t>(properties_size(message, variant, alias.alias)) : 0;
    const auto variable_header = 2 + topic.size() + (has_id ? 2 : 0) +
                                 (variant.v5 ? mqtt::variable_byte_integer_size(properties) + properties : 0);
    const auto remaining = static_cast<std::uint32_t>(variable_header + message.payload().size());

    head.bytes.clear();
    const auto head_size = 1 + mqtt::variable_byte_integer_size(remaining) + variable_header;
    auto* const begin = head.bytes.grow(head_size);
    auto* out = begin;
    *out++ = static_cast<std::uint8_t>(static_cast<unsigned>(mqtt::PacketType::Publish) << 4 |
                                       static_cast<unsigned>(variant.qos) << 1 | (variant.retain ? 1U : 0U));
    out = mqtt::write_variable_byte_integer(remaining, out);
    out = write_u16(static_cast<std::uint16_t>(topic.size()), out);
    out = write_bytes(as_bytes(topic), out);
    head.packet_id_at = static_cast<std::size_t>(out - begin);
    if (has_id) out = write_u16(0, out);
    if (variant.v5) {
        out = mqtt::write_variable_byte_integer(properties, out);
        out = write_properties(message, variant, alias.alias, expiry, out);
    }
    ASSERT(out == begin + head_size);
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

void PublishEncoder::forget() {
    message_ = {};
    for (auto& kept : kept_) kept.used = false;
    replace_next_ = 0;
}

}  // namespace chappe::broker
