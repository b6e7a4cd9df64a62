#pragma once

// JSON from strangers, and from other servers.

#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace chappe::crypto {

// An object, or nothing: also where a name comes twice in one object (two readers could see two things in it), and
// where it nests deeper than 32.
[[nodiscard]] std::optional<nlohmann::json> parse_json_object(std::string_view text);

// The text of a member: nothing where there is none, or it is not a text.
[[nodiscard]] std::optional<std::string> text_member(const nlohmann::json& object, const char* name);

}  // namespace chappe::crypto
