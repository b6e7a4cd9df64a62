#include "server/policy_file.h"

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/result.h"
#include "server/settings/load.h"
#include "server/settings/toml_reader.h"
#include "server/settings/value.h"

namespace chappe::server {
namespace {

class Reader {
public:
    explicit Reader(const std::string& name) : name_(name) { read_.texts.is_set = true; }

    PolicyFile read(std::string_view text) && {
        const auto document = read_toml(text);
        for (const auto& mistake : document.mistakes) report(mistake.position, mistake.message);
        for (const auto& table : document.tables) read_table(table);
        return std::move(read_);
    }

private:
    void report(Position position, std::string message) {
        read_.findings.push_back({.severity = policy::Finding::Severity::Error,
                                  .source = source(position),
                                  .column = position.column,
                                  .text = std::move(message)});
    }

    [[nodiscard]] policy::Source source(Position position, std::string role = {}) const {
        return {.file = name_, .line = position.line, .role = std::move(role)};
    }

    void read_table(const Table& table) {
        if (table.name.empty() && table.entries.empty()) return;
        if (table.name == "role" && table.is_repeated) return read_role(table);
        if (table.name == "user" && table.is_repeated) return read_user(table);
        report(table.position, fmt::format("a policy has [[role]] and [[user]] sections only, not \"{}\"", table.name));
    }

    void read_role(const Table& table) {
        policy::RoleText role{.name = name_of(table), .rules = {}};
        role.source = source(table.position, role.name);
        for (const auto& entry : table.entries) {
            if (entry.name == "name") continue;
            if (entry.name == "rules") {
                role.rules = rules_of(entry, role.name);
            } else {
                report(entry.position, fmt::format("a role has name and rules, not \"{}\"", entry.name));
            }
        }
        if (!role.name.empty()) read_.texts.roles.push_back(std::move(role));
    }

    void read_user(const Table& table) {
        policy::UserText user{.name = name_of(table), .roles = {}, .rules = {}, .source = source(table.position)};
        for (const auto& entry : table.entries) {
            if (entry.name == "name") continue;
            if (entry.name == "rules") {
                user.rules = rules_of(entry, {});
            } else if (entry.name == "roles") {
                for (const auto& [role, position] : texts_of(entry)) user.roles.push_back(role);
            } else {
                report(entry.position, fmt::format("a user has name, roles and rules, not \"{}\"", entry.name));
            }
        }
        if (!user.name.empty()) read_.texts.users.push_back(std::move(user));
    }

    [[nodiscard]] std::string name_of(const Table& table) {
        const auto found = std::ranges::find(table.entries, "name", &Entry::name);
        if (found == table.entries.end()) {
            report(table.position, fmt::format("this {} has no name", table.name));
            return {};
        }
        const auto* text = std::get_if<std::string>(&found->value.content);
        if (text != nullptr && !text->empty()) return *text;
        report(found->value.position, "a name is a text between quotes");
        return {};
    }

    [[nodiscard]] std::vector<policy::RuleText> rules_of(const Entry& entry, const std::string& role) {
        std::vector<policy::RuleText> rules;
        for (auto& [text, position] : texts_of(entry)) {
            rules.push_back({.text = std::move(text), .source = source(position, role)});
        }
        return rules;
    }

    [[nodiscard]] std::vector<std::pair<std::string, Position>> texts_of(const Entry& entry) {
        std::vector<std::pair<std::string, Position>> texts;
        const auto* items = std::get_if<std::vector<Raw>>(&entry.value.content);
        if (items == nullptr) report(entry.value.position, fmt::format("{} is an array of texts", entry.name));
        if (items == nullptr) return texts;
        for (const auto& item : *items) {
            if (const auto* text = std::get_if<std::string>(&item.content)) {
                texts.emplace_back(*text, item.position);
            } else {
                report(item.position, fmt::format("{} is an array of texts", entry.name));
            }
        }
        return texts;
    }

