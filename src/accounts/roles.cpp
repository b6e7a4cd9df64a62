// The functions of AccountStore that concern roles.

#include <algorithm>

#include "accounts/account_store.h"
#include "accounts/fault.h"
#include "accounts/valid.h"

namespace chappe::accounts {

// What the first step of schema.h writes.
std::vector<Role> ready_made_roles() {
    return {
        {"admin",
         "Everything, the broker's own topics included",
         {"allow all #", "allow subscribe $SYS/#", "allow all $CONTROL/#"}},
        {"device",
         "Publish and subscribe below devices/USERNAME",
         {"allow publish devices/${username}/#", "allow subscribe devices/${username}/#"}},
        {"editor", "Publish and subscribe to all topics", {"allow all #"}},
        {"viewer", "Subscribe to all topics", {"allow subscribe #"}},
    };
}

bool is_ready_made(const Role& role) {
    return std::ranges::any_of(ready_made_roles(), [&](const Role& ready_made) {
        return role.name == ready_made.name && role.rules == ready_made.rules;
    });
}

store::Result<std::vector<Role>> AccountStore::read_roles() {
    std::vector<Role> roles;
    TRY(sql_.for_each("SELECT name, comment FROM roles ORDER BY name", [&](store::Row row) {
        roles.push_back(Role{.name = row.get<std::string>(0), .comment = row.get<std::string>(1)});
    }));
    auto next = roles.begin();  // Roles and rules are sorted alike.
    TRY(sql_.for_each("SELECT role, text FROM rules ORDER BY role, position", [&](store::Row row) {
        const auto name = row.get<std::string_view>(0);
        while (next != roles.end() && next->name < name) ++next;
        if (next != roles.end() && next->name == name) next->rules.push_back(row.get<std::string>(1));
    }));
    return roles;
}

Result<std::vector<Role>> AccountStore::roles() {
    const auto transaction = TRY(store::Transaction::read(sql_.database()));
    return TRY(read_roles());
}

Result<std::optional<Role>> AccountStore::find_role(std::string_view name) {
    const auto transaction = TRY(store::Transaction::read(sql_.database()));
    auto comment = TRY(sql_.first<std::string>("SELECT comment FROM roles WHERE name = ?", name));
    if (!comment) return std::optional<Role>();
    auto rules = TRY(sql_.texts("SELECT text FROM rules WHERE role = ? ORDER BY position", name));
    return Role{.name = std::string(name), .comment = *std::move(comment), .rules = std::move(rules)};
}

Result<void> AccountStore::need_role(std::string_view name) {
    if (!TRY(sql_.any("SELECT 1 FROM roles WHERE name = ?", name))) return no_such_role(name);
    return {};
}

Result<void> AccountStore::add_role(const Role& role) {
    TRY(check_name("role name", role.name));
    TRY(check_text("comment", role.comment));
    auto transaction = TRY(begin());
    if (TRY(sql_.any("SELECT 1 FROM roles WHERE name = ?", role.name))) {
        return std::unexpected(Error(Fault::RoleExists, "the role " + role.name + " exists already"));
    }
    if (TRY(sql_.count("SELECT count(*) FROM roles")) >= limits_.roles) return limit_reached("roles", limits_.roles);
    TRY(sql_.run("INSERT INTO roles(name, comment) VALUES (?, ?)", role.name, role.comment));
    TRY(replace_rules(role.name, role.rules));
    return commit(transaction);
}

Result<void> AccountStore::remove_role(std::string_view name, IfUsed if_used) {
    auto transaction = TRY(begin());
    TRY(need_role(name));
    const auto users = TRY(sql_.count("SELECT count(*) FROM user_roles WHERE role = ?", name));
    if (users > 0 && if_used == IfUsed::Refuse) {
        const auto one = TRY(sql_.first<std::string>("SELECT min(user) FROM user_roles WHERE role = ?", name));
        const auto others = users == 1 ? "" : " and " + std::to_string(users - 1) + " more";
        return std::unexpected(Error(
            Fault::RoleInUse, "the role " + std::string(name) + " is used by the user " + one.value_or("") + others));
    }
    TRY(sql_.run("DELETE FROM roles WHERE name = ?", name));
    return commit(transaction);
}

Result<void> AccountStore::set_rules(std::string_view role, std::span<const std::string> rules) {
    auto transaction = TRY(begin());
    TRY(need_role(role));
    TRY(replace_rules(role, rules));
    return commit(transaction);
}

Result<void> AccountStore::add_rule(std::string_view role, std::string_view rule) {
    auto transaction = TRY(begin());
    TRY(need_role(role));
    auto rules = TRY(sql_.texts("SELECT text FROM rules WHERE role = ? ORDER BY position", role));
    rules.emplace_back(rule);
    TRY(replace_rules(role, rules));
    return commit(transaction);
}

Result<void> AccountStore::remove_rule(std::string_view role, std::size_t position) {
    auto transaction = TRY(begin());
    TRY(need_role(role));
    auto rules = TRY(sql_.texts("SELECT text FROM rules WHERE role = ? ORDER BY position", role));
    if (position == 0 || position > rules.size()) {
        return std::unexpected(Error(Fault::NoSuchRule, "the role " + std::string(role) + " has no rule " +
                                                            std::to_string(position) + ", it has " +
                                                            std::to_string(rules.size())));
    }
    rules.erase(rules.begin() + static_cast<std::ptrdiff_t>(position - 1));
    TRY(replace_rules(role, rules));
    return commit(transaction);
}

Result<void> AccountStore::replace_rules(std::string_view role, std::span<const std::string> rules) {
    if (rules.size() > limits_.rules_per_role) return limit_reached("rules of a role", limits_.rules_per_role);
    TRY(sql_.run("DELETE FROM rules WHERE role = ?", role));
    std::int64_t position = 0;
    for (const auto& rule : rules) {
        TRY(check_rule(rule));
        TRY(sql_.run("INSERT INTO rules(role, position, text) VALUES (?, ?, ?)", role, ++position, rule));
    }
    return {};
}

}  // namespace chappe::accounts
