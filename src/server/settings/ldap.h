#pragma once

// What the settings of the method "ldap" mean, and what is wrong with them.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/settings/finding.h"
#include "server/settings/settings.h"

namespace chappe::server {

// An item of ldap.group_roles, "GROUP=ROLE": names of groups may have the character themselves. The role is empty where
// there is none.
[[nodiscard]] std::pair<std::string, std::string> group_and_role(const std::string& item);

// Empty: it has to be said, and is not.
[[nodiscard]] std::string user_name_attribute(const LdapSettings& settings);

struct LdapMistake {
    Severity severity;
    std::string_view name;  // Of the setting, without its section.
    std::string what;
};

// Of settings that are used.
[[nodiscard]] std::vector<LdapMistake> mistakes_in(const LdapSettings& settings);

}  // namespace chappe::server
