#include "access/token_method.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include <nlohmann/json.hpp>

#include "access/roles.h"
#include "base/result.h"

namespace chappe::access {
namespace {

using nlohmann::json;

const json* member(const json& object, std::string_view name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

// Issuers like names with dots ("https://example.com/roles"), so the whole name goes first.
const json* claim_at(const json& claims, std::string_view path) {
    if (const auto* whole = member(claims, path)) return whole;
    const auto dot = path.find('.');
    if (dot == path.npos) return nullptr;
    const auto* inner = member(claims, path.substr(0, dot));
    return inner == nullptr ? nullptr : claim_at(*inner, path.substr(dot + 1));
}

// Of what has one value that can stand in a topic.
std::optional<std::string> text_of(const json& claim) {
    if (claim.is_string()) return claim.get<std::string>();
    if (claim.is_number_integer() || claim.is_boolean()) return claim.dump();
    return std::nullopt;
}

std::string text_at(const json& claims, std::string_view path) {
    const auto* claim = claim_at(claims, path);
    return claim == nullptr ? std::string() : text_of(*claim).value_or("");
}

std::vector<std::string> texts_of(const json* claim) {
    std::vector<std::string> texts;
    if (claim == nullptr) return texts;
    if (claim->is_array()) {
        for (const auto& one : *claim) {
            if (one.is_string()) texts.push_back(one.get<std::string>());
        }
    } else if (claim->is_string()) {
        for (const auto word : std::views::split(claim->get_ref<const std::string&>(), ' ')) {
            if (!word.empty()) texts.emplace_back(word.begin(), word.end());
        }
    }
    return texts;
}

// Tokens may name a year that a clock of nanoseconds does not reach.
WallTime end_of(std::int64_t seconds) {
    static constexpr std::chrono::seconds year_2200{7'258'118'400};
    return WallTime(std::min(std::chrono::seconds{seconds}, year_2200));
}

}  // namespace

TokenMethod::TokenMethod(std::shared_ptr<const Current> current, TokenRules rules,
                         std::shared_ptr<const crypto::KeySet> keys, std::function<void()> misses_key)
    : current_(std::move(current)),
      rules_(std::move(rules)),
      keys_(std::move(keys)),
      misses_key_(std::move(misses_key)) {}

Effort TokenMethod::effort(const Credentials& credentials) const {
    const bool has_token = credentials.password && crypto::looks_like_token(credentials.password->reveal());
    return has_token ? Effort::Computes : Effort::Quick;
}

// The user name of CONNECT plays no part: what the token says has been proved. Nobody guesses a signature, so a token
// that is refused is not counted as guessing; most have only expired.
Outcome TokenMethod::check(const Credentials& credentials) const {
    if (!credentials.password) return Declined{"no token as the password"};
    const auto token = credentials.password->reveal();
    if (!crypto::looks_like_token(token)) return Declined{"the password is not a token"};
    if (misses_key_ && (!keys_ || !crypto::has_key_for(token, *keys_))) misses_key_();
    if (!keys_) return Refused{.why = "the keys that tokens are checked with are not there yet", .cannot_tell = true};
    const auto claims = crypto::verify_token(token, *keys_, rules_.algorithms,
                                             {.issuer = rules_.issuer,
                                              .audience = rules_.audience,
                                              .expires = rules_.expires,
                                              .now = std::chrono::system_clock::now(),
                                              .leeway = rules_.leeway});
    if (!claims) return Refused{.why = claims.error()};
    auto accepted = accept(*claims, credentials);
    if (!accepted) return Refused{.why = std::move(accepted.error())};
    return *std::move(accepted);
}

std::expected<Accepted, std::string> TokenMethod::accept(const crypto::Claims& claims,
                                                         const Credentials& credentials) const {
    auto name = text_at(claims.object, rules_.user_name_claim);
    if (name.empty()) return std::unexpected("the token has no user name (" + rules_.user_name_claim + ")");
    if (!rules_.client_id_claim.empty() && text_at(claims.object, rules_.client_id_claim) != credentials.client_id) {
        return std::unexpected("the token is not for this client identifier (" + rules_.client_id_claim + ")");
    }
    const auto directory = current_->share();
    const auto* user = directory->find(name);
    if (user != nullptr && !user->enabled) return std::unexpected("the account " + name + " is disabled");
    Accepted accepted{.user_name = std::move(name),
                      .attributes = attributes_of(claims, credentials, user != nullptr),
                      .expires_at = std::nullopt};
    if (claims.expires_at) accepted.expires_at = end_of(*claims.expires_at) + rules_.leeway;
    return accepted;
}

std::shared_ptr<const broker::Attributes> TokenMethod::attributes_of(const crypto::Claims& claims,
                                                                     const Credentials& credentials,
                                                                     bool has_account) const {
    auto attributes = std::make_shared<broker::Attributes>();
    if (credentials.certificate) attributes->certificate_name = credentials.certificate->common_name;
    for (const auto& [name, value] : claims.object.items()) {
        if (auto text = text_of(value)) attributes->claims.emplace_back(name, *std::move(text));
    }
    if (!has_account) attributes->roles = rules_.roles;
    if (!rules_.roles_claim.empty()) {
        add_allowed(texts_of(claim_at(claims.object, rules_.roles_claim)), rules_.roles_allowed, attributes->roles);
    }
    return attributes;
}

}  // namespace chappe::access
