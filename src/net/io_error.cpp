#include "net/io_error.h"

#include <cstring>

namespace chappe::net {

std::string_view error_text(int code) noexcept {
    const auto* text = strerrordesc_np(code);  // Unlike strerror, the same for every thread and language.
    return text != nullptr ? text : "unknown error";
}

std::unexpected<IoError> io_error(std::string_view tried, int code) {
    auto what = std::string(tried);
    what += ": ";
    what += error_text(code);
    return std::unexpected(IoError{code, std::move(what)});
}

}  // namespace chappe::net
