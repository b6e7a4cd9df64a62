#include "access/permissions.h"

#include <span>
#include <utility>

#include "policy/rule_set.h"

namespace chappe::access {
namespace {

constexpr std::string_view bridge_states = "$SYS/broker/connection";

bool is_below(std::string_view topic, std::string_view root) noexcept {
    return topic.starts_with(root) && (topic.size() == root.size() || topic[root.size()] == '/');
}

policy::Action action_of(broker::Access access) noexcept {
    switch (access) {
        case broker::Access::Publish:
            return policy::Action::Publish;
        case broker::Access::Subscribe:
            return policy::Action::Subscribe;
        case broker::Access::Receive:
            return policy::Action::Receive;
    }
    std::unreachable();
}

policy::Subject subject_of(const broker::Identity& who) noexcept {
    policy::Subject subject{
        .client_id = who.client_id, .user_name = who.user_name, .certificate_name = {}, .claims = {}};
    if (who.attributes) {
        subject.certificate_name = who.attributes->certificate_name;
        subject.claims = who.attributes->claims;
    }
    return subject;
}

std::span<const std::string> roles_of(const broker::Identity& who) noexcept {
    return who.attributes ? std::span<const std::string>(who.attributes->roles) : std::span<const std::string>();
}

}  // namespace

broker::Decision Permissions::decide(const broker::Question& question) const {
    using broker::Access;
    if (question.access == Access::Publish && is_below(question.topic, "$SYS") &&
        !is_below(question.topic, bridge_states)) {
        return {.allowed = false, .reason = "only the broker publishes to $SYS"};
    }
    if (question.who.is_operator) return {};
    if (is_below(question.topic, "$CONTROL")) {
        return {.allowed = false, .reason = "only the operator uses $CONTROL"};
    }
    const auto decision = decide_by_policy(question);
    if (record_ != nullptr) record_->note(question, decision.allowed);
    return decision;
}

broker::Decision Permissions::decide_by_policy(const broker::Question& question) const {
    const auto& directory = current_.get();
    if (question.who.user_name.empty() && directory.anonymous_is_open()) return {};
    const auto decision = directory.policy().decide(subject_of(question.who), roles_of(question.who),
                                                    {.action = action_of(question.access),
                                                     .topic = question.topic,
                                                     .qos = static_cast<std::uint8_t>(question.qos),
                                                     .retain = question.retain,
                                                     .shared = question.shared});
    return {.allowed = decision.allowed,
            .reason = decision.allowed ? std::string_view() : kept(decision.reason),
            .qos_max = static_cast<mqtt::QoS>(decision.qos_max)};
}

bool Permissions::restricts_receiving() const noexcept { return current_.get().restricts_receiving(); }

bool Permissions::restricts_receiving_of(const broker::Identity& who) const noexcept {
    const auto& directory = current_.get();
    if (who.is_operator || (who.user_name.empty() && directory.anonymous_is_open())) return false;
    return directory.policy().rules_of(who.user_name, roles_of(who)).restricts_receiving();
}

std::string_view Permissions::kept(std::string_view reason) const {
    const std::scoped_lock lock(mutex_);
    const auto found = reasons_.find(reason);
    return found != reasons_.end() ? *found : *reasons_.emplace(reason).first;
}

}  // namespace chappe::access
