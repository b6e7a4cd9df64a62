#pragma once

// From root to an ordinary user, for a program that needs root's power only to bind ports below 1024.

#include <string>

#include "net/io_error.h"

namespace chappe::net {

// The whole process becomes this user for good, with the user's groups. Of root's power the calling thread, and those
// that it starts from then on, keep only to bind ports below 1024; they can gain no other by what they execute. Does
// nothing where it is that user already; fails where it is neither that user nor root.
[[nodiscard]] Result<void> become_user(const std::string& name);

// Nothing is kept any more: for the calling thread and those that it starts from then on.
void give_up_capabilities() noexcept;

}  // namespace chappe::net
