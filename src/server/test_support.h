#pragma once

// For tests of this folder: everybody may connect and do everything, but what is the operator's.

#include <string>

#include "broker/ports.h"

namespace chappe::server {

class EverybodyIsWelcome final : public broker::Authenticator {
public:
    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login& login, broker::Ticket) override {
        return broker::Verdict{.user_name = std::string(login.user_name.value_or(""))};
    }
    [[nodiscard]] std::optional<broker::Verdict> proceed(const broker::Continuation&, broker::Ticket) override {
        return broker::Verdict{.code = mqtt::ReasonCode::BadAuthenticationMethod};
    }
    void abandon(broker::Ticket) override {}
};

class ControlIsTheOperators final : public broker::Permissions {
public:
    [[nodiscard]] broker::Decision decide(const broker::Question& question) const override {
        return {.allowed = question.who.is_operator || !question.topic.starts_with("$CONTROL/")};
    }
    [[nodiscard]] bool restricts_receiving() const noexcept override { return false; }
};

}  // namespace chappe::server
