#pragma once

// The rules of some roles together. Immutable; its rules live in a Policy.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "policy/policy.h"
#include "policy/rule.h"

namespace chappe::policy {

// A rule, and what is said when it denies something.
struct RuleWithReason {
    const Rule* rule;
    std::string_view reason;  // Lives as long as the Policy.
};

class RuleSet {
public:
    // `roles` are their names, for explanations.
    RuleSet(std::vector<std::string> roles, std::span<const RuleWithReason> rules);

    // Allocates nothing.
    [[nodiscard]] Decision decide(const Subject& subject, const Question& question) const noexcept;
    [[nodiscard]] Explanation explain(const Subject& subject, const Question& question) const;
    // False: there is an unconditional allow of everything and no deny about receiving, so deliveries need not be asked
    // about. (`#` does not match topics that begin with `$`: a subscription to those was allowed by a rule of its own,
    // which allows receiving as well.)
    [[nodiscard]] bool restricts_receiving() const noexcept { return restricts_receiving_; }

private:
    std::vector<std::string> roles_;
    std::vector<RuleWithReason> denying_;
    std::vector<RuleWithReason> allowing_;
    bool restricts_receiving_;
};

}  // namespace chappe::policy
