#pragma once

// Who may connect and what they may do as long as there are no accounts: anybody whom the listener lets in without a
// name, and everything except what only the broker and its operator do.

#include "broker/ports.h"

namespace chappe::server {

class AnonymousAuthenticator final : public broker::Authenticator {
public:
    [[nodiscard]] std::optional<broker::Verdict> authenticate(const broker::Login& login,
                                                              broker::Ticket ticket) override;
    [[nodiscard]] std::optional<broker::Verdict> proceed(const mqtt::Auth& auth, broker::Ticket ticket) override;
    void abandon(broker::Ticket) override {}
};

// $SYS is published by the broker alone, except for the states of bridges; $CONTROL belongs to the operator.
class OpenPermissions final : public broker::Permissions {
public:
    [[nodiscard]] broker::Decision decide(const broker::Question& question) const override;
    [[nodiscard]] bool restricts_receiving() const noexcept override { return false; }
};

}  // namespace chappe::server
