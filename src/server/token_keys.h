#pragma once

// The keys that tokens are checked with, from where the settings say.

#include <expected>
#include <memory>
#include <string>

#include "access/token_method.h"
#include "crypto/json_web_key.h"
#include "server/settings/settings.h"

namespace chappe::server {

// An error is for people, and begins with the name of the setting. Blocks as reading a file does.
[[nodiscard]] std::expected<std::shared_ptr<const crypto::KeySet>, std::string> read_token_keys(
    const JwtSettings& settings);

[[nodiscard]] access::TokenRules token_rules(const JwtSettings& settings);

}  // namespace chappe::server
