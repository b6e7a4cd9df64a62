#pragma once

// What there is to say about users, roles and rules, for `chappe check`: the policy file and chappe.db together, as
// they would be used with these settings.

#include <vector>

#include "server/settings/load.h"

namespace chappe::server {

// Errors keep the broker from starting, or from letting anybody in who has an account; warnings are of what is hardly
// meant. By file and line. Changes nothing, whoever uses chappe.db at the moment.
[[nodiscard]] std::vector<Finding> check_policy(const Loaded& loaded);

}  // namespace chappe::server
