#pragma once

// Accounts: a user name and a password that chappe.db knows.

#include <memory>
#include <string_view>
#include <variant>

#include "access/current.h"
#include "access/method.h"
#include "access/remembered.h"

namespace chappe::access {

class PasswordMethod final : public Method {
public:
    // Passwords are remembered for so long; zero: not at all.
    PasswordMethod(std::shared_ptr<const Current> current, Duration remembered_for);

    [[nodiscard]] std::string_view name() const noexcept override { return "accounts"; }
    [[nodiscard]] Effort effort(const Credentials& credentials) const override;
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;
    [[nodiscard]] bool takes_scram() const noexcept override { return true; }

private:
    const std::shared_ptr<const Current> current_;
    mutable Remembered<std::monostate> verified_;
};

}  // namespace chappe::access
