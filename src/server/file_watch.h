#pragma once

// Notices that files have been changed or replaced, when asked. It looks at what a path leads to, so that symbolic
// links are followed, which tools that renew certificates like to turn.

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace chappe::server {

class FileWatch {
public:
    // From now on these, as they are now.
    void watch(const std::vector<std::string>& paths);
    // One, or none where the path is empty.
    void watch_one(const std::string& path) { watch(path.empty() ? std::vector<std::string>{} : std::vector{path}); }
    // Whether one of them has changed since this was last asked. One that has gone has.
    [[nodiscard]] bool changed();

private:
    struct Stamp {
        std::uint64_t device = 0, inode = 0;
        std::int64_t size = -1;  // -1: it cannot be looked at.
        std::int64_t changed_at_ns = 0;

        friend auto operator<=>(const Stamp&, const Stamp&) = default;
    };

    [[nodiscard]] static Stamp stamp_of(const std::string& path);

    std::map<std::string, Stamp> stamps_;
};

}  // namespace chappe::server
