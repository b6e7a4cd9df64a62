#pragma once

// How to find the topics that a filter matches among many, without reading them all.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chappe::broker {

// Level by level, so that a topic is followed by the topics below it, and then by its neighbours: "a", "a/b", "a-b".
[[nodiscard]] std::strong_ordering compare_topics(std::string_view a, std::string_view b) noexcept;

// Whether `topic` is `parent` or below it.
[[nodiscard]] bool is_at_or_below(std::string_view topic, std::string_view parent) noexcept;

// Goes through topics in the order of compare_topics(): shown a topic, it says whether the filter matches and which
// topic can be the next that does. It never goes back.
class TopicScan {
public:
    // `filter` is a valid topic filter, without "$share/NAME/", and outlives the scan.
    explicit TopicScan(std::string_view filter);

    // No topic before this one matches.
    [[nodiscard]] std::string_view start() const noexcept { return start_; }

    enum class Next : std::uint8_t {
        Following,  // The topic that follows.
        From,       // The first from `topic` on.
        Beyond,     // The first that is neither `topic` nor below it.
        None,       // No further topic matches.
    };
    struct Step {
        bool matches = false;
        Next next = Next::Following;
        std::string_view topic = {};  // A view of the topic shown, or of the scan until the next look.
    };
    [[nodiscard]] Step look(std::string_view topic);

private:
    [[nodiscard]] Step mismatch(std::string_view topic, std::size_t at, std::size_t i);

    std::vector<std::string_view> levels_;
    std::size_t literal_levels_ = 0;  // Those before the first wildcard.
    std::string_view start_;
    std::string target_;  // Of a Step.
};

}  // namespace chappe::broker
