#pragma once

// What a stranger has sent, made harmless inside a filter or a distinguished name. The notations differ: what stands in
// one is not good for the other.

#include <string>
#include <string_view>

namespace chappe::ldap {

// A value in a filter (RFC 4515, 3): it stands for itself, whatever bytes it has.
[[nodiscard]] std::string escape_in_filter(std::string_view value);

// A value in a distinguished name (RFC 4514, 2.4).
[[nodiscard]] std::string escape_in_dn(std::string_view value);

}  // namespace chappe::ldap
