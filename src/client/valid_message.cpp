#include "client/valid_message.h"

#include "mqtt/topic.h"

namespace chappe::client {
namespace {

using mqtt::failure;
using mqtt::ReasonCode;

constexpr std::size_t text_size_max = 65'535;

mqtt::Result<> check_text(std::string_view text) {
    if (text.size() > text_size_max)
        return failure(ReasonCode::PacketTooLarge, "A property is longer than 65,535 bytes");
    if (!mqtt::is_valid_utf8(text)) return failure(ReasonCode::MalformedPacket, "A property is not valid UTF-8");
    return {};
}

mqtt::Result<> check_topic(std::string_view topic, std::string_view reason) {
    if (!mqtt::is_valid_utf8(topic) || !mqtt::is_valid_topic_name(topic)) {
        return failure(ReasonCode::TopicNameInvalid, reason);
    }
    return {};
}

// Adds up the sizes of the properties, and a little more for what stands before each.
mqtt::Result<std::size_t> properties_size(const mqtt::MessageProperties& properties) {
    constexpr std::size_t fixed = 64;
    std::size_t size = fixed;
    if (properties.content_type) {
        TRY(check_text(*properties.content_type));
        size += properties.content_type->size();
    }
    if (properties.response_topic) {
        TRY(check_topic(*properties.response_topic, "The response topic is not a valid topic name"));
        size += properties.response_topic->size();
    }
    if (properties.correlation_data) {
        size += properties.correlation_data->size();
        if (properties.correlation_data->size() > text_size_max) {
            return failure(ReasonCode::PacketTooLarge, "The correlation data is longer than 65,535 bytes");
        }
    }
    for (const auto& [name, value] : properties.user_properties) {
        TRY(check_text(name));
        TRY(check_text(value));
        size += name.size() + value.size() + 5;
    }
    return size;
}

}  // namespace

mqtt::Result<> check_message(const mqtt::Publish& message) {
    TRY(check_topic(message.topic, "The topic is not a valid topic name"));
    const auto size = message.topic.size() + message.payload.size() + TRY(properties_size(message.properties));
    if (size > mqtt::remaining_length_max) {
        return failure(ReasonCode::PacketTooLarge, "The message is larger than MQTT allows, 256 MiB");
    }
    return {};
}

}  // namespace chappe::client
