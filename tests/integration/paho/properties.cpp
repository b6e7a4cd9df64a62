#include "properties.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace paho {
namespace {

struct Name {
    MQTTPropertyCodes code;
    std::string_view name;
};

constexpr std::array names{
    Name{MQTTPROPERTY_CODE_PAYLOAD_FORMAT_INDICATOR, "payload_format_indicator"},
    Name{MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, "message_expiry_interval"},
    Name{MQTTPROPERTY_CODE_CONTENT_TYPE, "content_type"},
    Name{MQTTPROPERTY_CODE_RESPONSE_TOPIC, "response_topic"},
    Name{MQTTPROPERTY_CODE_CORRELATION_DATA, "correlation_data"},
    Name{MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIER, "subscription_identifier"},
    Name{MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, "session_expiry_interval"},
    Name{MQTTPROPERTY_CODE_ASSIGNED_CLIENT_IDENTIFER, "assigned_client_identifier"},
    Name{MQTTPROPERTY_CODE_SERVER_KEEP_ALIVE, "server_keep_alive"},
    Name{MQTTPROPERTY_CODE_AUTHENTICATION_METHOD, "authentication_method"},
    Name{MQTTPROPERTY_CODE_AUTHENTICATION_DATA, "authentication_data"},
    Name{MQTTPROPERTY_CODE_REQUEST_PROBLEM_INFORMATION, "request_problem_information"},
    Name{MQTTPROPERTY_CODE_WILL_DELAY_INTERVAL, "will_delay_interval"},
    Name{MQTTPROPERTY_CODE_REQUEST_RESPONSE_INFORMATION, "request_response_information"},
    Name{MQTTPROPERTY_CODE_RESPONSE_INFORMATION, "response_information"},
    Name{MQTTPROPERTY_CODE_SERVER_REFERENCE, "server_reference"},
    Name{MQTTPROPERTY_CODE_REASON_STRING, "reason_string"},
    Name{MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, "receive_maximum"},
    Name{MQTTPROPERTY_CODE_TOPIC_ALIAS_MAXIMUM, "topic_alias_maximum"},
    Name{MQTTPROPERTY_CODE_TOPIC_ALIAS, "topic_alias"},
    Name{MQTTPROPERTY_CODE_MAXIMUM_QOS, "maximum_qos"},
    Name{MQTTPROPERTY_CODE_RETAIN_AVAILABLE, "retain_available"},
    Name{MQTTPROPERTY_CODE_USER_PROPERTY, "user_property"},
    Name{MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, "maximum_packet_size"},
    Name{MQTTPROPERTY_CODE_WILDCARD_SUBSCRIPTION_AVAILABLE, "wildcard_subscription_available"},
    Name{MQTTPROPERTY_CODE_SUBSCRIPTION_IDENTIFIERS_AVAILABLE, "subscription_identifiers_available"},
    Name{MQTTPROPERTY_CODE_SHARED_SUBSCRIPTION_AVAILABLE, "shared_subscription_available"},
};

MQTTLenString view(std::string& text) { return {static_cast<int>(text.size()), text.data()}; }

std::string text(const MQTTLenString& view) { return {view.data, static_cast<std::size_t>(view.len)}; }

// MQTTProperties_add copies strings, so they need to live only for the call.
void add(MQTTProperties& list, MQTTPropertyCodes code, std::string value) {
    MQTTProperty property{};
    property.identifier = code;
    std::string second;
    switch (MQTTProperty_getType(code)) {
        case MQTTPROPERTY_TYPE_BYTE:
            property.value.byte = static_cast<unsigned char>(std::stoul(value));
            break;
        case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER:
            property.value.integer2 = static_cast<unsigned short>(std::stoul(value));
            break;
        case MQTTPROPERTY_TYPE_FOUR_BYTE_INTEGER:
        case MQTTPROPERTY_TYPE_VARIABLE_BYTE_INTEGER:
            property.value.integer4 = static_cast<unsigned>(std::stoul(value));
            break;
        case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR: {
            const auto colon = value.find(':');
            second = decode(std::string_view(value).substr(colon + 1));
            value = decode(std::string_view(value).substr(0, colon));
            property.value.value = view(second);
            [[fallthrough]];
        }
        default:
            property.value.data = view(value);
    }
    MQTTProperties_add(&list, &property);
}

std::string value_of(const MQTTProperty& property) {
    switch (MQTTProperty_getType(property.identifier)) {
        case MQTTPROPERTY_TYPE_BYTE:
            return std::to_string(property.value.byte);
        case MQTTPROPERTY_TYPE_TWO_BYTE_INTEGER:
            return std::to_string(property.value.integer2);
        case MQTTPROPERTY_TYPE_FOUR_BYTE_INTEGER:
        case MQTTPROPERTY_TYPE_VARIABLE_BYTE_INTEGER:
            return std::to_string(property.value.integer4);
        case MQTTPROPERTY_TYPE_UTF_8_STRING_PAIR:
            return encode(text(property.value.data)) + ":" + encode(text(property.value.value));
        default:
            return text(property.value.data);
    }
}

}  // namespace

Properties::Properties(const Fields& fields, std::string_view prefix) {
    for (const auto& [name, value] : fields.all()) {
        for (const auto& known : names) {
            if (name == std::string(prefix) + std::string(known.name)) {
                add(list_, known.code, value);
            }
        }
    }
}

void add_properties(Fields& fields, const MQTTProperties& list) {
    for (int i = 0; i < list.count; ++i) {
        for (const auto& known : names) {
            if (list.array[i].identifier == known.code) {
                fields.add(std::string(known.name), value_of(list.array[i]));
            }
        }
    }
}

}  // namespace paho
