#include "crypto/preshared_keys.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <openssl/crypto.h>

#include "base/text.h"
#include "base/utf8.h"

namespace chappe::crypto {

namespace {

constexpr std::size_t identity_size_max = 128;  // What every implementation has to take (RFC 4279, 5.3).
constexpr std::size_t key_size_min = 16;        // RFC 9257, 4: whoever has seen a handshake can try keys.
constexpr std::size_t key_size_max = 64;        // RFC 4279, 5.3.

std::string_view fault_of_identity(std::string_view identity) {
    if (identity.empty()) return "there is no identity before the colon";
    if (identity.size() > identity_size_max) return "the identity is longer than 128 bytes";
    if (!is_valid_utf8(identity)) return "the identity is not UTF-8";
    return std::ranges::any_of(identity, is_control) ? "the identity has a control character" : "";
}

std::string_view fault_of_key(std::string_view digits) {
    if (digits.size() % 2 != 0) return "the key has an odd number of hexadecimal digits";
    if (digits.size() < 2 * key_size_min) {
        return "the key is shorter than 16 bytes (32 hexadecimal digits), and could be guessed from a handshake that "
               "somebody has recorded; `openssl rand -hex 32` makes a good one";
    }
    return digits.size() > 2 * key_size_max ? "the key is longer than 64 bytes (128 hexadecimal digits)" : "";
}

std::optional<Secret> decode(std::string_view digits) {
    std::string bytes;
    bytes.reserve(digits.size() / 2);
    bool is_right = true;
    for (std::size_t at = 0; at + 1 < digits.size(); at += 2) {
        const int high = OPENSSL_hexchar2int(static_cast<unsigned char>(digits[at]));
        const int low = OPENSSL_hexchar2int(static_cast<unsigned char>(digits[at + 1]));
        is_right = is_right && high >= 0 && low >= 0;
        bytes += static_cast<char>(is_right ? high * 16 + low : 0);
    }
    auto key = Secret::taken_from(bytes);
    return is_right ? std::optional(std::move(key)) : std::nullopt;
}

std::unexpected<std::string> fault(std::size_t line, std::string_view text) {
    return std::unexpected("line " + std::to_string(line) + ": " + std::string(text));
}

}  // namespace

std::expected<PresharedKeys, std::string> PresharedKeys::parse(std::string_view text) {
    PresharedKeys made;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) continue;
        const auto colon = line.rfind(':');  // An identity may have colons, a key has none.
        if (colon == line.npos) return fault(number, "there is no colon: a line is IDENTITY:KEY");
        const auto identity = trimmed(line.substr(0, colon));
        const auto digits = trimmed(line.substr(colon + 1));
        if (const auto why = fault_of_identity(identity); !why.empty()) return fault(number, why);
        if (const auto why = fault_of_key(digits); !why.empty()) return fault(number, why);
        auto key = decode(digits);
        if (!key) return fault(number, "the key is not written in hexadecimal digits");
        if (!made.keys_.try_emplace(std::string(identity), *std::move(key)).second) {
            return fault(number, "the identity has a key already");
        }
    }
    if (made.empty()) return std::unexpected("there is no key in it");
    return made;
}

const Secret* PresharedKeys::find(std::string_view identity) const {
    const auto found = keys_.find(identity);
    return found == keys_.end() ? nullptr : &found->second;
}

}  // namespace chappe::crypto
