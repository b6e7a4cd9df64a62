#include "mqtt/property_reader.h"

namespace chappe::mqtt::detail {

Result<> check_number(PropertyId id, std::uint32_t value) {
    const auto rule = rule_of(id);
    if (rule.range == PropertyRange::ZeroOrOne && value > 1) return failure(rule.violation, "property is not 0 or 1");
    if (rule.range == PropertyRange::NotZero && value == 0) return failure(rule.violation, "property must not be 0");
    return {};
}

Result<> check_text(PropertyId id, std::string_view value) {
    const auto rule = rule_of(id);
    if (rule.range == PropertyRange::TopicName && !is_valid_topic_name(value)) {
        return failure(rule.violation, "response topic is not a topic name");
    }
    return {};
}

std::unexpected<Error> property_repeated() {
    return failure(ReasonCode::ProtocolError, "property appears more than once");
}

std::unexpected<Error> property_not_allowed() {
    return failure(ReasonCode::MalformedPacket, "property is not allowed in this packet");
}

// A Subscription Identifier repeats as well, but not in what a client sends.
std::unexpected<Error> property_too_often(PropertyId id) {
    if (id == PropertyId::UserProperty) return failure(ReasonCode::QuotaExceeded, too_many_user_properties);
    return failure(ReasonCode::ProtocolError, "property appears more than once");
}

}  // namespace chappe::mqtt::detail
