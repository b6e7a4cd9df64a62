#pragma once

// Where a secret comes from. The configuration names the place, never the secret: it is shown, logged and kept in
// version control.

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "crypto/secret.h"

namespace chappe::crypto {

inline constexpr std::size_t secret_size_max = std::size_t{64} * 1024;

// `source` is one of
//     file:PATH         a file; one line end at its end is not part of the secret
//     env:NAME          an environment variable
//     credential:NAME   a systemd credential: a file in the directory $CREDENTIALS_DIRECTORY, read like file:
// An error says what is wrong and what would be right, and has nothing of the secret: not even the source where it has
// none of these forms, for it may be the secret itself. An empty secret is an error. Blocks as reading a file does.
[[nodiscard]] std::expected<Secret, std::string> read_secret(std::string_view source);

// The file that a secret comes from, for those who watch it; empty: it comes from something that does not change.
[[nodiscard]] std::string file_of_secret(std::string_view source);

// A file, of not more than `size_max` bytes; one line end at its end is not part of the secret. Otherwise as above.
[[nodiscard]] std::expected<Secret, std::string> read_secret_file(const std::string& path,
                                                                  std::size_t size_max = secret_size_max);

// Whether users who are neither the file's owner nor in its group may read it. False where that cannot be found out.
[[nodiscard]] bool is_readable_by_others(const std::string& path);

}  // namespace chappe::crypto
