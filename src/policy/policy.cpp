#include "policy/policy.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "policy/rule.h"
#include "policy/rule_set.h"

namespace chappe::policy {
namespace {

constexpr std::string_view everyone = "everyone";
constexpr std::string_view anonymous = "anonymous";

// The rules of a user alone are a role that nobody else can have: its name has a character that no other name has.
constexpr char own_mark = '\x01';
std::string own_role(std::string_view user_name) { return own_mark + std::string(user_name); }
bool is_own_role(std::string_view role) noexcept { return role.starts_with(own_mark); }

struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};

}  // namespace

std::string Source::text() const {
    std::string where = file;
    if (file.empty() && role.empty()) return "a rule of the user";
    if (file.empty()) return (line == 0 ? "role " : "rule " + std::to_string(line) + " of role ") + role;
    if (line != 0) where += ":" + std::to_string(line);
    return role.empty() ? where : where + " (role " + role + ")";
}

struct Policy::State {
    using Roles = std::vector<std::string>;  // Sorted, each once.

    std::deque<Rule> rules;
    std::deque<std::string> reasons;
    std::map<std::string, std::vector<RuleWithReason>, std::less<>> roles;

    struct User {
        Roles roles;
        const RuleSet* set = nullptr;
    };
    std::unordered_map<std::string, User, StringHash, std::equal_to<>> users;
    const RuleSet* of_anonymous = nullptr;
    const RuleSet* of_unknown = nullptr;

    // One for each combination of roles, made when it is first needed. Roles that there are not count for nothing, so
    // that clients cannot make any number of them.
    mutable std::shared_mutex mutex;
    mutable std::map<Roles, RuleSet> sets;

    void add_rule(const RuleText& text, std::vector<RuleWithReason>& to, std::vector<Finding>& findings) {
        auto rule = Rule::parse(text.text, text.source);
        if (!rule) {
            findings.push_back({.severity = Finding::Severity::Error,
                                .source = text.source,
                                .column = static_cast<std::uint32_t>(rule.error().at + 1),
                                .text = "\"" + text.text + "\": " + rule.error().text});
            return;
        }
        const auto& role = text.source.role;
        const auto& kept = rules.emplace_back(*std::move(rule));
        const auto& reason =
            reasons.emplace_back(role.empty() ? "denied by a rule of this user" : "denied by a rule of role " + role);
        to.push_back({&kept, reason});
    }

    [[nodiscard]] std::vector<RuleWithReason> rules_of_roles(const Roles& names) const {
        std::vector<RuleWithReason> all;
        for (const auto& name : names) {
            const auto& more = roles.at(name);
            all.insert(all.end(), more.begin(), more.end());
        }
        return all;
    }

    [[nodiscard]] const RuleSet& set_of(const Roles& names) const {
        {
            const std::shared_lock lock(mutex);
            if (const auto found = sets.find(names); found != sets.end()) return found->second;
        }
        const std::scoped_lock lock(mutex);
        return sets.try_emplace(names, names, rules_of_roles(names)).first->second;
    }

    // The roles that there are among these, with the one that everybody has. `more` may be named by anybody.
    [[nodiscard]] Roles known(std::span<const std::string> names, std::span<const std::string> more) const {
        Roles found;
        const auto add = [&](std::string_view name) {
            if (roles.contains(name) && name != anonymous) found.emplace_back(name);
        };
        add(everyone);
        for (const auto& name : names) add(name);
        for (const auto& name : more) {
            if (!is_own_role(name)) add(name);
        }
        std::ranges::sort(found);
        const auto rest = std::ranges::unique(found);
        found.erase(rest.begin(), rest.end());
        return found;
    }
};

Policy::Policy(std::unique_ptr<State> state) : state_(std::move(state)) {}
Policy::~Policy() = default;

bool Made::usable() const noexcept {
    return std::ranges::none_of(findings,
                                [](const Finding& finding) { return finding.severity == Finding::Severity::Error; });
}

Made Policy::make(std::span<const RoleText> roles, std::span<const UserText> users) {
    Made made;
    auto state = std::make_unique<State>();
    for (const auto& role : roles) {
        auto& rules = state->roles[role.name];
        for (const auto& rule : role.rules) state->add_rule(rule, rules, made.findings);
    }
    for (const auto& text : users) {
        for (const auto& role : text.roles) {
            if (state->roles.contains(role)) continue;
            made.findings.push_back(
                {.severity = Finding::Severity::Error,
                 .source = text.source,
                 .text = "the user " + text.name + " has the role " + role + ", which there is not"});
        }
        const auto own = own_role(text.name);
        for (const auto& rule : text.rules) state->add_rule(rule, state->roles[own], made.findings);
        auto& user = state->users[text.name];
        user.roles.push_back(own);
        user.roles = state->known(user.roles, text.roles);
    }
    for (auto& [name, user] : state->users) user.set = &state->set_of(user.roles);
    auto nameless = state->known({}, {});
    state->of_unknown = &state->set_of(nameless);
    if (state->roles.contains(anonymous)) nameless.emplace_back(anonymous);
    std::ranges::sort(nameless);
    state->of_anonymous = &state->set_of(nameless);
    made.policy = std::shared_ptr<const Policy>(new Policy(std::move(state)));
    return made;
}

const RuleSet& Policy::rules_of(std::string_view user_name, std::span<const std::string> more_roles) const {
    const auto found = state_->users.find(user_name);
    const auto* user = found == state_->users.end() ? nullptr : &found->second;
    if (more_roles.empty()) {
        if (user != nullptr) return *user->set;
        return user_name.empty() ? *state_->of_anonymous : *state_->of_unknown;
    }
    const auto own = user != nullptr ? std::span<const std::string>(user->roles) : std::span<const std::string>();
    return state_->set_of(state_->known(own, more_roles));
}

bool Policy::has_role(std::string_view name) const { return state_->roles.contains(name); }

std::vector<std::string> Policy::role_names() const {
    std::vector<std::string> names;
    for (const auto& [name, rules] : state_->roles) {
        if (!is_own_role(name)) names.push_back(name);
    }
    return names;
}

bool Policy::restricts_receiving() const {
    if (state_->of_anonymous->restricts_receiving() || state_->of_unknown->restricts_receiving()) return true;
    for (const auto& [name, user] : state_->users) {
        if (user.set->restricts_receiving()) return true;
    }
    return std::ranges::any_of(
        role_names(), [&](const std::string& name) { return rules_of({}, std::span(&name, 1)).restricts_receiving(); });
}

Decision Policy::decide(const Subject& subject, std::span<const std::string> more_roles,
                        const Question& question) const {
    return rules_of(subject.user_name, more_roles).decide(subject, question);
}

Explanation Policy::explain(const Subject& subject, std::span<const std::string> more_roles,
                            const Question& question) const {
    auto explanation = rules_of(subject.user_name, more_roles).explain(subject, question);
    std::erase_if(explanation.roles, is_own_role);
    return explanation;
}

}  // namespace chappe::policy
