// chappe role: what users with a role may do.

#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "apps/chappe/accounts/desk.h"
#include "apps/chappe/accounts/group.h"
#include "apps/chappe/accounts/role_convert.h"
#include "policy/rule.h"

namespace chappe::app {
namespace {

constexpr auto role_exit_codes = "\nExit codes: 0 done, 1 not done, 2 the command line is wrong.";

struct RoleOptions {
    DataOptions data;
    std::string name;
    std::string comment;
    std::vector<std::string> rules;
    std::string action;
    std::string value;  // Of the action: a rule, or a rule's position.
    bool force = false;
    bool json = false;
};

using SharedRoleOptions = std::shared_ptr<RoleOptions>;

SharedRoleOptions role_options(CLI::App& command, const std::string& footer) {
    auto options = std::make_shared<RoleOptions>();
    add_data_options(command, options->data);
    command.footer(footer + role_exit_codes);
    return options;
}

SharedRoleOptions options_of_one_role(CLI::App& command, const std::string& footer) {
    auto options = role_options(command, footer);
    command.add_option("NAME", options->name, "The role's name")->required();
    return options;
}

// The broker would not take it either.
Outcome<void> check_rule(const std::string& text) {
    const auto rule = policy::Rule::parse(text, {});
    if (rule) return {};
    return std::unexpected(
        fmt::format("the rule \"{}\" is wrong at letter {}: {}", text, rule.error().at + 1, rule.error().text));
}

OrderedJson json_of_role(const accounts::Role& role) {
    return {{"name", role.name}, {"comment", role.comment}, {"rules", role.rules}};
}

void print_rules(const accounts::Role& role) {
    for (std::size_t i = 0; i < role.rules.size(); ++i) print(fmt::format("{:>3} {}", i + 1, role.rules[i]));
}

Outcome<void> list_roles(const RoleOptions& options) {
    auto desk = TRY(Desk::open(options.data));
    const auto roles = TRY(explained(desk.store().roles()));
    auto list = OrderedJson::array();
    for (const auto& role : roles) {
        if (options.json) {
            list.push_back(json_of_role(role));
        } else {
            print(fmt::format("{:<16} {:<8} {}", role.name, counted(role.rules.size(), "rule"), role.comment));
        }
    }
    if (options.json) print_json({{"roles", list}});
    return {};
}

Run define_role_list(CLI::App& command) {
    const auto options = role_options(command, "Examples:\n  chappe role list\n  chappe role list --json\n");
    command.add_flag("--json", options->json, "Print one JSON object");
    return work_of("role list", [options] { return list_roles(*options); });
}

Outcome<void> show_role(const RoleOptions& options) {
    auto desk = TRY(Desk::open(options.data));
    const auto role = TRY(need_role(desk, options.name));
    if (options.json) {
        print_json(json_of_role(role));
        return {};
    }
    print("role " + role.name + (role.comment.empty() ? "" : ": " + role.comment));
    print_rules(role);
    return {};
}

Run define_role_show(CLI::App& command) {
    const auto options = options_of_one_role(command, "Examples:\n  chappe role show device\n");
    command.add_flag("--json", options->json, "Print one JSON object");
    return work_of("role show", [options] { return show_role(*options); });
}

Outcome<void> add_role(const RoleOptions& options) {
    for (const auto& rule : options.rules) TRY(check_rule(rule));
    auto desk = TRY(Desk::open_to_change(options.data));
    const accounts::Role role{.name = options.name, .comment = options.comment, .rules = options.rules};
    TRY(explained(desk.store().add_role(role)));
    print("role " + role.name + " added, with " + counted(role.rules.size(), "rule"));
    return desk.record("role add", role.name, fmt::format("{}", fmt::join(role.rules, "; ")));
}

Run define_role_add(CLI::App& command) {
    const auto options = options_of_one_role(command, R"(Examples:
  chappe role add sensor --rule 'allow publish sensors/${username}/#'
  chappe role add meter --comment 'Meters of the north site' \
      --rule 'allow publish north/+/meter' --rule 'deny publish north/secret/#'

What no rule allows is denied, and a rule that denies wins.
)");
    command.add_option("--rule", options->rules, "A rule of the role; may be repeated")
        ->type_name("TEXT")
        ->allow_extra_args(false);
    command.add_option("--comment", options->comment, "A note for people")->type_name("TEXT");
    return work_of("role add", [options] { return add_role(*options); });
}

Outcome<void> remove_role(const RoleOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto if_used = options.force ? accounts::IfUsed::TakeFromUsers : accounts::IfUsed::Refuse;
    TRY(explained(desk.store().remove_role(options.name, if_used)));
    print("role " + options.name + " removed");
    return desk.record("role remove", options.name);
}

Run define_role_remove(CLI::App& command) {
    const auto options =
        options_of_one_role(command, "Examples:\n  chappe role remove meter\n  chappe role remove meter --force\n");
    command.add_flag("--force", options->force, "Also where users have it: take it from them");
    return work_of("role remove", [options] { return remove_role(*options); });
}

Outcome<std::size_t> position_of(const std::string& text) {
    std::size_t position = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, position);
    if (read.ec == std::errc() && read.ptr == end && position > 0) return position;
    return std::unexpected("the position of a rule is a number from 1, not \"" + text +
                           "\"; chappe role show lists the rules");
}

// Returns the rule.
Outcome<std::string> remove_rule(Desk& desk, const RoleOptions& options) {
    const auto position = TRY(position_of(options.value));
    const auto role = TRY(need_role(desk, options.name));
    TRY(explained(desk.store().remove_rule(options.name, position)));
    return position <= role.rules.size() ? role.rules[position - 1] : options.value;
}

Outcome<std::string> add_rule(Desk& desk, const RoleOptions& options) {
    TRY(check_rule(options.value));
    TRY(explained(desk.store().add_rule(options.name, options.value)));
    return options.value;
}

Outcome<void> change_rule(const RoleOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto rule = TRY(options.action == "add" ? add_rule(desk, options) : remove_rule(desk, options));
    const auto role = TRY(need_role(desk, options.name));
    print("role " + role.name + " now has " + counted(role.rules.size(), "rule"));
    print_rules(role);
    return desk.record("role rule " + options.action, options.name, rule);
}

Run define_role_rule(CLI::App& command) {
    const auto options = options_of_one_role(command, R"(Examples:
  chappe role rule sensor add 'allow subscribe commands/${username}/#'
  chappe role rule sensor remove 2

A rule is added as the last one. The position of a rule is what chappe role show prints before it.
)");
    command.add_option("ACTION", options->action, "add or remove")->required()->check(CLI::IsMember({"add", "remove"}));
    command.add_option("VALUE", options->value, "The rule to add, or the position of the one to remove")->required();
    return work_of("role rule", [options] { return change_rule(*options); });
}

constexpr std::array role_commands{
    GroupMember{"list", "List all roles", define_role_list},
    GroupMember{"show", "Show the rules of a role", define_role_show},
    GroupMember{"add", "Add a role", define_role_add},
    GroupMember{"remove", "Remove a role", define_role_remove},
    GroupMember{"rule", "Add a rule to a role, or remove one", define_role_rule},
    GroupMember{"convert", "Print a policy file made of Mosquitto's ACL file", define_role_convert},
};

}  // namespace

Run define_role(CLI::App& command) {
    command.footer(R"(Examples:
  chappe role list
  chappe role show device
  chappe role add sensor --rule 'allow publish sensors/${username}/#'

chappe user role gives roles to users. Exit codes: 0 done, 1 not done, 2 the command line is wrong.)");
    return define_group(command, role_commands);
}

}  // namespace chappe::app
