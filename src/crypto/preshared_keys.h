#pragma once

// Keys that a server shares with its clients for TLS-PSK, from a file as Mosquitto's psk_file.

#include <cstddef>
#include <expected>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/secret.h"

namespace chappe::crypto {

class PresharedKeys {
public:
    // Each line is IDENTITY:KEY, with the key in hexadecimal digits; lines that are blank or begin with # are passed
    // over. An error is for people and begins with the number of its line; it never has anything of a key.
    [[nodiscard]] static std::expected<PresharedKeys, std::string> parse(std::string_view text);

    // Null: nobody of that name has a key.
    [[nodiscard]] const Secret* find(std::string_view identity) const;
    // In the order of their identities; there is one at least.
    [[nodiscard]] const std::pair<const std::string, Secret>& first() const noexcept { return *keys_.begin(); }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }
    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }

private:
    std::map<std::string, Secret, std::less<>> keys_;
};

}  // namespace chappe::crypto
