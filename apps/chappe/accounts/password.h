#pragma once

// The password of a user: where it comes from, and what is stored of it.

#include <string>

#include "accounts/account.h"
#include "apps/chappe/accounts/desk.h"
#include "crypto/secret.h"

namespace chappe::app {

struct PasswordOptions {
    std::string file;
    bool generate = false;
};

void add_password_options(CLI::App& command, PasswordOptions& options);

// From the file, from the random number generator, from the person at the terminal (twice, without echo), or else a
// line of standard input.
[[nodiscard]] Outcome<crypto::Secret> choose_password(const PasswordOptions& options);

// The only time that a password is printed: one that we have made.
void print_if_generated(const PasswordOptions& options, const crypto::Secret& password);

}  // namespace chappe::app
