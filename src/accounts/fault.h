#pragma once

// The texts of errors that several functions have.

#include <string>
#include <string_view>

#include "accounts/error.h"

namespace chappe::accounts {

// A name that was asked for as a text may show it: "of that name" where it could not be one.
[[nodiscard]] std::string shown(std::string_view name);

[[nodiscard]] std::unexpected<Error> no_such_user(std::string_view name);
[[nodiscard]] std::unexpected<Error> no_such_role(std::string_view name);
// "what: there may be at most 1000".
[[nodiscard]] std::unexpected<Error> limit_reached(std::string_view what, std::size_t limit);

}  // namespace chappe::accounts
