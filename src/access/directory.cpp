#include "access/directory.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "policy/rule_set.h"

namespace chappe::access {
namespace {

std::vector<policy::RoleText> roles_of(const accounts::Snapshot& snapshot) {
    std::vector<policy::RoleText> roles;
    for (const auto& role : snapshot.roles) {
        auto& text = roles.emplace_back(
            policy::RoleText{.name = role.name, .rules = {}, .source = {.file = {}, .line = 0, .role = role.name}});
        std::uint32_t position = 0;
        for (const auto& rule : role.rules) {
            text.rules.push_back({.text = rule, .source = {.file = {}, .line = ++position, .role = role.name}});
        }
    }
    return roles;
}

// A disabled user has no rights, whatever of theirs is still under way.
std::vector<policy::UserText> users_of(const accounts::Snapshot& snapshot) {
    std::vector<policy::UserText> users;
    for (const auto& user : snapshot.users) {
        if (user.enabled) users.push_back({.name = user.name, .roles = user.roles, .rules = {}, .source = {}});
    }
    return users;
}

bool has_role(std::span<const policy::RoleText> roles, std::string_view name) {
    return std::ranges::find(roles, name, &policy::RoleText::name) != roles.end();
}

bool restricts_any(const policy::Policy& policy, std::span<const policy::UserText> users) {
    return std::ranges::any_of(users,
                               [&](const auto& user) { return policy.rules_of(user.name, {}).restricts_receiving(); });
}

bool holds(const accounts::Ban& ban, WallTime now) {
    return !ban.until || *ban.until > std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

RolesAndUsers merge(const accounts::Snapshot& snapshot, const PolicyTexts& texts) {
    RolesAndUsers all{.roles = roles_of(snapshot), .users = users_of(snapshot)};
    std::erase_if(all.roles, [&](const auto& role) { return has_role(texts.roles, role.name); });
    all.roles.insert(all.roles.end(), texts.roles.begin(), texts.roles.end());
    all.users.insert(all.users.end(), texts.users.begin(), texts.users.end());
    return all;
}

Directory::Made Directory::make(accounts::Snapshot snapshot, const PolicyTexts& texts) {
    const auto [roles, users] = merge(snapshot, texts);
    auto made = policy::Policy::make(roles, users);
    if (!made.usable()) return {nullptr, std::move(made.findings)};
    auto directory = std::shared_ptr<Directory>(new Directory(std::move(snapshot), std::move(made.policy)));
    const auto& policy = directory->policy();
    directory->anonymous_is_open_ = !texts.is_set && !policy.has_role("anonymous");
    directory->restricts_receiving_ =
        (!directory->anonymous_is_open_ && policy.rules_of("", {}).restricts_receiving()) ||
        (texts.roles_from_outside ? policy.restricts_receiving() : restricts_any(policy, users));
    return {std::move(directory), std::move(made.findings)};
}

std::shared_ptr<const Directory> Directory::with_accounts(accounts::Snapshot snapshot) const {
    auto directory = std::shared_ptr<Directory>(new Directory(std::move(snapshot), policy_));
    directory->anonymous_is_open_ = anonymous_is_open_;
    directory->restricts_receiving_ = restricts_receiving_;
    return directory;
}

Directory::Directory(accounts::Snapshot snapshot, std::shared_ptr<const policy::Policy> policy)
    : snapshot_(std::move(snapshot)),
      policy_(std::move(policy)),
      by_name_(snapshot_.users.size(), TextHash(std::random_device()())),
      by_fingerprint_(0, by_name_.hash_function()),
      banned_users_(0, by_name_.hash_function()),
      banned_clients_(0, by_name_.hash_function()) {
    for (const auto& user : snapshot_.users) {
        by_name_.emplace(user.name, &user);
        for (const auto& fingerprint : user.fingerprints) by_fingerprint_.emplace(fingerprint, &user);
    }
    for (const auto& ban : snapshot_.bans) add(ban);
}

void Directory::add(const accounts::Ban& ban) {
    switch (ban.kind) {
        case accounts::BanKind::Address:
            if (const auto network = net::Network::parse(ban.value)) banned_networks_.emplace_back(*network, &ban);
            return;
        case accounts::BanKind::User:
            banned_users_.emplace(ban.value, &ban);
            return;
        case accounts::BanKind::Client:
            banned_clients_.emplace(ban.value, &ban);
            return;
    }
}

const accounts::User* Directory::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

const accounts::User* Directory::find_by_fingerprint(std::string_view fingerprint) const {
    const auto found = by_fingerprint_.find(fingerprint);
    return found == by_fingerprint_.end() ? nullptr : found->second;
}

std::optional<std::string> Directory::banned(const net::IpAddress& address, WallTime now) const {
    for (const auto& [network, ban] : banned_networks_) {
        if (holds(*ban, now) && network.contains(address)) return "the address is banned: " + ban->reason;
    }
    return std::nullopt;
}

std::optional<std::string> Directory::banned(std::string_view address, std::string_view user_name,
                                             std::string_view client_id, WallTime now) const {
    if (!banned_networks_.empty()) {
        const auto ip = net::IpAddress::parse(address);
        if (auto ban = ip ? banned(*ip, now) : std::nullopt) return ban;
    }
    if (const auto ban = banned_users_.find(user_name); ban != banned_users_.end() && holds(*ban->second, now)) {
        return "the user is banned: " + ban->second->reason;
    }
    if (const auto ban = banned_clients_.find(client_id); ban != banned_clients_.end() && holds(*ban->second, now)) {
        return "the client identifier is banned: " + ban->second->reason;
    }
    return std::nullopt;
}

}  // namespace chappe::access
