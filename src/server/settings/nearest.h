#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace chappe::server {

// The candidate that `word` was probably meant to be, for "did you mean": the one with the fewest letters wrong,
// missing, too many or swapped, if they are at most a third of the word.
[[nodiscard]] std::optional<std::string_view> nearest(std::string_view word,
                                                      std::span<const std::string_view> candidates);

}  // namespace chappe::server
