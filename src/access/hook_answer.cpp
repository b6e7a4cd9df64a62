#include "access/hook_answer.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <expected>
#include <string_view>

#include "base/result.h"
#include "crypto/strict_json.h"

namespace chappe::access {
namespace {

using nlohmann::json;

template <class Value>
using Read = std::expected<Value, std::string>;

const json* member(const json& object, std::string_view name) {
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

// Empty where there is none.
Read<std::string> read_text(const json& object, std::string_view name) {
    const auto* text = member(object, name);
    if (text == nullptr) return {};
    if (!text->is_string()) return std::unexpected(std::string(name) + " is not a text");
    return text->get<std::string>();
}

Read<std::vector<std::string>> read_roles(const json& object) {
    std::vector<std::string> roles;
    const auto* all = member(object, "roles");
    if (all == nullptr) return roles;
    const bool are_texts =
        all->is_array() && std::ranges::all_of(*all, [](const json& one) { return one.is_string(); });
    if (!are_texts) return std::unexpected("roles is not an array of texts");
    for (const auto& role : *all) roles.push_back(role.get<std::string>());
    return roles;
}

Read<std::vector<std::pair<std::string, std::string>>> read_claims(const json& object) {
    std::vector<std::pair<std::string, std::string>> claims;
    const auto* all = member(object, "attributes");
    if (all == nullptr) return claims;
    const bool are_texts =
        all->is_object() && std::ranges::all_of(*all, [](const json& one) { return one.is_string(); });
    if (!are_texts) return std::unexpected("attributes is not an object of texts");
    for (const auto& [name, value] : all->items()) claims.emplace_back(name, value.get<std::string>());
    return claims;
}

// The year may be one that a clock of nanoseconds does not reach.
Read<std::optional<WallTime>> read_end(const json& object) {
    static constexpr std::uint64_t year_2200 = 7'258'118'400;
    const auto* end = member(object, "expires_at");
    if (end == nullptr) return std::nullopt;
    if (!end->is_number_unsigned()) return std::unexpected("expires_at is not a number of seconds since 1970");
    return WallTime(std::chrono::seconds{std::min(end->get<std::uint64_t>(), year_2200)});
}

Read<HookAnswer> read_allowed(const json& object) {
    HookAnswer answer;
    answer.user_name = TRY(read_text(object, "user_name"));
    answer.roles = TRY(read_roles(object));
    answer.claims = TRY(read_claims(object));
    answer.expires_at = TRY(read_end(object));
    return answer;
}

// A reason is for the log, where a line should be one.
std::string with_reason(std::string text, const json& object) {
    static constexpr std::size_t reason_size_max = 200;
    auto reason = read_text(object, "reason").value_or("");
    if (reason.empty()) return text;
    if (reason.size() > reason_size_max) {
        auto end = reason_size_max;
        while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xC0) == 0x80) --end;  // Within a character.
        reason.resize(end);
    }
    return text + ": " + reason;
}

Refused unreadable(std::string_view why) {
    return {.why = "the answer cannot be read: " + std::string(why), .cannot_tell = true};
}

std::variant<HookAnswer, Declined, Refused> read_body(std::string_view body) {
    const auto object = crypto::parse_json_object(body);
    if (!object) return unreadable("it is not a JSON object");
    const auto result = read_text(*object, "result").value_or("");
    if (result == "deny") return Refused{.why = with_reason("denied", *object), .wrong_secret = true};
    if (result == "ignore") return Declined{with_reason("not for this server to say", *object)};
    if (result != "allow") return unreadable("result is none of allow, deny and ignore");
    auto allowed = read_allowed(*object);
    if (!allowed) return unreadable(allowed.error());
    return *std::move(allowed);
}

}  // namespace

std::variant<HookAnswer, Declined, Refused> read_hook_answer(const http::Response& response) {
    switch (response.status) {
        case 200:
            return read_body(response.body);
        case 204:
            return HookAnswer{};
        case 401:  // Not the client's fault.
            return Refused{.why = "the server does not take the secret of the broker (401)", .cannot_tell = true};
        case 403:
            return Refused{.why = "denied with status 403", .wrong_secret = true};
        case 404:
            return Declined{"the server does not know the client (404)"};
        default:
            return Refused{.why = "the server has answered with status " + std::to_string(response.status),
                           .cannot_tell = true};
    }
}

}  // namespace chappe::access
