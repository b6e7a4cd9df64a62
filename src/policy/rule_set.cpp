#include "policy/rule_set.h"

#include <algorithm>

namespace chappe::policy {
namespace {

std::string_view nothing_allows(Action action) noexcept {
    switch (action) {
        case Action::Publish:
            return "no rule allows publishing to this topic";
        case Action::Subscribe:
            return "no rule allows subscribing to this topic filter";
        case Action::Receive:
            return "no rule allows receiving from this topic";
    }
    std::unreachable();
}

bool is_about_everything(const Rule& rule) noexcept {
    return rule.is_about(Action::Receive) && rule.is_allowing() && rule.pattern.is_everything();
}

// Why a rule does not apply although it is about this action.
std::string why_not(const Rule& rule, const Subject& subject, const Question& question) {
    if (question.action == Action::Publish && rule.retain && *rule.retain != question.retain) {
        return *rule.retain ? "only for retained messages" : "not for retained messages";
    }
    if (question.action == Action::Subscribe && rule.shared && *rule.shared != question.shared) {
        return *rule.shared ? "only for shared subscriptions" : "not for shared subscriptions";
    }
    const auto variable = rule.pattern.without_value(subject);
    if (rule.is_allowing() && !variable.empty()) {
        return std::string(variable) + " has no value, or one that cannot stand in a topic";
    }
    return question.action == Action::Subscribe ? "does not cover this topic filter" : "another topic";
}

}  // namespace

RuleSet::RuleSet(std::vector<std::string> roles, std::span<const RuleWithReason> rules) : roles_(std::move(roles)) {
    for (const auto& rule : rules) (rule.rule->is_allowing() ? allowing_ : denying_).push_back(rule);
    const auto denies = [](const RuleWithReason& rule) { return rule.rule->is_about(Action::Receive); };
    const auto allows = [](const RuleWithReason& rule) { return is_about_everything(*rule.rule); };
    restricts_receiving_ = std::ranges::any_of(denying_, denies) || std::ranges::none_of(allowing_, allows);
}

Decision RuleSet::decide(const Subject& subject, const Question& question) const noexcept {
    for (const auto& [rule, reason] : denying_) {
        if (rule->applies(subject, question)) return {.allowed = false, .decided_by = rule, .reason = reason};
    }
    const Rule* best = nullptr;
    for (const auto& [rule, reason] : allowing_) {
        if (!rule->applies(subject, question)) continue;
        if (best == nullptr || rule->qos_max > best->qos_max) best = rule;
        if (best->qos_max == 2) break;
    }
    if (best == nullptr) return {.allowed = false, .reason = nothing_allows(question.action)};
    if (question.action == Action::Publish && question.qos > best->qos_max) {
        return {.allowed = false, .decided_by = best, .reason = "publishing here is allowed with a lower QoS only"};
    }
    return {.allowed = true, .qos_max = best->qos_max, .decided_by = best};
}

Explanation RuleSet::explain(const Subject& subject, const Question& question) const {
    Explanation explanation{.decision = decide(subject, question), .roles = roles_, .considered = {}};
    for (const auto* rules : {&denying_, &allowing_}) {
        for (const auto& entry : *rules) {
            const auto& rule = *entry.rule;
            if (!rule.is_about(question.action)) continue;
            const bool applies = rule.applies(subject, question);
            explanation.considered.push_back(
                {.rule = &rule, .matches = applies, .why = applies ? "matches" : why_not(rule, subject, question)});
        }
    }
    return explanation;
}

}  // namespace chappe::policy
