// A topic filter, a line feed, a topic name: parsing takes apart what it accepts and nothing else, and matching agrees
// with a second matcher that is written in another way.

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/assert.h"
#include "mqtt/topic.h"

namespace {

using namespace chappe;
using namespace chappe::mqtt;

using Levels = std::vector<std::string_view>;

Levels levels_of(std::string_view text) {
    Levels levels;
    while (true) {
        const auto slash = text.find('/');
        levels.push_back(text.substr(0, slash));
        if (slash == std::string_view::npos) return levels;
        text.remove_prefix(slash + 1);
    }
}

// The rules of 4.7.1 by recursion: what is left of the filter against what is left of the topic.
bool rest_matches(std::span<const std::string_view> filter, std::span<const std::string_view> topic) {
    if (filter.empty()) return topic.empty();
    if (filter.front() == "#") return true;
    if (topic.empty()) return false;
    const auto level_matches = filter.front() == "+" || filter.front() == topic.front();
    return level_matches && rest_matches(filter.subspan(1), topic.subspan(1));
}

bool matches_by_recursion(std::string_view filter, std::string_view topic) {
    const auto wildcard_first = filter.starts_with('+') || filter.starts_with('#');
    if (wildcard_first && topic.starts_with('$')) return false;
    return rest_matches(levels_of(filter), levels_of(topic));
}

// 4.7.1: a wildcard is a level of its own, and '#' the last one.
bool is_well_formed(const Levels& levels) {
    for (std::size_t i = 0; i < levels.size(); ++i) {
        if (!has_wildcards(levels[i]) || levels[i] == "+") continue;
        if (levels[i] != "#" || i + 1 != levels.size()) return false;
    }
    return true;
}

void check_parts(const TopicFilter& filter, std::string_view text) {
    ASSERT(filter.text() == text);
    ASSERT(filter.shared() == text.starts_with("$share/"));
    if (filter.shared()) {
        ASSERT(text == "$share/" + std::string(filter.share_name()) + "/" + std::string(filter.filter()));
        ASSERT(!filter.share_name().empty() && !has_wildcards(filter.share_name()));
        ASSERT(!filter.share_name().contains('/'));
    } else {
        ASSERT(filter.filter() == text && filter.share_name().empty());
    }
    ASSERT(!filter.filter().empty());
    ASSERT(is_well_formed(levels_of(filter.filter())));
    ASSERT(level_count(filter.filter()) == levels_of(filter.filter()).size());
}

void check_matching(std::string_view filter, std::string_view topic) {
    const auto matched = matches(filter, topic);
    ASSERT(matched == matches_by_recursion(filter, topic));
    if (!has_wildcards(filter)) ASSERT(matched == (filter == topic));
    if (matched && !filter.ends_with('#')) ASSERT(matches(std::string(filter) + "/#", topic));
    ASSERT(matches("#", topic) == !topic.starts_with('$'));
    ASSERT(matches(topic, topic));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto line_end = std::min(input.find('\n'), input.size());
    const auto text = input.substr(0, line_end);
    const auto topic = input.substr(std::min(line_end + 1, input.size()));

    const auto filter = TopicFilter::parse(text);
    ASSERT(filter.has_value() == (is_valid_utf8(text) && is_valid_topic_filter(text)));
    if (!filter) {
        const auto plain = !text.starts_with("$share/") && !text.empty() && text.size() <= 65'535;
        ASSERT(!plain || !is_valid_utf8(text) || !is_well_formed(levels_of(text)));
        return 0;
    }
    check_parts(*filter, text);
    if (is_valid_utf8(topic) && is_valid_topic_name(topic)) check_matching(filter->filter(), topic);
    return 0;
}
