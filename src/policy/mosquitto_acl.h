#pragma once

// Mosquitto's ACL files (mosquitto.conf(5), acl_file), as roles and users with rules of ours.

#include <string>
#include <string_view>
#include <vector>

#include "policy/policy.h"

namespace chappe::policy {

struct MosquittoAcl {
    std::vector<RoleText> roles;    // "anonymous" and "everyone", where the file says something of them.
    std::vector<UserText> users;    // In the order of the file, each once.
    std::vector<Finding> findings;  // Lines that cannot be used; the others still count.
};

// `name` is the file's, for people. Topics before the first user are for clients without a user name, patterns for all.
// Whoever may read a topic may subscribe to it and to all that is within it. (Mosquitto lets everybody subscribe to
// everything, and then withholds the messages.)
[[nodiscard]] MosquittoAcl read_mosquitto_acl(std::string_view text, const std::string& name);

}  // namespace chappe::policy
