#pragma once

// Looks for what is allowed to stand in a policy, but hardly meant: rules that change nothing, roles that nobody has,
// and wildcards that lead out of what a variable keeps a client to. docs/access.md explains it to people.

#include <span>
#include <string>
#include <vector>

#include "policy/policy.h"

namespace chappe::policy {

// What else counts, besides roles and users.
struct Surroundings {
    std::vector<std::string> roles_in_use;      // By somebody who is not among the users.
    std::vector<std::string> roles_ready_made;  // Nobody has written them, so there is nothing to say of them.
};

// Warnings, in the order of the roles and their rules. Takes what Policy::make() does, and passes over what that finds
// an error in.
[[nodiscard]] std::vector<Finding> lint(std::span<const RoleText> roles, std::span<const UserText> users,
                                        const Surroundings& surroundings);

}  // namespace chappe::policy
