#pragma once

// ASSERT stops the program when something that must be true is not. It stays in release builds: a broker that goes on
// with a broken invariant can lose messages in silence, one that stops is restarted and resumes from what it has
// written.

namespace chappe {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace chappe

#define ASSERT(condition)                                               \
    do {                                                                \
        if (!(condition)) [[unlikely]] {                                \
            ::chappe::assertion_failed(#condition, __FILE__, __LINE__); \
        }                                                               \
    } while (false)
