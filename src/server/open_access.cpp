#include "server/open_access.h"

namespace chappe::server {
namespace {

using mqtt::ReasonCode;

// Here a Mosquitto that bridges to us says whether its link is up, also by its will; dashboards look for it.
constexpr std::string_view bridge_states = "$SYS/broker/connection";

bool is_below(std::string_view topic, std::string_view root) noexcept {
    return topic.starts_with(root) && (topic.size() == root.size() || topic[root.size()] == '/');
}

}  // namespace

std::optional<broker::Verdict> AnonymousAuthenticator::authenticate(const broker::Login& login, broker::Ticket) {
    if (login.authentication_method) {
        return broker::Verdict{.code = ReasonCode::BadAuthenticationMethod,  // [MQTT-4.12.0-1]
                               .reason = "this server has no such authentication method"};
    }
    if (!login.peer.anonymous_allowed) {
        return broker::Verdict{.code = ReasonCode::NotAuthorized,
                               .reason = "this listener does not take anonymous clients"};
    }
    return broker::Verdict{.user_name = std::string(login.user_name.value_or(""))};
}

std::optional<broker::Verdict> AnonymousAuthenticator::proceed(const mqtt::Auth&, broker::Ticket) {
    return broker::Verdict{.code = ReasonCode::BadAuthenticationMethod,
                           .reason = "this server has no such authentication method"};
}

broker::Decision OpenPermissions::decide(const broker::Question& question) const {
    if (question.access == broker::Access::Publish && is_below(question.topic, "$SYS") &&
        !is_below(question.topic, bridge_states)) {
        return {.allowed = false, .reason = "only the broker publishes to $SYS"};
    }
    if (!question.who.is_operator && is_below(question.topic, "$CONTROL")) {
        return {.allowed = false, .reason = "only the operator uses $CONTROL"};
    }
    return {};
}

}  // namespace chappe::server
