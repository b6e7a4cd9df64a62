#pragma once

// What a program that serves many connections sets for its whole process, once, at its start.

#include <cstdint>
#include <string_view>

#include "net/io_error.h"

namespace chappe::net {

// Raises the number of open files to what the administrator allows (the hard limit), and tells it.
[[nodiscard]] Result<std::uint64_t> raise_open_file_limit();

// A write to a pipe or socket whose reader has gone fails with EPIPE instead of ending the program.
void ignore_broken_pipes() noexcept;

// Says "READY=1" or "STOPPING=1" to the service manager, if one has asked for it: NOTIFY_SOCKET, see sd_notify(3).
[[nodiscard]] Result<void> notify_service_manager(std::string_view state);

}  // namespace chappe::net
