#pragma once

// A command that consists of others: `chappe user add`, `chappe user list`.

#include <span>

#include "apps/chappe/command.h"

namespace chappe::app {

struct GroupMember {
    const char* name;
    const char* summary;
    Run (*define)(CLI::App&);
};

[[nodiscard]] Run define_group(CLI::App& command, std::span<const GroupMember> members);

}  // namespace chappe::app
