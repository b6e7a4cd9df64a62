#include "policy/lint.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "policy/rule.h"

namespace chappe::policy {
namespace {

constexpr std::string_view everyone = "everyone";
constexpr std::string_view anonymous = "anonymous";

using Rules = std::vector<Rule>;
using Others = std::vector<const Rules*>;

void add_rules(Rules& rules, std::span<const RuleText> texts) {
    for (const auto& text : texts) {
        if (auto rule = Rule::parse(text.text, text.source)) rules.push_back(*std::move(rule));
    }
}

std::string quoted(const Rule& rule) { return "\"" + rule.text + "\""; }

class Lint {
public:
    Lint(std::span<const RoleText> roles, std::span<const UserText> users, const Surroundings& surroundings)
        : roles_(roles),
          users_(users),
          used_(surroundings.roles_in_use.begin(), surroundings.roles_in_use.end()),
          ready_made_(surroundings.roles_ready_made.begin(), surroundings.roles_ready_made.end()) {
        used_.insert(everyone);
        used_.insert(anonymous);
        for (const auto& user : users) used_.insert(user.roles.begin(), user.roles.end());
        for (const auto& role : roles) add_rules(rules_[role.name], role.rules);
    }

    std::vector<Finding> run() && {
        std::set<std::string_view> seen;  // A role may be given in several pieces.
        for (const auto& role : roles_) {
            if (seen.insert(role.name).second) check(role);
        }
        for (const auto& user : users_) check(user);
        return std::move(findings_);
    }

private:
    void warn(const Source& source, std::string text) {
        findings_.push_back({.severity = Finding::Severity::Warning, .source = source, .text = std::move(text)});
    }

    void check(const RoleText& role) {
        if (ready_made_.contains(role.name)) return;
        if (!used_.contains(role.name)) {
            warn(role.source, "nobody has the role " + role.name + "; give it to a user, or remove it");
        }
        check(rules_.at(role.name), role.name == everyone ? Others{} : Others{&rules_of(everyone)});
    }

    // Their own rules; those of their roles have been looked at.
    void check(const UserText& user) {
        if (user.rules.empty()) return;
        Rules own;
        add_rules(own, user.rules);
        Others others = {&rules_of(everyone)};
        for (const auto& role : user.roles) {
            if (role != everyone) others.push_back(&rules_of(role));
        }
        check(own, others);
    }

    // `others` apply to all who have these.
    void check(const Rules& rules, const Others& others) {
        for (const auto& rule : rules) {
            if (const auto* by = useless_by(rule, rules, others)) {
                warn_of_useless(rule, *by);
            } else if (rule.is_allowing()) {
                check_escapes(rule, rules, others);
            }
        }
    }

    // One that denies is the better reason.
    [[nodiscard]] static const Rule* useless_by(const Rule& rule, const Rules& rules, const Others& others) {
        const Rule* found = nullptr;
        const auto look = [&](const Rule& other, bool stays) {
            if (&other == &rule || !other.covers(rule)) return;
            // Of two that say the same the first one stays.
            if (!stays && rule.covers(other) && &rule < &other) return;
            if (found == nullptr || (found->is_allowing() && !other.is_allowing())) found = &other;
        };
        for (const auto& other : rules) look(other, false);
        for (const auto* more : others) {
            for (const auto& other : *more) look(other, true);
        }
        return found;
    }

    void warn_of_useless(const Rule& rule, const Rule& by) {
        const auto where = ", see " + by.source.text();
        if (rule.is_allowing() != by.is_allowing()) {
            return warn(rule.source, quoted(rule) + " allows nothing: all of it is denied by " + quoted(by) + where);
        }
        if (rule.covers(by)) {
            return warn(rule.source, quoted(rule) + " adds nothing: " + quoted(by) + " says the same" + where);
        }
        warn(rule.source, quoted(rule) + " adds nothing: all of it is " + (by.is_allowing() ? "allowed" : "denied") +
                              " by " + quoted(by) + where);
    }

    void check_escapes(const Rule& rule, const Rules& rules, const Others& others) {
        for (const auto& tenant : rules) {
            if (!tenant.is_allowing()) continue;
            for (const auto& [variable, topics] : rule.pattern.escapes(tenant.pattern)) {
                if (is_taken_back(rule, topics, rules, others)) continue;
                return warn_of_escape(rule, variable, topics, tenant);
            }
        }
    }

    void warn_of_escape(const Rule& rule, const std::string& variable, const Pattern& topics, const Rule& tenant) {
        warn(rule.source, quoted(rule) + " escapes " + variable + ": it reaches " + topics.text() + " of all, where " +
                              quoted(tenant) + " keeps each client to its own, see " + tenant.source.text() +
                              "; narrow it, deny that, or move it into a role of its own");
    }

    // Whether rules deny that anything is published or received there.
    [[nodiscard]] static bool is_taken_back(const Rule& rule, const Pattern& topics, const Rules& rules,
                                            const Others& others) {
        return std::ranges::all_of(std::array{Action::Publish, Action::Receive}, [&](Action action) {
            const auto takes_back = [&](const Rule& other) {
                return !other.is_allowing() && other.covers(action, rule) &&
                       other.pattern.covers(topics, Pattern::Unusable::Nothing);
            };
            return !rule.is_about(action) || std::ranges::any_of(rules, takes_back) ||
                   std::ranges::any_of(others,
                                       [&](const Rules* more) { return std::ranges::any_of(*more, takes_back); });
        });
    }

    [[nodiscard]] const Rules& rules_of(std::string_view role) const {
        static const Rules none;
        const auto found = rules_.find(role);
        return found == rules_.end() ? none : found->second;
    }

    std::span<const RoleText> roles_;
    std::span<const UserText> users_;
    std::set<std::string_view> used_;
    std::set<std::string_view> ready_made_;
    std::map<std::string_view, Rules> rules_;
    std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> lint(std::span<const RoleText> roles, std::span<const UserText> users,
                          const Surroundings& surroundings) {
    return Lint(roles, users, surroundings).run();
}

}  // namespace chappe::policy
