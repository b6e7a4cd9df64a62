#include "mqtt/topic.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace chappe::mqtt {

namespace {

constexpr std::string_view share_prefix = "$share/";
constexpr std::size_t topic_size_max = 65'535;

bool is_wildcard(char c) noexcept { return c == '+' || c == '#'; }

// Whether a wildcard is among the eight bytes at `at`. '#' is 0x23 and '+' is 0x2B: without bit 0x08 they are one
// value, and the rest is the search for a zero byte, exact for the eight together (see utf8.cpp).
bool any_is_wildcard(const char* at) noexcept {
    std::uint64_t eight_bytes;
    std::memcpy(&eight_bytes, at, sizeof(eight_bytes));
    constexpr std::uint64_t each = 0x0101'0101'0101'0101;
    const auto difference = (eight_bytes & ~(each * 0x08)) ^ (each * 0x23);
    return ((difference - each) & ~difference & (each * 0x80)) != 0;
}

// Takes the first level off `rest`, which is empty-handed (nullopt) after the last one.
std::string_view next_level(std::optional<std::string_view>& rest) noexcept {
    const auto slash = rest->find('/');
    const auto level = rest->substr(0, slash);
    if (slash == std::string_view::npos) {
        rest.reset();
    } else {
        rest->remove_prefix(slash + 1);
    }
    return level;
}

// A filter without "$share/NAME/".
bool is_valid_plain_filter(std::string_view filter) noexcept {
    if (filter.empty()) return false;
    for (std::optional rest = filter; rest;) {
        const auto level = next_level(rest);
        if (!has_wildcards(level)) continue;
        if (level.size() != 1) return false;     // "a+" or "##"
        if (level == "#" && rest) return false;  // "#/a"
    }
    return true;
}

// Where the filter proper starts: 0 for a filter that is not shared, npos for a shared one that has none.
std::size_t plain_filter_at(std::string_view filter) noexcept {
    if (!filter.starts_with(share_prefix)) return 0;
    const auto slash = filter.find('/', share_prefix.size());
    return slash == std::string_view::npos ? slash : slash + 1;
}

bool is_valid_share_name(std::string_view name) noexcept { return !name.empty() && !has_wildcards(name); }

std::string_view share_name_of(std::string_view filter, std::size_t filter_at) noexcept {
    return filter.substr(share_prefix.size(), filter_at - 1 - share_prefix.size());
}

}  // namespace

bool is_valid_topic_name(std::string_view topic) noexcept {
    return !topic.empty() && topic.size() <= topic_size_max && !has_wildcards(topic) && !topic.contains('\0');
}

bool is_valid_topic_filter(std::string_view filter) noexcept {
    if (filter.size() > topic_size_max || filter.contains('\0')) return false;
    const auto filter_at = plain_filter_at(filter);
    if (filter_at == std::string_view::npos) return false;
    if (filter_at != 0 && !is_valid_share_name(share_name_of(filter, filter_at))) return false;
    return is_valid_plain_filter(filter.substr(filter_at));
}

// Every topic of every PUBLISH passes here, so eight bytes are looked at in one step, the last eight overlapping.
bool has_wildcards(std::string_view filter) noexcept {
    if (filter.size() < sizeof(std::uint64_t)) return std::ranges::any_of(filter, is_wildcard);
    const auto* const last = filter.data() + filter.size() - sizeof(std::uint64_t);
    for (const auto* at = filter.data(); at < last; at += sizeof(std::uint64_t)) {
        if (any_is_wildcard(at)) return true;
    }
    return any_is_wildcard(last);
}

std::size_t level_count(std::string_view topic) noexcept {
    return 1 + static_cast<std::size_t>(std::ranges::count(topic, '/'));
}

bool matches(std::string_view filter, std::string_view topic) noexcept {
    if (topic.starts_with('$') && !filter.empty() && is_wildcard(filter.front())) return false;
    std::optional filter_rest = filter;
    std::optional topic_rest = topic;
    while (filter_rest && topic_rest) {
        const auto filter_level = next_level(filter_rest);
        if (filter_level == "#") return true;
        const auto topic_level = next_level(topic_rest);
        if (filter_level != "+" && filter_level != topic_level) return false;
    }
    if (topic_rest) return false;
    return !filter_rest || *filter_rest == "#";  // "a/#" also matches its parent, "a".
}

Result<TopicFilter> TopicFilter::parse(std::string_view text) {
    if (!is_valid_utf8(text)) return failure(ReasonCode::MalformedPacket, "topic filter is not valid UTF-8");
    if (!is_valid_topic_filter(text)) return failure(ReasonCode::TopicFilterInvalid, "topic filter is not valid");
    return TopicFilter(text, static_cast<std::uint32_t>(plain_filter_at(text)));
}

std::string_view TopicFilter::share_name() const noexcept {
    return shared() ? share_name_of(text_, filter_at_) : std::string_view{};
}

}  // namespace chappe::mqtt
