#pragma once

// Roles that something else than an account gives.

#include <algorithm>
#include <string>
#include <vector>

namespace chappe::access {

inline void add_once(const std::string& role, std::vector<std::string>& to) {
    if (std::ranges::find(to, role) == to.end()) to.push_back(role);
}

// Of those that somebody else names, only what the settings allow counts.
inline void add_allowed(const std::vector<std::string>& named, const std::vector<std::string>& allowed,
                        std::vector<std::string>& to) {
    for (const auto& role : named) {
        if (std::ranges::find(allowed, role) != allowed.end()) add_once(role, to);
    }
}

}  // namespace chappe::access
