#pragma once

// Owns an object of a C library, which has a function that frees it.

#include <memory>

namespace chappe {

template <auto Free>
struct FreedBy {
    template <class Type>
    void operator()(Type* object) const noexcept {
        Free(object);
    }
};

template <class Type, auto Free>
using Handle = std::unique_ptr<Type, FreedBy<Free>>;

}  // namespace chappe
