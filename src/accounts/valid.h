#pragma once

// What names and other values may look like. An error has Fault::Invalid, and says what would be right.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "accounts/account.h"
#include "accounts/error.h"

namespace chappe::accounts {

constexpr std::size_t name_size_max = 256;
// The largest topic filter of MQTT, and some words before it.
constexpr std::size_t rule_size_max = 66'000;
constexpr std::size_t text_size_max = 4'096;  // Of comments, reasons, hashes and keys.

// `what` names it in the error: "user name", "role name". 1 to 256 bytes of UTF-8 without control characters, and
// without spaces at its ends.
[[nodiscard]] Result<void> check_name(std::string_view what, std::string_view name);

// What a person should know of a user's name that is allowed: with '/', '+' or '#' in it, no rule that has ${username}
// will ever match.
[[nodiscard]] std::optional<std::string> name_warning(std::string_view name);

// One line. What it means is not looked at.
[[nodiscard]] Result<void> check_rule(std::string_view rule);

// May be empty; may not have control characters.
[[nodiscard]] Result<void> check_text(std::string_view what, std::string_view text);

[[nodiscard]] Result<void> check_password(const Password& password);

// The 64 lower-case digits of a SHA-256 that was written with upper-case digits or colons, as openssl x509 writes it.
[[nodiscard]] Result<std::string> plain_fingerprint(std::string_view text);

// The value of a ban in its only form: addresses and networks as inet_ntop writes them, IPv4 within IPv6 as IPv4,
// without bits behind a network's prefix. Users and clients are what MQTT allows: 1 to 65,535 bytes of UTF-8.
[[nodiscard]] Result<std::string> plain_ban_value(BanKind kind, std::string_view value);

}  // namespace chappe::accounts
