#include "client/topic_aliases.h"

namespace chappe::client {

mqtt::Result<> IncomingAliases::resolve(mqtt::Publish& publish) {
    if (!publish.topic_alias) {
        if (publish.topic.empty()) return mqtt::failure(mqtt::ReasonCode::ProtocolError, "Topic and alias are missing");
        return {};
    }
    const auto alias = *publish.topic_alias;
    if (alias == 0 || alias > topics_.size()) {
        return mqtt::failure(mqtt::ReasonCode::TopicAliasInvalid, "Topic alias above the maximum");
    }
    auto& topic = topics_[alias - 1U];
    if (!publish.topic.empty()) topic = publish.topic;
    if (topic.empty()) return mqtt::failure(mqtt::ReasonCode::ProtocolError, "Topic alias without a topic");
    publish.topic = topic;
    return {};
}

void OutgoingAliases::reset(std::uint16_t maximum, bool automatic) {
    maximum_ = maximum;
    automatic_ = automatic;
    topics_.clear();
    aliases_.clear();
}

std::optional<OutgoingAliases::Use> OutgoingAliases::use(std::string_view topic, std::optional<std::uint16_t> wanted) {
    if (wanted && (*wanted == 0 || *wanted > maximum_)) return std::nullopt;
    if (wanted) return assign(*wanted, topic);
    if (!automatic_ || maximum_ == 0) return std::nullopt;
    if (const auto known = aliases_.find(std::string(topic)); known != aliases_.end()) {
        return Use{known->second, false};
    }
    if (topics_.size() >= maximum_) return std::nullopt;
    return assign(static_cast<std::uint16_t>(topics_.size() + 1), topic);
}

OutgoingAliases::Use OutgoingAliases::assign(std::uint16_t alias, std::string_view topic) {
    if (topics_.size() < alias) topics_.resize(alias);
    auto& place = topics_[alias - 1U];
    if (place == topic) return {alias, false};
    aliases_.erase(place);
    place = topic;
    aliases_[place] = alias;
    return {alias, true};
}

}  // namespace chappe::client
