#include "apps/chappe/explanation.h"

#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace chappe::app {

using Json = nlohmann::json;
using policy::Action;

std::string conclusion(const policy::Explanation& explanation, Action action) {
    const auto& decision = explanation.decision;
    if (decision.allowed) {
        auto text = "allowed by " + decision.decided_by->source.text();
        if (action == Action::Subscribe && decision.qos_max < 2) {
            text += fmt::format(", with at most QoS {}", decision.qos_max);
        }
        return text;
    }
    const auto where = decision.decided_by != nullptr ? " (" + decision.decided_by->source.text() + ")" : "";
    return "not allowed: " + std::string(decision.reason) + where;
}

std::string text_of(const policy::Explanation& explanation, Action action) {
    auto text = conclusion(explanation, action) + '\n';
    text += fmt::format("roles: {}\n",
                        explanation.roles.empty() ? "none" : fmt::format("{}", fmt::join(explanation.roles, ", ")));
    for (const auto& [rule, matches, why] : explanation.considered) {
        const char mark = rule == explanation.decision.decided_by ? '>' : matches ? '*' : ' ';
        text += fmt::format("{} {:<50} {}: {}\n", mark, rule->text, rule->source.text(), why);
    }
    return text;
}

std::string json_of(const policy::Explanation& explanation) {
    const auto& decision = explanation.decision;
    const auto source_of = [](const policy::Rule& rule) {
        Json source = {{"rule", rule.text}, {"role", rule.source.role}, {"line", rule.source.line}};
        if (!rule.source.file.empty()) source["file"] = rule.source.file;
        return source;
    };
    Json considered = Json::array();
    for (const auto& [rule, matches, why] : explanation.considered) {
        auto entry = source_of(*rule);
        entry["matches"] = matches;
        entry["why"] = why;
        considered.push_back(std::move(entry));
    }
    Json answer = {{"allowed", decision.allowed}, {"roles", explanation.roles}, {"considered", std::move(considered)}};
    if (decision.allowed) {
        answer["qos_max"] = decision.qos_max;
    } else {
        answer["reason"] = decision.reason;
    }
    if (decision.decided_by != nullptr) answer["decided_by"] = source_of(*decision.decided_by);
    return answer.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace chappe::app
