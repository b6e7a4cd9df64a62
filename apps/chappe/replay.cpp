#include "apps/chappe/replay.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "access/decision_record.h"
#include "apps/chappe/explanation.h"

namespace chappe::app {
namespace {

using access::RecordedDecision;
using policy::Action;

struct Replayed {
    bool allowed;
    std::string why;
};

Replayed decide_again(const RecordedDecision& decision, Action action, const access::Directory& directory) {
    const auto& who = decision.who;
    if (who.user_name.empty() && directory.anonymous_is_open()) {
        return {.allowed = true, .why = "allowed: nothing is said of anonymous clients"};
    }
    const auto explanation = directory.policy().explain({.client_id = who.client_id,
                                                         .user_name = who.user_name,
                                                         .certificate_name = who.attributes->certificate_name,
                                                         .claims = who.attributes->claims},
                                                        who.attributes->roles,
                                                        {.action = action,
                                                         .topic = decision.topic,
                                                         .qos = static_cast<std::uint8_t>(decision.qos),
                                                         .retain = decision.retain,
                                                         .shared = decision.shared});
    return {.allowed = explanation.decision.allowed, .why = conclusion(explanation, action)};
}

std::string text_of(const RecordedDecision& decision, std::string_view action, const Replayed& now) {
    const auto& who = decision.who;
    return fmt::format("{}: {} {} by {}, client {}: {}\n", now.allowed ? "now allowed" : "now refused", action,
                       decision.topic, who.user_name.empty() ? "anonymous" : "user " + who.user_name, who.client_id,
                       now.why);
}

std::string json_of(const std::string& line, const Replayed& now) {
    auto object = nlohmann::json::parse(line);
    object["allowed_now"] = now.allowed;
    object["why"] = now.why;
    return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

std::pair<Action, std::string_view> action_of(broker::Access access) {
    switch (access) {
        case broker::Access::Publish:
            return {Action::Publish, "publish"};
        case broker::Access::Subscribe:
            return {Action::Subscribe, "subscribe"};
        case broker::Access::Receive:
            return {Action::Receive, "receive"};
    }
    std::unreachable();
}

}  // namespace

std::expected<std::size_t, std::string> replay(const std::string& path, const access::Directory& directory, bool json) {
    std::ifstream file(path);
    if (!file) return std::unexpected(path + ": " + std::generic_category().message(errno));
    std::size_t lines = 0;
    std::size_t allowed = 0;
    std::size_t refused = 0;
    for (std::string line; std::getline(file, line);) {
        ++lines;
        const auto decision = access::parse_decision(line);
        if (!decision) return std::unexpected(fmt::format("{}:{}: {}", path, lines, decision.error()));
        const auto [action, action_name] = action_of(decision->access);
        const auto now = decide_again(*decision, action, directory);
        if (now.allowed == decision->allowed) continue;
        ++(now.allowed ? allowed : refused);
        std::fputs((json ? json_of(line, now) : text_of(*decision, action_name, now)).c_str(), stdout);
    }
    if (file.bad()) return std::unexpected(path + ": cannot be read");  // A folder, or a disk that fails.
    if (!json) {
        fmt::print("{} decisions; others now: {} allowed, {} refused\n", lines, allowed, refused);
    }
    return allowed + refused;
}

}  // namespace chappe::app
