#pragma once

// Base 64 (RFC 4648).

#include <optional>
#include <string>
#include <string_view>

namespace chappe::crypto {

enum class Base64 {
    Padded,     // Section 4, with "=" up to a multiple of four characters.
    Unpadded,   // Section 4 without them, as hashes of passwords have it.
    Url,        // Section 5 with "-" and "_" and without padding, as JSON Web Tokens have it.
    UrlPadded,  // Section 5 with padding.
};

[[nodiscard]] std::string encode_base64(std::string_view bytes, Base64 form = Base64::Padded);

// Takes what encode_base64() writes and nothing else: no line ends, and no second way to write the same bytes.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text, Base64 form = Base64::Padded);

}  // namespace chappe::crypto
