#pragma once

// Topic names and topic filters (section 4.7), checked once: whoever holds a TopicFilter knows that it is valid.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "mqtt/reason_code.h"

namespace chappe::mqtt {

// 1.5.4: well-formed UTF-8, no surrogates (U+D800 to U+DFFF), no U+0000 ([MQTT-1.5.4-1], [MQTT-1.5.4-2]).
using chappe::is_valid_utf8;

// 1 to 65,535 bytes, no wildcard, no U+0000 ([MQTT-4.7.1-1], [MQTT-4.7.3-1] to [MQTT-4.7.3-3]). Takes valid UTF-8.
[[nodiscard]] bool is_valid_topic_name(std::string_view topic) noexcept;

// 1 to 65,535 bytes; '#' alone in the last level, '+' alone in its level ([MQTT-4.7.1-1], [MQTT-4.7.1-2]); of
// "$share/NAME/FILTER" the name is not empty and without wildcards and the filter is not empty ([MQTT-4.8.2-1],
// [MQTT-4.8.2-2]). Takes valid UTF-8.
[[nodiscard]] bool is_valid_topic_filter(std::string_view filter) noexcept;

[[nodiscard]] bool has_wildcards(std::string_view filter) noexcept;

// "a/b" has 2 levels, "/a" has 2, "/" has 2.
[[nodiscard]] std::size_t level_count(std::string_view topic) noexcept;

// Whether a filter (without "$share/NAME/") matches a topic name: the plain reading of 4.7, level by level. The
// broker's TopicTree gives the same answers faster and is tested against this. A topic that starts with '$' is not
// matched by a filter that starts with a wildcard ([MQTT-4.7.2-1]).
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic) noexcept;

// A valid topic filter, split in its share name and the filter proper. Owns its text.
class TopicFilter {
public:
    // Fails with TopicFilterInvalid, or MalformedPacket where the text is not UTF-8 that MQTT allows.
    [[nodiscard]] static Result<TopicFilter> parse(std::string_view text);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }  // As subscribed, "$share/..." included.
    [[nodiscard]] bool shared() const noexcept { return filter_at_ != 0; }
    [[nodiscard]] std::string_view share_name() const noexcept;
    // What topics are matched against: "a/+" of "$share/group/a/+".
    [[nodiscard]] std::string_view filter() const noexcept { return std::string_view(text_).substr(filter_at_); }

    friend bool operator==(const TopicFilter& a, const TopicFilter& b) noexcept { return a.text_ == b.text_; }

private:
    TopicFilter(std::string_view text, std::uint32_t filter_at) : text_(text), filter_at_(filter_at) {}

    std::string text_;
    std::uint32_t filter_at_;
};

}  // namespace chappe::mqtt
