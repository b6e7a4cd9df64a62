// A policy file and, in the same bytes, an ACL file of Mosquitto's: findings have a place, what is understood is
// printed and read back as the same, and nobody is allowed what no rule allows.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "policy/mosquitto_acl.h"
#include "policy/policy.h"
#include "server/policy_file.h"

namespace {

using namespace chappe;
using policy::Policy;

void check_findings(const std::vector<policy::Finding>& findings, std::string_view text) {
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
    for (const auto& finding : findings) {
        ASSERT(!finding.text.empty());
        ASSERT(finding.source.line <= lines);
        ASSERT(!server::to_string(finding).empty());
    }
}

std::vector<std::string> rules_of(const access::PolicyTexts& texts) {
    std::vector<std::string> rules;
    const auto add = [&](const std::string& whose, const std::vector<policy::RuleText>& list) {
        for (const auto& rule : list) rules.push_back(whose + ": " + rule.text);
    };
    for (const auto& role : texts.roles) add("role " + role.name, role.rules);
    for (const auto& user : texts.users) add("user " + user.name, user.rules);
    return rules;
}

void check_decisions(const access::PolicyTexts& texts) {
    const auto made = Policy::make(texts.roles, texts.users);
    if (!made.usable()) return;
    const auto rules = rules_of(texts);
    const bool some_allow = std::ranges::any_of(rules, [](const auto& rule) { return rule.contains("allow"); });
    for (const auto& user : texts.users) {
        const policy::Subject subject{.client_id = "c", .user_name = user.name, .certificate_name = {}, .claims = {}};
        for (const auto action : {policy::Action::Publish, policy::Action::Subscribe, policy::Action::Receive}) {
            const auto decision = made.policy->decide(
                subject, {}, {.action = action, .topic = "a/b", .qos = 1, .retain = false, .shared = false});
            ASSERT(!decision.allowed || some_allow);
            ASSERT(decision.allowed || !decision.reason.empty());
        }
    }
}

void check_printed(const access::PolicyTexts& texts) {
    const auto again = server::read_policy(server::print_policy(texts), "printed");
    ASSERT(again.findings.empty());
    ASSERT(rules_of(again.texts) == rules_of(texts));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto file = server::read_policy(text, "file");
    check_findings(file.findings, text);
    if (file.findings.empty()) {
        check_printed(file.texts);
        check_decisions(file.texts);
    }
    const auto acl = policy::read_mosquitto_acl(text, "acl");
    check_findings(acl.findings, text);
    const access::PolicyTexts converted{
        .is_set = true, .roles_from_outside = false, .roles = acl.roles, .users = acl.users};
    check_printed(converted);
    check_decisions(converted);
    return 0;
}
