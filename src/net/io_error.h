#pragma once

// What a failed call of the operating system becomes: a value that says what was tried, where, and why it failed, so
// that it can be shown to a person as it is: "listen on 127.0.0.1:1883: Address already in use".

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

namespace chappe::net {

struct IoError {
    int code;          // An errno value, for decisions.
    std::string what;  // For people and logs.
};

template <class T>
using Result = std::expected<T, IoError>;

// "tried: reason of the errno value", ready to be returned from a function with a Result.
[[nodiscard]] std::unexpected<IoError> io_error(std::string_view tried, int code);

// The reason alone: "Address already in use".
[[nodiscard]] std::string_view error_text(int code) noexcept;

}  // namespace chappe::net
