#pragma once

#include <cstddef>
#include <string>

#include "apps/chappe/accounts/desk.h"

namespace chappe::app {

// All of a file of at most `size_max` bytes. The error begins with its path.
[[nodiscard]] Outcome<std::string> read_whole_file(const std::string& path, std::size_t size_max);

// The fingerprint (SHA-256, 64 digits) of the first certificate in a file of PEM.
[[nodiscard]] Outcome<std::string> fingerprint_of_file(const std::string& path);

}  // namespace chappe::app
