#pragma once

#include "apps/chappe/command.h"

namespace chappe::app {

// What a new user has where nothing else was said.
inline constexpr auto default_role = "editor";

[[nodiscard]] Run define_user_import(CLI::App& command);

}  // namespace chappe::app
