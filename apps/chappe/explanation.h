#pragma once

// Which rules decide, in words and as JSON.

#include <string>

#include "policy/policy.h"
#include "policy/rule.h"

namespace chappe::app {

// A line without its end: "allowed by policy.toml:4 (role device)".
[[nodiscard]] std::string conclusion(const policy::Explanation& explanation, policy::Action action);

// With all rules that have been considered.
[[nodiscard]] std::string text_of(const policy::Explanation& explanation, policy::Action action);
[[nodiscard]] std::string json_of(const policy::Explanation& explanation);

}  // namespace chappe::app
