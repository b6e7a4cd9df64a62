#pragma once

// What a reload changes.

#include <string>
#include <vector>

#include "server/settings/key.h"

namespace chappe::server {

struct Change {
    std::string
        name;  // "limits.packet_size_max"; "server.listen" when addresses come or go, also those of a [[listener]].
    std::string from;  // As in the file: "\"16 MiB\"".
    std::string to;
    Reload reload = Reload::Now;
};

[[nodiscard]] std::vector<Change> changes(const Settings& old, const Settings& now);

// The settings that a running broker goes on with: `now`, except that what needs a restart stays as it was in `old`.
// The listeners that are open stay, with what `now` says of them.
[[nodiscard]] Settings after_reload(const Settings& old, const Settings& now);

}  // namespace chappe::server
