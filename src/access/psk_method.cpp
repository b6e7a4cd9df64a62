#include "access/psk_method.h"

#include <utility>

namespace chappe::access {

PskMethod::PskMethod(std::shared_ptr<const Current> current, std::vector<std::string> roles)
    : current_(std::move(current)), roles_(std::move(roles)) {}

// The client's own user name plays no part, as with certificates.
Outcome PskMethod::check(const Credentials& credentials) const {
    if (!credentials.psk_identity) return Declined{};
    const auto& name = *credentials.psk_identity;
    const auto* user = current_->get().find(name);
    if (user != nullptr && !user->enabled) return Refused{.why = "the account " + name + " is disabled"};
    auto attributes = std::make_shared<broker::Attributes>();
    if (user == nullptr) attributes->roles = roles_;
    return Accepted{.user_name = name, .attributes = std::move(attributes), .expires_at = std::nullopt};
}

}  // namespace chappe::access
