#include "server/token_keys.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/result.h"
#include "crypto/secret_source.h"

namespace chappe::server {
namespace {

std::optional<std::string> set_text(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

// Nobody takes a secret by its first characters for what it is not: keys of HMAC are kept in sets of JSON, too.
crypto::KeySet::Result keys_in(crypto::Secret content, const JwtSettings& settings) {
    const auto text = content.reveal();
    if (text.starts_with('{')) return crypto::KeySet::from_json(text);
    const bool are_secret =
        std::ranges::all_of(settings.algorithms, [](const auto& name) { return name.starts_with("HS"); });
    return are_secret ? crypto::KeySet::from_secret(std::move(content)) : crypto::KeySet::from_pem(text);
}

}  // namespace

std::expected<std::shared_ptr<const crypto::KeySet>, std::string> read_token_keys(const JwtSettings& settings) {
    const auto named = [](const std::string& why) { return std::unexpected("jwt.key: " + why); };
    auto content = crypto::read_secret(settings.key);
    if (!content) return named(content.error());
    auto keys = keys_in(*std::move(content), settings);
    if (!keys) return named(keys.error());
    const bool is_usable = std::ranges::any_of(settings.algorithms, [&](const auto& name) {
        const auto algorithm = crypto::signature_algorithm_named(name);
        return algorithm &&
               std::ranges::any_of(keys->keys(), [&](const auto& one) { return one.key.fits(*algorithm); });
    });
    if (!is_usable) return named("no key there is of the right kind and length for jwt.algorithms");
    return std::make_shared<const crypto::KeySet>(*std::move(keys));
}

access::TokenRules token_rules(const JwtSettings& settings) {
    access::TokenRules rules{.algorithms = {},
                             .issuer = set_text(settings.issuer),
                             .audience = set_text(settings.audience),
                             .leeway = std::chrono::seconds{settings.leeway_seconds},
                             .expires = settings.expiry_required,
                             .user_name_claim = settings.user_name_claim,
                             .client_id_claim = settings.client_id_claim,
                             .roles_claim = settings.roles_claim,
                             .roles_allowed = settings.roles_allowed,
                             .roles = settings.roles};
    for (const auto& name : settings.algorithms) {
        const auto algorithm = crypto::signature_algorithm_named(name);
        ASSERT(algorithm);  // The settings have been checked.
        rules.algorithms.push_back(*algorithm);
    }
    return rules;
}

}  // namespace chappe::server
