#include "apps/chappe/clients/message_json.h"

#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

#include "mqtt/topic.h"

namespace chappe::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int pretty_indent = 2;

long microseconds_of(WallTime time) {
    const auto since_epoch = time.time_since_epoch();
    return static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                 since_epoch - std::chrono::floor<std::chrono::seconds>(since_epoch))
                                 .count());
}

// "2026-11-22T09:19:32.216665Z"
std::string utc_text(WallTime time) {
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text.data() + size, text.size() - size, ".%06ldZ", microseconds_of(time));
    return text.data();
}

// "2026-11-22T10:19:32.216665+0100"
std::string local_text(WallTime time) {
    const auto seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
    std::tm parts{};
    localtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::array<char, 16> zone{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    std::strftime(zone.data(), zone.size(), "%z", &parts);
    std::snprintf(text.data() + size, text.size() - size, ".%06ld%s", microseconds_of(time), zone.data());
    return text.data();
}

// Text as it is, anything else in base64, and beside it which of the two.
void put_bytes(Json& object, const std::string& name, Bytes bytes) {
    const bool is_text = mqtt::is_valid_utf8(as_text(bytes));
    object[name] = is_text ? std::string(as_text(bytes)) : to_base64(bytes);
    object[name + "_encoding"] = is_text ? "utf-8" : "base64";
}

Json properties_json(const mqtt::Publish& message) {
    const auto& properties = message.properties;
    auto json = Json::object();
    if (properties.payload_format_indicator) json["payload_format_indicator"] = *properties.payload_format_indicator;
    if (properties.message_expiry_interval_seconds) {
        json["message_expiry_interval"] = *properties.message_expiry_interval_seconds;
    }
    if (properties.content_type) json["content_type"] = *properties.content_type;
    if (properties.response_topic) json["response_topic"] = *properties.response_topic;
    if (properties.correlation_data) put_bytes(json, "correlation_data", *properties.correlation_data);
    if (message.topic_alias) json["topic_alias"] = *message.topic_alias;
    if (!message.subscription_identifiers.empty()) json["subscription_identifiers"] = message.subscription_identifiers;
    for (const auto& [name, value] : properties.user_properties) json["user_properties"].push_back({name, value});
    return json;
}

// Bytes that are not UTF-8 become U+FFFD: this format has no other way to carry them.
std::string dump(const Json& json, bool pretty) {
    return json.dump(pretty ? pretty_indent : -1, ' ', false, Json::error_handler_t::replace);
}

// nlohmann's JSON is written by a function that calls itself for each level.
bool is_nested_too_deeply(Bytes payload) {
    constexpr int depth_max = 1000;
    int depth = 0;
    for (const auto byte : payload) {
        if (byte == '[' || byte == '{') ++depth;
        if (byte == ']' || byte == '}') --depth;
        if (depth > depth_max) return true;  // Brackets in strings count too: no real message comes near.
    }
    return false;
}

// Mosquitto has a JSON object of user properties, in which a name can stand twice. nlohmann's cannot, so that the
// later of two values stands here.
Json mosquitto_properties(const mqtt::Publish& message) {
    const auto& properties = message.properties;
    auto json = Json::object();
    if (message.topic_alias) json["topic-alias"] = *message.topic_alias;
    if (properties.content_type) json["content-type"] = *properties.content_type;
    for (const auto& [name, value] : properties.user_properties) json["user-properties"][std::string(name)] = value;
    if (properties.response_topic) json["response-topic"] = *properties.response_topic;
    if (properties.correlation_data) json["correlation-data"] = as_text(*properties.correlation_data);
    if (properties.payload_format_indicator) json["payload-format-indicator"] = *properties.payload_format_indicator;
    if (properties.message_expiry_interval_seconds) {
        json["message-expiry-interval"] = *properties.message_expiry_interval_seconds;
    }
    for (const auto identifier : message.subscription_identifiers) json["subscription-identifier"] = identifier;
    return json;
}

}  // namespace

std::string to_json(const mqtt::Publish& message, WallTime time) {
    Json json;
    json["timestamp"] = utc_text(time);
    json["topic"] = message.topic;
    json["qos"] = static_cast<int>(message.qos);
    json["retain"] = message.retain;
    json["dup"] = message.dup;
    put_bytes(json, "payload", message.payload);
    json["properties"] = properties_json(message);
    return dump(json, false);
}

Checked<std::string> to_mosquitto_json(const mqtt::Publish& message, WallTime time, bool payload_is_json, bool pretty) {
    Json json;
    json["tst"] = local_text(time);
    json["topic"] = message.topic;
    json["qos"] = static_cast<int>(message.qos);
    json["retain"] = message.retain ? 1 : 0;
    json["payloadlen"] = message.payload.size();
    if (message.packet_id.value != 0) json["mid"] = message.packet_id.value;
    if (auto properties = mosquitto_properties(message); !properties.empty())
        json["properties"] = std::move(properties);
    if (!payload_is_json) {
        json["payload"] = as_text(message.payload);
        return dump(json, pretty);
    }
    const bool parsable = !is_nested_too_deeply(message.payload);
    auto payload = Json::parse(parsable ? as_text(message.payload) : "", nullptr, false);
    if (payload.is_discarded()) {
        return std::unexpected("the payload is not JSON on topic " + std::string(message.topic));
    }
    json["payload"] = std::move(payload);
    return dump(json, pretty);
}

}  // namespace chappe::app
