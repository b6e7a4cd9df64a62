#pragma once

// Makes decisions again that a broker has recorded, by other rules.

#include <cstddef>
#include <expected>
#include <string>

#include "access/directory.h"

namespace chappe::app {

// Prints those that are others now, a line for each, and a summary; with `json` an object for each, and no summary.
// Returns how many they are. Fails where the file cannot be read or has a line that is no decision.
[[nodiscard]] std::expected<std::size_t, std::string> replay(const std::string& path,
                                                             const access::Directory& directory, bool json);

}  // namespace chappe::app
