#pragma once

// Accounts: a user name and a password that chappe.db knows.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "access/current.h"
#include "access/method.h"

namespace chappe::access {

// Passwords that have been found right a while ago, so that a thousand devices that come back at once need not be
// hashed for again. Of each only a keyed digest is kept, in memory. Thread-safe.
class VerifiedPasswords {
public:
    static constexpr std::size_t entries_max = 100'000;

    VerifiedPasswords(Duration kept_for, crypto::Secret key);

    [[nodiscard]] bool has(std::string_view name, std::string_view stored, std::string_view password,
                           Instant now) const;
    void add(std::string_view name, std::string_view stored, std::string_view password, Instant now);

private:
    [[nodiscard]] std::string digest_of(std::string_view name, std::string_view stored,
                                        std::string_view password) const;

    const Duration kept_for_;
    const crypto::Secret key_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Instant> until_;
};

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
    mutable VerifiedPasswords verified_;
};

}  // namespace chappe::access
