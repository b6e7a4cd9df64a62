#include "broker/topic_scan.h"

#include <algorithm>

#include "broker/topic_level.h"

namespace chappe::broker {
namespace {

// '/' comes before everything else.
int rank(char c) noexcept { return c == '/' ? -1 : static_cast<unsigned char>(c); }

bool is_wildcard(std::string_view level) noexcept { return level == "+" || level == "#"; }

}  // namespace

std::strong_ordering compare_topics(std::string_view a, std::string_view b) noexcept {
    const auto size = std::min(a.size(), b.size());
    const auto* in_a = a.data();
    const auto* in_b = b.data();
    for (const auto* end = in_a + size; in_a != end; ++in_a, ++in_b) {
        if (*in_a != *in_b) return rank(*in_a) <=> rank(*in_b);
    }
    return a.size() <=> b.size();
}

bool is_at_or_below(std::string_view topic, std::string_view parent) noexcept {
    return topic.starts_with(parent) && (topic.size() == parent.size() || topic[parent.size()] == '/');
}

TopicScan::TopicScan(std::string_view filter) {
    for (std::size_t at = 0; at <= filter.size(); at += levels_.back().size() + 1) {
        const auto level = first_level(filter.substr(at));
        if (literal_levels_ == levels_.size() && !is_wildcard(level)) {
            ++literal_levels_;
            start_ = filter.substr(0, at + level.size());
        }
        levels_.push_back(level);
    }
}

TopicScan::Step TopicScan::look(std::string_view topic) {
    std::size_t at = 0;  // Where in the topic the level begins; beyond its end, the topic has no such level.
    for (std::size_t i = 0; i < levels_.size(); ++i) {
        const auto wanted = levels_[i];
        if (i == 0 && is_wildcard(wanted) && topic.starts_with('$')) {  // [MQTT-4.7.2-1]
            return {.next = Next::Beyond, .topic = first_level(topic)};
        }
        if (wanted == "#") return {.matches = true};
        if (at > topic.size()) return {};
        const auto level = first_level(topic.substr(at));
        if (wanted != "+" && wanted != level) return mismatch(topic, at, i);
        at += level.size() + 1;
    }
    if (at > topic.size()) return {.matches = true};
    return {.next = Next::Beyond, .topic = topic.substr(0, at - 1)};
}

// The level of the topic that begins at `at` is another than the filter's level `i`.
TopicScan::Step TopicScan::mismatch(std::string_view topic, std::size_t at, std::size_t i) {
    if (first_level(topic.substr(at)) < levels_[i]) {
        target_.assign(topic.substr(0, at)).append(levels_[i]);
        return {.next = Next::From, .topic = target_};
    }
    if (i < literal_levels_) return {.next = Next::None};
    return {.next = Next::Beyond, .topic = topic.substr(0, at - 1)};
}

}  // namespace chappe::broker
