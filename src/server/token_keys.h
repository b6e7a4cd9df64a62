#pragma once

// The keys that tokens are checked with, from where the settings say: a secret, a file that is watched, or a URL at
// which their issuer publishes them. Used on the main thread.

#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "access/token_method.h"
#include "crypto/json_web_key.h"
#include "http/client.h"
#include "server/file_watch.h"
#include "server/news.h"
#include "server/settings/settings.h"
#include "server/token_key_fetcher.h"

namespace chappe::server {

class TokenKeys {
public:
    // Outlives it, and gets what there is to say.
    explicit TokenKeys(News& news) : news_(news) {}
    ~TokenKeys() { stop(); }
    TokenKeys(const TokenKeys&) = delete;
    TokenKeys& operator=(const TokenKeys&) = delete;

    // Keys that are here have to be right: the error begins with the name of the setting. An issuer is waited for, some
    // seconds at most; one that cannot be reached is logged and asked again.
    [[nodiscard]] std::expected<void, std::string> open(const JwtSettings& settings);
    // Keys that cannot be used are logged, and the old ones stay. Does not wait for an issuer; those of another one
    // hold no longer.
    void configure(const JwtSettings& settings);
    // Looks whether there are others. Cheap; true: there are.
    [[nodiscard]] bool poll(Instant now);

    // No issuer is waited for any longer, nor asked.
    void stop();

    // Null: there are none yet.
    [[nodiscard]] const std::shared_ptr<const crypto::KeySet>& keys() const noexcept { return keys_; }
    // For access::TokenMethod; empty where more keys cannot be had.
    [[nodiscard]] std::function<void()> wish() const { return fetcher_ ? fetcher_->wish() : nullptr; }

private:
    [[nodiscard]] std::expected<void, std::string> read();
    [[nodiscard]] bool read_again();
    void begin_to_fetch(Instant now);
    [[nodiscard]] bool take(TokenKeyFetcher::Result fetched);
    void use(std::shared_ptr<const crypto::KeySet> keys);

    News& news_;
    JwtSettings settings_;
    FileWatch file_;
    std::shared_ptr<http::Client> client_;    // Of the fetcher.
    std::optional<TokenKeyFetcher> fetcher_;  // Nothing: the keys are not at a URL.
    std::string fetched_;                     // What the issuer has answered last.
    std::shared_ptr<const crypto::KeySet> keys_;
};

[[nodiscard]] access::TokenRules token_rules(const JwtSettings& settings);

}  // namespace chappe::server
