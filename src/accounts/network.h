#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chappe::accounts {

// The only way to write an IP address ("192.0.2.7", "2001:db8::1") or a network ("192.0.2.0/24"); nothing if `text` is
// neither. IPv4 within IPv6 becomes IPv4, bits behind the prefix become 0, and a network of one address that address.
[[nodiscard]] std::optional<std::string> plain_network(std::string_view text);

}  // namespace chappe::accounts
