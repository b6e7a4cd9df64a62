#pragma once

// The levels of topic names and filters (4.7.1.1), with their hashes.

#include <cstdint>
#include <memory_resource>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace chappe::broker {

struct TopicLevel {
    std::string_view text;
    std::uint64_t hash = 0;
};

[[nodiscard]] inline std::string_view first_level(std::string_view topic) noexcept {
    return topic.substr(0, topic.find('/'));
}

[[nodiscard]] inline bool starts_with_wildcard(std::string_view filter) noexcept {
    return filter.starts_with('+') || filter.starts_with('#');
}

// Appends "a", "", "b" for "a//b".
inline void split_levels(std::string_view topic, const TextHash& hash, std::pmr::vector<TopicLevel>& out) {
    for (;;) {
        const auto level = first_level(topic);
        out.push_back({level, hash(level)});
        if (level.size() == topic.size()) return;
        topic.remove_prefix(level.size() + 1);
    }
}

}  // namespace chappe::broker
