#pragma once

// For tests of this folder: a Directory from a few words, and what a method says in a few words.

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "access/current.h"
#include "access/directory.h"
#include "access/method.h"
#include "crypto/password_hash.h"
#include "crypto/random.h"
#include "crypto/scram.h"

namespace chappe::access {

inline constexpr crypto::Argon2Cost cheap{.memory_kib = 8, .passes = 1, .lanes = 1};

inline accounts::User user(const std::string& name, const std::string& password, std::vector<std::string> roles = {}) {
    accounts::User made;
    made.name = name;
    if (!password.empty()) made.password.hash = crypto::hash_password(password, cheap);
    made.roles = std::move(roles);
    return made;
}

inline accounts::User scram_user(const std::string& name, const std::string& password) {
    auto made = user(name, password);
    made.password.scram_keys = crypto::to_text(*crypto::make_scram_keys(password, crypto::random_bytes(16)));
    return made;
}

inline accounts::Role role(const std::string& name, std::vector<std::string> rules) {
    return {.name = name, .comment = {}, .rules = std::move(rules)};
}

inline std::shared_ptr<Current> current_of(std::vector<accounts::User> users, std::vector<accounts::Role> roles = {},
                                           std::vector<accounts::Ban> bans = {}, const PolicyTexts& texts = {}) {
    accounts::Snapshot snapshot;
    snapshot.users = std::move(users);
    snapshot.roles = std::move(roles);
    snapshot.bans = std::move(bans);
    return std::make_shared<Current>(Directory::make(std::move(snapshot), texts).directory);
}

// "accepted bob", or why not.
inline std::string said(const Outcome& outcome) {
    if (const auto* accepted = std::get_if<Accepted>(&outcome)) return "accepted " + accepted->user_name;
    if (const auto* declined = std::get_if<Declined>(&outcome)) return "declined: " + declined->why;
    const auto& refused = std::get<Refused>(outcome);
    EXPECT_FALSE(refused.wrong_secret && refused.cannot_tell);
    if (refused.wrong_secret) return "refused as wrong: " + refused.why;
    return (refused.cannot_tell ? "cannot tell: " : "refused: ") + refused.why;
}

}  // namespace chappe::access
