#pragma once

// The effective settings with their origins, for `chappe config`, and findings for `chappe check --json`.

#include <cstdint>
#include <string>

#include "server/settings/load.h"

namespace chappe::server {

enum class Which : std::uint8_t { All, Changed };  // Changed: those that the file or the command line sets.

// A configuration file that gives the same settings, with a comment on each value that says where it came from.
[[nodiscard]] std::string print_toml(const Loaded& loaded, Which which);

// One object per section: {"limits": {"packet_size_max": {"value": 16777216, "text": "16 MiB", "origin": {...}}}}.
// Sizes are in bytes and durations in seconds. All listeners are in the array "listener".
[[nodiscard]] std::string print_json(const Loaded& loaded, Which which);

// {"file": ..., "ok": true, "settings": 12, "findings": [{"severity": "error", "line": 3, ...}]}
[[nodiscard]] std::string print_findings_json(const std::string& file_name, bool ok, const Loaded& loaded);

}  // namespace chappe::server
