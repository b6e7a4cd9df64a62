#pragma once

// The head of an HTTP request (RFC 9112): everything up to the empty line. No I/O.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace chappe::web {

inline constexpr std::size_t request_head_max = 16 * 1024;

struct RequestHead {
    std::string method;
    std::string path;  // The target up to the query.
    bool is_http_1_1 = false;
    std::vector<std::pair<std::string, std::string>> fields;  // In order, names as they came.

    // The value of a field that is there exactly once; otherwise nothing.
    [[nodiscard]] std::optional<std::string_view> only(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;
    // The members of a field that is a list, over all its lines; empty ones are left out.
    [[nodiscard]] std::vector<std::string_view> list(std::string_view name) const;
    // Whether a list has this member, in any case.
    [[nodiscard]] bool list_has(std::string_view name, std::string_view member) const;
};

// Where the head ends in what has come so far: the bytes up to and with the empty line.
[[nodiscard]] std::optional<std::size_t> head_size(std::string_view text, std::size_t search_from = 0);

// Parses a whole head. Nothing: it is not one.
[[nodiscard]] std::optional<RequestHead> parse_request_head(std::string_view text);

}  // namespace chappe::web
