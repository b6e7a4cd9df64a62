#pragma once

// Errors are values: a function that can fail returns std::expected<T, E>, and TRY passes an error on to its caller.

#include <expected>
#include <utility>

// Evaluates to the value of `expression` (a std::expected), or returns its error from the enclosing function.
// A GNU statement expression, which g++ and clang both compile; the alternative is three lines at each call. Nothing
// that owns memory may be constructed before it in the same statement, as in `Pair{std::string(...), TRY(...)}`: when
// TRY returns, g++ 12 does not destroy what it has constructed so far.
#define TRY(expression)                                            \
    ({                                                             \
        auto&& try_result = (expression);                          \
        if (!try_result) [[unlikely]] {                            \
            return std::unexpected(std::move(try_result).error()); \
        }                                                          \
        *std::move(try_result);                                    \
    })
