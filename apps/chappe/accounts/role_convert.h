#pragma once

#include "apps/chappe/command.h"

namespace chappe::app {

Run define_role_convert(CLI::App& command);

}  // namespace chappe::app
