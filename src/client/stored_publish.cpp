#include "client/stored_publish.h"

#include "mqtt/decoder.h"
#include "mqtt/encoder.h"

namespace chappe::client {
namespace {

constexpr std::uint8_t dup_bit = 0x08;

}  // namespace

StoredPublish::StoredPublish(const mqtt::Publish& publish, mqtt::ProtocolVersion version)
    : topic_alias_(version == mqtt::ProtocolVersion::V5 ? publish.topic_alias : std::nullopt) {
    ASSERT(!publish.topic.empty());
    auto stored = publish;
    stored.dup = false;
    stored.topic_alias.reset();
    stored.subscription_identifiers.clear();  // They go from server to client only ([MQTT-3.3.4-6]).
    // A place holder: the encoder writes no packet id 0, and the real one is known when it is sent.
    stored.packet_id = {publish.qos == mqtt::QoS::AtMostOnce ? std::uint16_t{0} : std::uint16_t{1}};
    mqtt::encode(stored, version, bytes_);
}

std::size_t StoredPublish::topic_at() const noexcept {
    std::size_t at = 1;
    while ((bytes_.data()[at] & 0x80) != 0) ++at;  // Remaining Length ends with the first byte without this bit.
    return at + 1;
}

std::string_view StoredPublish::topic() const noexcept {
    const auto* size = bytes_.data() + topic_at();
    return as_text({size + 2, static_cast<std::size_t>(size[0] << 8 | size[1])});
}

void StoredPublish::set_packet_id(mqtt::PacketId id) noexcept {
    ASSERT(qos() != mqtt::QoS::AtMostOnce && id.value != 0);
    auto* place = bytes_.at(topic_at() + 2 + topic().size());
    place[0] = static_cast<std::uint8_t>(id.value >> 8);
    place[1] = static_cast<std::uint8_t>(id.value & 0xFF);
}

void StoredPublish::set_dup(bool dup) noexcept {
    auto& first = *bytes_.at(0);
    first = static_cast<std::uint8_t>(dup ? first | dup_bit : first & ~dup_bit);
}

void StoredPublish::encode_with_alias(std::uint16_t alias, bool with_topic, Buffer& out) const {
    const auto frame = mqtt::frame(bytes(), mqtt::packet_size_limit);
    ASSERT(frame && *frame);
    mqtt::Publish publish;
    const auto decoded = mqtt::decode(**frame, mqtt::ProtocolVersion::V5, mqtt::Sender::Client, publish);
    ASSERT(decoded);
    publish.topic_alias = alias;
    if (!with_topic) publish.topic = {};
    mqtt::encode(publish, mqtt::ProtocolVersion::V5, out);
}

}  // namespace chappe::client
