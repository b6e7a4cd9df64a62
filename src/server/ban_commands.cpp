#include "server/ban_commands.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "accounts/utc.h"
#include "accounts/valid.h"
#include "base/result.h"
#include "server/control_request.h"

namespace chappe::server {
namespace {

using Json = nlohmann::json;
using Answer = std::expected<Json, std::string>;

constexpr std::array<std::string_view, 3> commands{"ban", "bans", "unban"};
constexpr std::size_t seconds_max = std::size_t{100} * 365 * 24 * 3600;

struct Target {
    accounts::BanKind kind;
    std::string value;  // In its only form.
};

std::expected<Target, std::string> target_in(const Json& request) {
    const auto kind = accounts::ban_kind_named(TRY(text_member(request, "kind")).value_or(""));
    if (!kind) return std::unexpected(R"("kind" must be address, user or client)");
    const auto value = TRY(text_member(request, "value"));
    if (!value) return std::unexpected(R"("value" must say who: an IP address or network, a user, a client)");
    auto plain = accounts::plain_ban_value(*kind, *value);
    if (!plain) return std::unexpected(plain.error().text);
    return Target{*kind, *std::move(plain)};
}

Answer list(const Json& request, BanDesk& desk, accounts::Seconds now) {
    TRY(check_members(request, {}));
    auto bans = TRY(desk.bans());
    std::erase_if(bans, [&](const auto& ban) { return ban.until && *ban.until <= now; });
    auto found = Json::array();
    std::size_t bytes = 0;
    for (const auto& ban : bans) {
        bytes += ban.value.size() + ban.reason.size();
        if (bytes > names_bytes_max) break;
        found.push_back({{"kind", accounts::name_of(ban.kind)},
                         {"value", ban.value},
                         {"until", ban.until ? Json(accounts::utc(*ban.until)) : Json()},
                         {"reason", ban.reason},
                         {"created", accounts::utc(ban.created_at)}});
    }
    const auto left_out = bans.size() - found.size();
    return Json{{"bans", std::move(found)}, {"left_out", left_out}};
}

Answer add(const Json& request, BanDesk& desk, accounts::Seconds now) {
    TRY(check_members(request, {"kind", "value", "seconds", "reason"}));
    auto target = TRY(target_in(request));
    const auto seconds = TRY(count_member(request, "seconds"));
    if (seconds && (*seconds == 0 || *seconds > seconds_max)) {
        return std::unexpected(R"("seconds" must be at least 1 and at most 100 years; without it a ban does not end)");
    }
    accounts::Ban ban{.kind = target.kind,
                      .value = std::move(target.value),
                      .until = std::nullopt,
                      .reason = TRY(text_member(request, "reason")).value_or(""),
                      .created_at = now};
    if (seconds) ban.until = now + static_cast<accounts::Seconds>(*seconds);
    TRY(desk.add_ban(ban));
    return Json{{"banned", ban.value}};
}

Answer remove(const Json& request, BanDesk& desk) {
    TRY(check_members(request, {"kind", "value"}));
    const auto target = TRY(target_in(request));
    TRY(desk.remove_ban(target.kind, target.value));
    return Json{{"unbanned", target.value}};
}

}  // namespace

bool is_ban_command(std::string_view command) noexcept {
    return std::ranges::find(commands, command) != commands.end();
}

std::string answer_ban_command(std::string_view command, const Json& request, BanDesk& desk, accounts::Seconds now) {
    const auto answer = command == "bans"  ? list(request, desk, now)
                        : command == "ban" ? add(request, desk, now)
                                           : remove(request, desk);
    return answer ? dump(*answer) : failure(answer.error());
}

}  // namespace chappe::server
