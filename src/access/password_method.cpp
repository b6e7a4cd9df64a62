#include "access/password_method.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "crypto/password_hash.h"

namespace chappe::access {

using crypto::PasswordCheck;

namespace {

// Of a password that nobody knows. Checked for names that there are not, so that they take as long as others; whether
// it is right plays no part.
constexpr std::string_view nobodys_hash =
    "$argon2id$v=19$m=19456,t=2,p=1$GR0YswhNkHv16+iWc91HTQ$/bwBXJjH9rxhhDyk28xCsi4GPON+doBsyUnzx20te8k";

constexpr std::size_t passwords_max = 100'000;

// The hash is part of it: another password is another one.
crypto::Secret proof(const accounts::User& user, std::string_view password) {
    return joined({user.name, *user.password.hash, password});
}

}  // namespace

PasswordMethod::PasswordMethod(std::shared_ptr<const Current> current, Duration remembered_for)
    : current_(std::move(current)), verified_(remembered_for, passwords_max) {}

Effort PasswordMethod::effort(const Credentials& credentials) const {
    if (!credentials.user_name || !credentials.password) return Effort::Quick;
    const auto* user = current_->get().find(*credentials.user_name);
    if (user == nullptr || !user->password.hash) return Effort::Computes;
    const auto proved = proof(*user, credentials.password->reveal());
    const bool known = verified_.has(proved.reveal(), std::chrono::steady_clock::now());
    return known ? Effort::Quick : Effort::Computes;
}

Outcome PasswordMethod::check(const Credentials& credentials) const {
    if (!credentials.user_name) return Declined{"no user name"};
    if (!credentials.password) return Declined{"no password"};
    const auto directory = current_->share();  // It takes long, and others are replaced meanwhile.
    const auto* user = directory->find(*credentials.user_name);
    const auto password = credentials.password->reveal();
    if (user == nullptr || !user->password.hash) {
        static_cast<void>(crypto::verify_password(password, nobodys_hash));
        return Declined{user == nullptr ? "there is no such user" : "the user has no password"};
    }
    const auto& stored = *user->password.hash;
    const auto now = std::chrono::steady_clock::now();
    const auto proved = proof(*user, password);
    if (!verified_.find(proved.reveal(), now)) {
        switch (crypto::verify_password(password, stored)) {
            case PasswordCheck::Match:
                verified_.add(proved.reveal(), {}, now);
                break;
            case PasswordCheck::Mismatch:
                return Refused{.why = "the password is wrong", .wrong_secret = true};
            case PasswordCheck::Unreadable:
                return Refused{.why = "the stored hash of the password cannot be used"};
        }
    }
    if (!user->enabled) return Refused{.why = "the account is disabled"};
    return Accepted{.user_name = user->name, .attributes = nullptr, .expires_at = std::nullopt};
}

}  // namespace chappe::access
