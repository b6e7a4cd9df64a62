#include "client/owned.h"

namespace chappe::client {

mqtt::UserProperties view(const OwnedUserProperties& properties) { return {properties.begin(), properties.end()}; }

mqtt::MessageProperties view(const OwnedProperties& properties) {
    mqtt::MessageProperties views;
    views.payload_format_indicator = properties.payload_format_indicator;
    views.message_expiry_interval_seconds = properties.message_expiry_interval_seconds;
    views.content_type = properties.content_type;
    views.response_topic = properties.response_topic;
    if (properties.correlation_data) views.correlation_data = as_bytes(*properties.correlation_data);
    views.user_properties = view(properties.user_properties);
    return views;
}

mqtt::Will view(const OwnedWill& will) {
    mqtt::Will views;
    views.topic = will.topic;
    views.payload = as_bytes(will.payload);
    views.qos = will.qos;
    views.retain = will.retain;
    views.delay_interval_seconds = will.delay_interval_seconds;
    views.properties = view(will.properties);
    return views;
}

OwnedUserProperties own(const mqtt::UserProperties& properties) { return {properties.begin(), properties.end()}; }

}  // namespace chappe::client
