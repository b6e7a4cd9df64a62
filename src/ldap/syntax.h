#pragma once

// Whether what a person has written is what it should be, before a server is asked.

#include <optional>
#include <string>

namespace chappe::ldap {

[[nodiscard]] bool is_filter(const std::string& text);  // RFC 4515; the parentheses around it are wanted.
[[nodiscard]] bool is_dn(const std::string& text);      // RFC 4514; not the empty one.

// Of a distinguished name: what its first attribute is said to be. Nothing: it is none.
[[nodiscard]] std::optional<std::string> first_value_of(const std::string& dn);

struct Url {
    std::string host;
    bool is_tls = false;  // ldaps://
};

// ldap://HOST[:PORT] or ldaps://HOST[:PORT]; nothing: it is something else.
[[nodiscard]] std::optional<Url> parse_url(const std::string& text);

}  // namespace chappe::ldap
