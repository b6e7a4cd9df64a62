#include "access/remembered.h"

namespace chappe::access {

crypto::Secret joined(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (const auto part : parts) size += part.size() + 1;
    std::string text;
    text.reserve(size);  // A copy left behind where it has grown would not be wiped.
    for (const auto part : parts) (text += part) += '\0';
    return crypto::Secret::taken_from(text);
}

}  // namespace chappe::access
