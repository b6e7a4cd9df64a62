#pragma once

// What a program that serves many connections sets for its whole process, once, at its start.

#include <cstdint>

#include "net/io_error.h"

namespace chappe::net {

// Raises the number of open files to what the administrator allows (the hard limit), and tells it.
[[nodiscard]] Result<std::uint64_t> raise_open_file_limit();

// A write to a pipe or socket whose reader has gone fails with EPIPE instead of ending the program.
void ignore_broken_pipes() noexcept;

}  // namespace chappe::net
