#include "server/control_request.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace chappe::server {

using Json = nlohmann::json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string failure(std::string_view why) { return dump({{"error", why}}); }

std::expected<std::optional<std::string>, std::string> text_member(const Json& request, const char* name) {
    const auto found = request.find(name);
    if (found == request.end()) return std::optional<std::string>{};
    if (!found->is_string()) return std::unexpected(fmt::format("\"{}\" must be a string", name));
    return found->get<std::string>();
}

std::expected<bool, std::string> flag_member(const Json& request, const char* name) {
    const auto found = request.find(name);
    if (found == request.end()) return false;
    if (!found->is_boolean()) return std::unexpected(fmt::format("\"{}\" must be true or false", name));
    return found->get<bool>();
}

std::expected<std::optional<std::size_t>, std::string> count_member(const Json& request, const char* name) {
    const auto found = request.find(name);
    if (found == request.end()) return std::optional<std::size_t>{};
    if (!found->is_number_unsigned()) return std::unexpected(fmt::format("\"{}\" must be a number", name));
    return found->get<std::size_t>();
}

std::expected<void, std::string> check_members(const Json& request, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : request.items()) {
        if (std::ranges::find(known, name) != known.end()) continue;
        return std::unexpected(fmt::format("unknown member \"{}\"; there are: {}", name, fmt::join(known, ", ")));
    }
    return {};
}

}  // namespace chappe::server
