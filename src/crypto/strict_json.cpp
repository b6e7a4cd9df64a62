#include "crypto/strict_json.h"

#include <set>
#include <string>
#include <vector>

namespace chappe::crypto {

namespace {

using Json = nlohmann::json;

constexpr int depth_max = 32;

}  // namespace

std::optional<Json> parse_json_object(std::string_view text) {
    std::vector<std::set<std::string>> names;  // Of the objects that are open.
    bool good = true;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
        if (depth > depth_max) good = false;
        if (event == Json::parse_event_t::object_start) names.emplace_back();
        if (event == Json::parse_event_t::object_end) names.pop_back();
        if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second) good = false;
        return true;
    };
    auto parsed = Json::parse(text, watch, false);
    if (!good || !parsed.is_object()) return std::nullopt;
    return parsed;
}

std::optional<std::string> text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_string()) return std::nullopt;
    return found->get<std::string>();
}

}  // namespace chappe::crypto
