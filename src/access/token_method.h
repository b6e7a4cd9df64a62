#pragma once

// JSON Web Tokens (RFC 7519), which clients bring as their password.

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/current.h"
#include "access/method.h"
#include "crypto/json_web_token.h"

namespace chappe::access {

// What is wanted of a token, and what it says. A claim is named as it stands at the top of the token, or by the path
// that leads to it: "realm_access.roles".
struct TokenRules {
    std::vector<crypto::SignatureAlgorithm> algorithms;
    std::optional<std::string> issuer;
    std::optional<std::string> audience;
    std::chrono::seconds leeway{0};
    bool expires = true;  // Whether a token that is good for ever is refused.
    std::string user_name_claim = "sub";
    std::string client_id_claim;             // The only client identifier it is good for; empty: for any.
    std::string roles_claim;                 // An array of texts, or one text with spaces between; empty: none.
    std::vector<std::string> roles_allowed;  // Of those, which a token may give.
    std::vector<std::string> roles;          // Of users without an account.
};

class TokenMethod final : public Method {
public:
    // Without keys (null) it refuses all tokens. `misses_key` is told when a token comes whose key is not there, if it
    // is set; on any thread.
    TokenMethod(std::shared_ptr<const Current> current, TokenRules rules, std::shared_ptr<const crypto::KeySet> keys,
                std::function<void()> misses_key = {});

    [[nodiscard]] std::string_view name() const noexcept override { return "jwt"; }
    [[nodiscard]] Effort effort(const Credentials& credentials) const override;
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;

private:
    [[nodiscard]] std::expected<Accepted, std::string> accept(const crypto::Claims& claims,
                                                              const Credentials& credentials) const;
    [[nodiscard]] std::shared_ptr<const broker::Attributes> attributes_of(const crypto::Claims& claims,
                                                                          const Credentials& credentials,
                                                                          bool has_account) const;

    const std::shared_ptr<const Current> current_;
    const TokenRules rules_;
    const std::shared_ptr<const crypto::KeySet> keys_;
    const std::function<void()> misses_key_;
};

}  // namespace chappe::access
