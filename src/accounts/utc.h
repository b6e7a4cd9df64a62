#pragma once

#include <string>

#include "accounts/account.h"

namespace chappe::accounts {

// "2026-03-31T09:15:00Z"
[[nodiscard]] std::string utc(Seconds time);

}  // namespace chappe::accounts
