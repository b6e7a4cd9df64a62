#pragma once

#include <string>

#include "accounts/account.h"

namespace chappe::accounts {

// By the clock of the system.
[[nodiscard]] Seconds seconds_since_1970();

// "2026-03-31T09:15:00Z"
[[nodiscard]] std::string utc(Seconds time);

}  // namespace chappe::accounts
