#include "broker/topic_aliases.h"

namespace chappe::broker {

mqtt::Result<std::string_view> IncomingAliases::resolve(std::uint16_t alias, std::string_view topic) {
    if (alias == 0 || alias > maximum_) {
        return mqtt::failure(mqtt::ReasonCode::TopicAliasInvalid, "topic alias above the maximum");  // [MQTT-3.3.2-9]
    }
    if (alias > topics_.size()) topics_.resize(alias);
    auto& known = topics_[alias - 1];
    if (!topic.empty()) {
        known = topic;
    } else if (known.empty()) {
        return mqtt::failure(mqtt::ReasonCode::ProtocolError, "topic alias that was not set");
    }
    return known;
}

OutgoingAliases::Use OutgoingAliases::use(std::string_view topic) {
    if (const auto found = by_topic_.find(topic); found != by_topic_.end()) {
        aliases_[found->second - 1].used = true;
        return {.alias = found->second, .known = true};
    }
    const auto alias = free_alias();
    if (alias == 0) return {};
    auto& entry = aliases_[alias - 1];
    by_topic_.erase(entry.topic);
    entry = {.topic = std::string(topic), .used = false};
    by_topic_.emplace(entry.topic, alias);
    return {.alias = alias, .known = false};
}

std::uint16_t OutgoingAliases::free_alias() {
    if (aliases_.empty()) aliases_.reserve(maximum_);
    if (aliases_.size() < maximum_) {
        aliases_.emplace_back();
        return static_cast<std::uint16_t>(aliases_.size());
    }
    hand_ = static_cast<std::uint16_t>(hand_ % maximum_ + 1);
    auto& entry = aliases_[hand_ - 1];
    if (!entry.used) return hand_;
    entry.used = false;  // A second chance; this topic goes without.
    return 0;
}

}  // namespace chappe::broker
