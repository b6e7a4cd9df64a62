#pragma once

// What the settings say about one another, when each by itself is right.

#include <vector>

#include "server/settings/finding.h"
#include "server/settings/load.h"

namespace chappe::server {

// `refused` names the settings whose values could not be used. Their defaults were not what the person meant, so
// nothing is said about them.
[[nodiscard]] std::vector<Finding> check(const Settings& settings, const Origins& origins,
                                         const std::vector<const Key*>& refused);

}  // namespace chappe::server
