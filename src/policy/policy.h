#pragma once

// Who may do what: rules, gathered in roles, which users and everybody have. Immutable once made, so all threads may
// ask at once. Nothing matches means no; a deny wins over every allow.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chappe::policy {

enum class Action : std::uint8_t { Publish, Subscribe, Receive };

// Where a rule was written down, for people.
struct Source {
    std::string file;        // Empty: in the database of accounts.
    std::uint32_t line = 0;  // From 1; in the database the rule's position in its role. 0: the whole of it.
    std::string role;        // Empty: of a user alone.

    [[nodiscard]] std::string text() const;  // "policy.toml:12 (role sensor)"
};

// Who asks. The views hold during the call only.
struct Subject {
    std::string_view client_id;
    std::string_view user_name;         // Empty: anonymous.
    std::string_view certificate_name;  // ${cert.cn}; empty: none.
    std::span<const std::pair<std::string, std::string>> claims;
};

struct Question {
    Action action;
    std::string_view topic;  // A topic name; for Subscribe a topic filter without "$share/NAME/".
    std::uint8_t qos = 0;
    bool retain = false;
    bool shared = false;
};

struct Rule;  // rule.h

struct Decision {
    bool allowed = false;
    std::uint8_t qos_max = 2;          // Subscribe: the highest that may be granted.
    const Rule* decided_by = nullptr;  // Null: no rule matched. Lives as long as the Policy.
    std::string_view reason;           // Why not: short, safe to show to the client; lives as long as the Policy.
};

// One rule that was looked at for a question, and what came of it.
struct Considered {
    const Rule* rule;
    bool matches;
    std::string why;  // "matches"; "another topic"; "${claim.site} has no value"; "only for QoS 0 and 1"; ...
};

struct Explanation {
    Decision decision;
    std::vector<std::string> roles;      // That apply to the subject, in the order in which they were looked at.
    std::vector<Considered> considered;  // All rules of these roles that are about this action.
};

// The rules of some roles together: rule_set.h.
class RuleSet;

struct RuleText {
    std::string text;
    Source source;
};

struct RoleText {
    std::string name;
    std::vector<RuleText> rules;
    Source source = {};  // Where it begins.
};

struct UserText {
    std::string name;
    std::vector<std::string> roles;
    std::vector<RuleText> rules;  // Of this user alone.
    Source source;
};

// Something that is wrong, or looks so.
struct Finding {
    enum class Severity : std::uint8_t { Warning, Error };

    Severity severity = Severity::Error;
    Source source;
    std::uint32_t column = 0;  // In the rule's text, from 1; 0: the whole of it.
    std::string text;
};

struct Made;

class Policy {
public:
    // Two roles have a meaning of their own: `everyone` applies to every client, `anonymous` to those without a user
    // name. A role that is given more than once has the rules of all. Where there is an Error among the findings, the
    // caller must not use the policy; it goes on to the end to report them all.
    [[nodiscard]] static Made make(std::span<const RoleText> roles, std::span<const UserText> users);

    // The rules that apply to a user, who has `more_roles` by what it has authenticated with. An unknown user has only
    // those and `everyone`; an unknown role has no rules. Lives as long as the Policy.
    [[nodiscard]] const RuleSet& rules_of(std::string_view user_name, std::span<const std::string> more_roles) const;
    [[nodiscard]] bool has_role(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> role_names() const;
    // Whether receiving is denied anything to anybody whom the policy knows: users, anonymous clients, or a client with
    // any of its roles.
    [[nodiscard]] bool restricts_receiving() const;

    [[nodiscard]] Decision decide(const Subject& subject, std::span<const std::string> more_roles,
                                  const Question& question) const;
    [[nodiscard]] Explanation explain(const Subject& subject, std::span<const std::string> more_roles,
                                      const Question& question) const;

    ~Policy();

private:
    struct State;
    explicit Policy(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

struct Made {
    std::shared_ptr<const Policy> policy;
    std::vector<Finding> findings;

    [[nodiscard]] bool usable() const noexcept;  // No Error among the findings.
};

}  // namespace chappe::policy
