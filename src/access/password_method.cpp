#include "access/password_method.h"

#include <chrono>
#include <utility>

#include "crypto/digest.h"
#include "crypto/password_hash.h"
#include "crypto/random.h"

namespace chappe::access {

using crypto::PasswordCheck;

namespace {

// Of a password that nobody knows. Checked for names that there are not, so that they take as long as others; whether
// it is right plays no part.
constexpr std::string_view nobodys_hash =
    "$argon2id$v=19$m=19456,t=2,p=1$GR0YswhNkHv16+iWc91HTQ$/bwBXJjH9rxhhDyk28xCsi4GPON+doBsyUnzx20te8k";

}  // namespace

VerifiedPasswords::VerifiedPasswords(Duration kept_for, crypto::Secret key)
    : kept_for_(kept_for), key_(std::move(key)) {}

bool VerifiedPasswords::has(std::string_view name, std::string_view stored, std::string_view password,
                            Instant now) const {
    if (kept_for_ == Duration::zero()) return false;
    const auto digest = digest_of(name, stored, password);
    const std::scoped_lock lock(mutex_);
    const auto found = until_.find(digest);
    return found != until_.end() && now < found->second;
}

void VerifiedPasswords::add(std::string_view name, std::string_view stored, std::string_view password, Instant now) {
    if (kept_for_ == Duration::zero()) return;
    auto digest = digest_of(name, stored, password);
    const std::scoped_lock lock(mutex_);
    if (until_.size() >= entries_max) until_.clear();
    until_.insert_or_assign(std::move(digest), now + kept_for_);
}

// The hash is part of it, so another password makes another digest; a name ends where its hash begins, with a NUL that
// neither has.
std::string VerifiedPasswords::digest_of(std::string_view name, std::string_view stored,
                                         std::string_view password) const {
    std::string text(name);
    text += '\0';
    text += stored;
    text += '\0';
    text += password;
    auto digest = crypto::hmac(crypto::Hash::Sha256, key_.reveal(), text);
    crypto::wipe(text);
    return digest;
}

PasswordMethod::PasswordMethod(std::shared_ptr<const Current> current, Duration remembered_for)
    : current_(std::move(current)), verified_(remembered_for, crypto::random_password()) {}

Effort PasswordMethod::effort(const Credentials& credentials) const {
    if (!credentials.user_name || !credentials.password) return Effort::Quick;
    const auto* user = current_->get().find(*credentials.user_name);
    if (user == nullptr || !user->password.hash) return Effort::Computes;
    const bool known = verified_.has(user->name, *user->password.hash, credentials.password->reveal(),
                                     std::chrono::steady_clock::now());
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
    if (!verified_.has(user->name, stored, password, now)) {
        switch (crypto::verify_password(password, stored)) {
            case PasswordCheck::Match:
                verified_.add(user->name, stored, password, now);
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
