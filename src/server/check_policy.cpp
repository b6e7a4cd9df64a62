#include "server/check_policy.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "policy/lint.h"
#include "server/policy_file.h"
#include "server/settings/key.h"
#include "server/settings/ldap.h"

namespace chappe::server {
namespace {

// A setting that names roles of those who come by a method.
struct RoleSetting {
    std::string_view key;
    std::string_view method;
    bool after_groups = false;  // As in "operators=editor".
};

constexpr std::array role_settings{
    RoleSetting{"access.certificate_roles", "certificate"},
    RoleSetting{"access.psk_roles", "psk"},
    RoleSetting{"jwt.roles", "jwt"},
    RoleSetting{"jwt.roles_allowed", "jwt"},
    RoleSetting{"hook.roles", "http"},
    RoleSetting{"hook.roles_allowed", "http"},
    RoleSetting{"ldap.roles", "ldap"},
    RoleSetting{"ldap.group_roles", "ldap", true},
};

class PolicyCheck {
public:
    explicit PolicyCheck(const Loaded& loaded)
        : loaded_(loaded), database_(accounts_path(loaded.settings.data_directory)) {}

    std::vector<Finding> run() && {
        const auto file = read_policy_of(loaded_.settings.access);
        for (const auto& finding : file.findings) add(finding);
        const auto snapshot = read_accounts(loaded_.settings.data_directory);
        if (!snapshot) report(Severity::Error, in_file(database_, 0), snapshot.error().text);
        // With half of the roles and users unknown, all else would be a guess.
        if (snapshot && file.findings.empty()) check(*snapshot, file.texts);
        std::ranges::stable_sort(
            findings_, {}, [](const Finding& finding) { return std::tie(finding.origin.place, finding.origin.line); });
        return std::move(findings_);
    }

private:
    void check(const accounts::Snapshot& snapshot, const access::PolicyTexts& texts) {
        const auto [roles, users] = access::merge(snapshot, texts);
        for (const auto& finding : policy::Policy::make(roles, users).findings) add(finding);
        for (const auto& finding : policy::lint(roles, users, surroundings(snapshot, texts))) add(finding);
        for (const auto& setting : role_settings) check_roles_of(setting, roles);
    }

    // A user who is disabled keeps the roles.
    [[nodiscard]] policy::Surroundings surroundings(const accounts::Snapshot& snapshot,
                                                    const access::PolicyTexts& texts) const {
        policy::Surroundings surroundings;
        auto& in_use = surroundings.roles_in_use;
        for (const auto& setting : role_settings) {
            if (is_asked(setting.method)) std::ranges::copy(roles_in(setting), std::back_inserter(in_use));
        }
        for (const auto& user : snapshot.users) in_use.insert(in_use.end(), user.roles.begin(), user.roles.end());
        for (const auto& role : snapshot.roles) {
            const bool is_replaced = has_role(texts.roles, role.name);
            if (!is_replaced && accounts::is_ready_made(role)) surroundings.roles_ready_made.push_back(role.name);
        }
        return surroundings;
    }

    [[nodiscard]] bool is_asked(std::string_view method) const {
        const auto& methods = loaded_.settings.access.methods;
        return std::ranges::find(methods, method) != methods.end();
    }

    [[nodiscard]] std::vector<std::string> roles_in(const RoleSetting& setting) const {
        auto names = std::get<std::vector<std::string>>(find_key(setting.key)->get(loaded_.settings));
        if (setting.after_groups) {
            for (auto& name : names) name = group_and_role(name).second;
        }
        return names;
    }

    // Those that are there by default may have been removed by somebody who uses no certificates, tokens or directory.
    void check_roles_of(const RoleSetting& setting, const std::vector<policy::RoleText>& roles) {
        const auto& key = *find_key(setting.key);
        const auto& origin = loaded_.origins.of(key);
        if (origin.kind == Origin::Kind::Default) return;
        for (const auto& name : roles_in(setting)) {
            if (has_role(roles, name)) continue;
            report(Severity::Warning, origin,
                   fmt::format("{} names the role {}, which there is not; clients have nothing of it", key.full_name(),
                               name));
        }
    }

    [[nodiscard]] static bool has_role(const std::vector<policy::RoleText>& roles, const std::string& name) {
        return std::ranges::find(roles, name, &policy::RoleText::name) != roles.end();
    }

    void add(const policy::Finding& finding) {
        const bool is_error = finding.severity == policy::Finding::Severity::Error;
        const auto& source = finding.source;
        const bool is_in_file = !source.file.empty();
        report(is_error ? Severity::Error : Severity::Warning,
               is_in_file ? in_file(source.file, source.line) : in_file(database_, 0),
               is_in_file ? finding.text : source.text() + ": " + finding.text);
    }

    void report(Severity severity, const Origin& origin, std::string message) {
        findings_.push_back({severity, origin, std::move(message)});
    }

    [[nodiscard]] static Origin in_file(const std::string& name, std::uint32_t line) {
        return {.kind = Origin::Kind::File, .place = name, .line = line, .column = 0};
    }

    const Loaded& loaded_;
    const std::string database_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check_policy(const Loaded& loaded) { return PolicyCheck(loaded).run(); }

}  // namespace chappe::server
