#include "server/token_keys.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/result.h"
#include "crypto/secret_source.h"

namespace chappe::server {
namespace {

constexpr Duration fetch_time_limit = 5s;

std::optional<std::string> set_text(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
}

// Nobody takes a secret by its first characters for what it is not: keys of HMAC are kept in sets of JSON, too.
crypto::KeySet::Result keys_in(crypto::Secret content, const JwtSettings& settings) {
    const auto text = content.reveal();
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin != text.npos && text[begin] == '{') return crypto::KeySet::from_json(text);
    const bool are_secret =
        std::ranges::all_of(settings.algorithms, [](const auto& name) { return name.starts_with("HS"); });
    return are_secret ? crypto::KeySet::from_secret(std::move(content)) : crypto::KeySet::from_pem(text);
}

std::unexpected<std::string> wrong(std::string_view why) { return std::unexpected("jwt.key: " + std::string(why)); }

// Those of which one at least can be used.
std::expected<std::shared_ptr<const crypto::KeySet>, std::string> usable_keys_in(crypto::Secret content,
                                                                                 const JwtSettings& settings) {
    auto keys = keys_in(std::move(content), settings);
    if (!keys) return wrong(keys.error());
    const bool is_usable = std::ranges::any_of(settings.algorithms, [&](const auto& name) {
        const auto algorithm = crypto::signature_algorithm_named(name);
        return algorithm &&
               std::ranges::any_of(keys->keys(), [&](const auto& one) { return one.key.fits(*algorithm); });
    });
    if (!is_usable) return wrong("no key there is of the right kind and length for jwt.algorithms");
    return std::make_shared<const crypto::KeySet>(*std::move(keys));
}

// RFC 9111, 5.2.2.
std::optional<std::chrono::seconds> fresh_for(const http::Response& response) {
    static constexpr std::string_view name = "max-age=";
    const auto control = response.header("Cache-Control").value_or("");
    if (control.contains("no-cache") || control.contains("no-store")) return std::chrono::seconds{0};
    const auto begin = control.find(name);
    if (begin == control.npos) return std::nullopt;
    std::uint32_t seconds = 0;
    const auto* first = control.data() + begin + name.size();
    const auto parsed = std::from_chars(first, control.data() + control.size(), seconds);
    return parsed.ec == std::errc() ? std::optional(std::chrono::seconds{seconds}) : std::nullopt;
}

TokenKeyFetcher::Result fetch(http::Client& client, const JwtSettings& settings) {
    auto response = client.send({.url = settings.key,
                                 .headers = {{"Accept", "application/jwk-set+json, application/json"}},
                                 .ca_file = settings.key_ca_file,
                                 .answer_bytes_max = crypto::key_set_size_max,
                                 .time_limit = fetch_time_limit});
    if (!response) return wrong(response.error());
    if (response->status != 200) return wrong("the issuer answers with status " + std::to_string(response->status));
    TokenKeyFetcher::Fetched fetched{.text = {}, .keys = {}, .fresh_for = fresh_for(*response)};
    fetched.keys = TRY(usable_keys_in(crypto::Secret(response->body), settings));
    fetched.text = std::move(response->body);
    return fetched;
}

bool have_same_source(const JwtSettings& a, const JwtSettings& b) {
    return a.key == b.key && a.key_ca_file == b.key_ca_file && a.algorithms == b.algorithms;
}

}  // namespace

std::expected<void, std::string> TokenKeys::open(const JwtSettings& settings) {
    settings_ = settings;
    if (!settings.key_is_url()) return read();
    const auto now = std::chrono::steady_clock::now();
    begin_to_fetch(now);
    static_cast<void>(take(fetcher_->fetch_now(now)));
    return {};
}

void TokenKeys::configure(const JwtSettings& settings) {
    const auto before = std::exchange(settings_, settings);
    if (!settings.key_is_url()) {
        stop();
        fetcher_.reset();
        if (before.key_is_url()) keys_ = nullptr;
        static_cast<void>(read_again());
    } else if (!fetcher_ || !have_same_source(before, settings) ||
               before.key_refresh_seconds != settings.key_refresh_seconds) {
        file_.watch({});
        if (!have_same_source(before, settings)) keys_ = nullptr;
        begin_to_fetch(std::chrono::steady_clock::now());
    }
}

bool TokenKeys::poll(Instant now) {
    if (!fetcher_) return file_.changed() && read_again();
    auto fetched = fetcher_->poll(now);
    return fetched && take(*std::move(fetched));
}

std::expected<void, std::string> TokenKeys::read() {
    file_.watch_one(
        crypto::file_of_secret(settings_.key));  // Before it is read: a change meanwhile is noticed the next time.
    auto content = crypto::read_secret(settings_.key);
    if (!content) return wrong(content.error());
    use(TRY(usable_keys_in(*std::move(content), settings_)));
    return {};
}

bool TokenKeys::read_again() {
    if (const auto done = read(); !done) {
        news_.add(LogLevel::Error, "token_keys", "the keys of tokens cannot be used; the old ones stay", done.error());
        return false;
    }
    news_.add(LogLevel::Info, "token_keys", "the keys of tokens have been read");
    return true;
}

void TokenKeys::stop() {
    if (client_) client_->stop();
}

void TokenKeys::begin_to_fetch(Instant now) {
    stop();  // An old one need not be waited for.
    fetched_.clear();
    client_ = std::make_shared<http::Client>();
    fetcher_.emplace([client = client_, settings = settings_] { return fetch(*client, settings); },
                     std::chrono::seconds{settings_.key_refresh_seconds}, now);
}

bool TokenKeys::take(TokenKeyFetcher::Result fetched) {
    if (!fetched) {
        news_.add(LogLevel::Warning, "token_keys",
                  keys_ ? "the keys of tokens could not be fetched; the old ones stay"
                        : "the keys of tokens could not be fetched; no token is taken until they are there",
                  fetched.error());
        return false;
    }
    if (fetched->text == fetched_) return false;
    fetched_ = std::move(fetched->text);
    use(std::move(fetched->keys));
    news_.add(LogLevel::Info, "token_keys", "the keys of tokens have been fetched");
    return true;
}

void TokenKeys::use(std::shared_ptr<const crypto::KeySet> keys) {
    keys_ = std::move(keys);
    for (const auto& finding : keys_->findings()) {
        news_.add(LogLevel::Warning, "token_keys", "a key of jwt.key is not used", finding);
    }
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