    const std::string& name_;
    PolicyFile read_;
};

}  // namespace

PolicyFile read_policy(std::string_view text, const std::string& name) { return Reader(name).read(text); }

PolicyFile read_policy_file(const std::string& path) {
    constexpr std::size_t mebibytes_max = 64;
    const auto text = read_text_file(path, mebibytes_max);
    if (text) return read_policy(*text, path);
    PolicyFile unread;
    unread.texts.is_set = true;
    unread.findings.push_back({.severity = policy::Finding::Severity::Error,
                               .source = {.file = path, .line = 0, .role = {}},
                               .text = "cannot be read: " + text.error()});
    return unread;
}

std::string print_policy(const access::PolicyTexts& texts) {
    std::string text;
    const auto begin = [&](std::string_view section, const std::string& name) {
        text += fmt::format("{}[[{}]]\nname = {}\n", text.empty() ? "" : "\n", section, quote(name));
    };
    const auto add_rules = [&](const std::vector<policy::RuleText>& rules) {
        text += "rules = [\n";
        for (const auto& rule : rules) text += fmt::format("  {},\n", quote(rule.text));
        text += "]\n";
    };
    for (const auto& role : texts.roles) {
        begin("role", role.name);
        add_rules(role.rules);
    }
    for (const auto& user : texts.users) {
        begin("user", user.name);
        if (!user.roles.empty()) {
            const auto quoted = user.roles | std::views::transform([](const auto& role) { return quote(role); });
            text += fmt::format("roles = [{}]\n", fmt::join(quoted, ", "));
        }
        add_rules(user.rules);
    }
    return text;
}

PolicyFile read_policy_of(const AccessSettings& settings) {
    PolicyFile file;
    if (!settings.policy.empty()) file = read_policy_file(settings.policy);
    const auto is_asked = [&](std::string_view name) {
        return std::ranges::find(settings.methods, name) != settings.methods.end();
    };
    const bool by_token = !settings.jwt.roles.empty() || !settings.jwt.roles_claim.empty();
    const bool by_hook = !settings.hook.roles.empty() || !settings.hook.roles_allowed.empty();
    const bool by_directory = !settings.ldap.roles.empty() || !settings.ldap.group_roles.empty();
    file.texts.roles_from_outside = (is_asked("certificate") && !settings.certificate_roles.empty()) ||
                                    (is_asked("jwt") && by_token) || (is_asked("http") && by_hook) ||
                                    (is_asked("ldap") && by_directory);
    return file;
}

accounts::Result<accounts::Snapshot> read_accounts(const std::string& data_directory) {
    const auto path = accounts_path(data_directory);
    std::error_code unknown;  // Opening says what is wrong.
    if (std::filesystem::status(path, unknown).type() == std::filesystem::file_type::not_found) {
        accounts::Snapshot snapshot;
        snapshot.roles = accounts::ready_made_roles();
        return snapshot;
    }
    auto store = TRY(accounts::AccountStore::look_at(path));
    return store.snapshot();
}

access::Directory::Made make_directory(accounts::Snapshot snapshot, const PolicyFile& file) {
    if (!file.findings.empty()) return {nullptr, file.findings};
    return access::Directory::make(std::move(snapshot), file.texts);
}

std::string lines_of(const std::vector<policy::Finding>& findings) {
    std::string lines;
    for (const auto& finding : findings) lines += (lines.empty() ? "" : "\n") + to_string(finding);
    return lines;
}

std::string to_string(const policy::Finding& finding) {
    const auto* severity = finding.severity == policy::Finding::Severity::Error ? "error" : "warning";
    const auto& source = finding.source;
    if (source.file.empty()) return fmt::format("{}: {}: {}", source.text(), severity, finding.text);
    if (source.line == 0) return fmt::format("{}: {}: {}", source.file, severity, finding.text);
    return fmt::format("{}:{}: {}: {}", source.file, source.line, severity, finding.text);
}

}  // namespace chappe::server
