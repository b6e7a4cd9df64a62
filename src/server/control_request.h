#pragma once

// Requests of the operator, and answers, as JSON.

#include <cstddef>
#include <expected>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace chappe::server {

// Of client identifiers, topics and other texts in one answer, so that it can be sent at all.
inline constexpr std::size_t names_bytes_max = std::size_t{1024} * 1024;

// Texts from clients need not be UTF-8 that JSON takes; what is not is replaced, not refused.
[[nodiscard]] std::string dump(const nlohmann::json& json);
[[nodiscard]] std::string failure(std::string_view why);

// Each reads an optional member; the error is a text for the operator.
[[nodiscard]] std::expected<std::optional<std::string>, std::string> text_member(const nlohmann::json& request,
                                                                                 const char* name);
[[nodiscard]] std::expected<bool, std::string> flag_member(const nlohmann::json& request, const char* name);
[[nodiscard]] std::expected<std::optional<std::size_t>, std::string> count_member(const nlohmann::json& request,
                                                                                  const char* name);

// Fails where there is another one.
[[nodiscard]] std::expected<void, std::string> check_members(const nlohmann::json& request,
                                                             std::initializer_list<std::string_view> known);

}  // namespace chappe::server
