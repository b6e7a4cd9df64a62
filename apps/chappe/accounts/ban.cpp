// chappe ban: addresses, users and clients that are not let in, whatever they know.

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "accounts/utc.h"
#include "accounts/valid.h"
#include "apps/chappe/accounts/desk.h"
#include "apps/chappe/accounts/group.h"
#include "server/settings/units.h"

namespace chappe::app {
namespace {

constexpr std::uint64_t ban_seconds_max = std::uint64_t{100} * 365 * 24 * 3600;

struct BanOptions {
    DataOptions data;
    std::string kind;
    std::string value;
    std::string duration;
    std::string reason;
    bool json = false;
};

std::shared_ptr<BanOptions> ban_options(CLI::App& command, const std::string& footer) {
    auto options = std::make_shared<BanOptions>();
    add_data_options(command, options->data);
    command.footer(footer + "\nExit codes: 0 done, 1 not done, 2 the command line is wrong.");
    return options;
}

void add_target(CLI::App& command, BanOptions& options) {
    command.add_option("KIND", options.kind, "address, user or client")
        ->required()
        ->check(CLI::IsMember({"address", "user", "client"}));
    command.add_option("VALUE", options.value, "An IP address or network, a user name, or a client identifier")
        ->required();
}

// Client identifiers may have letters that would do something to a terminal.
std::string printable(const std::string& text) {
    return OrderedJson(text).dump(-1, ' ', true, OrderedJson::error_handler_t::replace);
}

Outcome<std::optional<accounts::Seconds>> end_of_ban(const std::string& duration, accounts::Seconds now) {
    if (duration.empty()) return std::nullopt;
    const auto seconds = server::parse_duration(duration);
    if (!seconds) return std::unexpected("--for: " + seconds.error());
    if (*seconds == 0 || *seconds > ban_seconds_max) {
        return std::unexpected("--for: at least a second and at most 100 years; without it a ban does not end");
    }
    return now + static_cast<accounts::Seconds>(*seconds);
}

std::string end_text(const std::optional<accounts::Seconds>& until) {
    return until ? "until " + accounts::utc(*until) : std::string("for ever");
}

Outcome<void> add_ban(const BanOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto kind = *accounts::ban_kind_named(options.kind);
    const auto value = TRY(explained(accounts::plain_ban_value(kind, options.value)));
    const auto until = TRY(end_of_ban(options.duration, desk.now()));
    const accounts::Ban ban{
        .kind = kind, .value = value, .until = until, .reason = options.reason, .created_at = desk.now()};
    TRY(explained(desk.store().add_ban(ban)));
    print(fmt::format("{} {} banned {}", options.kind, printable(value), end_text(until)));
    return desk.record("ban add", options.kind + ' ' + value, end_text(until));
}

Run define_ban_add(CLI::App& command) {
    const auto options = ban_options(command, R"(Examples:
  chappe ban add address 192.0.2.7 --for 1h --reason 'guesses passwords'
  chappe ban add address 2001:db8::/32
  chappe ban add client pump-7

A ban of the same replaces the one before.)");
    add_target(command, *options);
    command.add_option("--for", options->duration, "When it ends, as in 90s, 10m, 36h, 30d; otherwise never")
        ->type_name("DURATION");
    command.add_option("--reason", options->reason, "Why, for people")->type_name("TEXT");
    return work_of("ban add", [options] { return add_ban(*options); });
}

OrderedJson json_of_ban(const accounts::Ban& ban) {
    OrderedJson json{{"kind", accounts::name_of(ban.kind)}, {"value", ban.value}, {"until", nullptr}};
    if (ban.until) json["until"] = accounts::utc(*ban.until);
    json["reason"] = ban.reason;
    json["created"] = accounts::utc(ban.created_at);
    return json;
}

Outcome<void> list_bans(const BanOptions& options) {
    auto desk = TRY(Desk::open(options.data));
    auto bans = TRY(explained(desk.store().bans()));
    std::erase_if(bans, [&](const accounts::Ban& ban) { return ban.until && *ban.until <= desk.now(); });
    auto list = OrderedJson::array();
    for (const auto& ban : bans) {
        if (options.json) {
            list.push_back(json_of_ban(ban));
        } else {
            print(fmt::format("{:<8} {} {}{}{}", accounts::name_of(ban.kind), printable(ban.value), end_text(ban.until),
                              ban.reason.empty() ? "" : ": ", ban.reason));
        }
    }
    if (options.json) print_json({{"bans", list}});
    return {};
}

Run define_ban_list(CLI::App& command) {
    const auto options = ban_options(command, R"(Examples:
  chappe ban list
  chappe ban list --json

Bans whose time is over are not listed.)");
    command.add_flag("--json", options->json, "Print one JSON object");
    return work_of("ban list", [options] { return list_bans(*options); });
}

Outcome<void> remove_ban(const BanOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto kind = *accounts::ban_kind_named(options.kind);
    const auto value = TRY(explained(accounts::plain_ban_value(kind, options.value)));
    TRY(explained(desk.store().remove_ban(kind, value)));
    print(fmt::format("{} {} is not banned any more", options.kind, printable(value)));
    return desk.record("ban remove", options.kind + ' ' + value);
}

Run define_ban_remove(CLI::App& command) {
    const auto options = ban_options(command, "Examples:\n  chappe ban remove address 192.0.2.7\n");
    add_target(command, *options);
    return work_of("ban remove", [options] { return remove_ban(*options); });
}

constexpr std::array ban_commands{
    GroupMember{"add", "Ban an address, a user or a client", define_ban_add},
    GroupMember{"list", "List all bans", define_ban_list},
    GroupMember{"remove", "Remove a ban", define_ban_remove},
};

}  // namespace

Run define_ban(CLI::App& command) {
    command.footer(R"(Examples:
  chappe ban add address 192.0.2.7 --for 1h --reason 'guesses passwords'
  chappe ban list
  chappe ban remove address 192.0.2.7

Exit codes: 0 done, 1 not done, 2 the command line is wrong.)");
    return define_group(command, ban_commands);
}

}  // namespace chappe::app
