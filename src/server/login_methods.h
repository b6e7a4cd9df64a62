#pragma once

// The ways to log in that the settings name, with what they need: keys, files, other servers. Used on the main thread;
// the methods that it hands out are used by all.

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "access/chain.h"
#include "access/current.h"
#include "http/client.h"
#include "server/file_watch.h"
#include "server/news.h"
#include "server/settings/settings.h"
#include "server/token_keys.h"

namespace chappe::server {

class LoginMethods {
public:
    explicit LoginMethods(std::shared_ptr<const access::Current> current)
        : current_(std::move(current)), token_keys_(news_) {}

    // Fails where something that a method needs cannot be used; the reason begins with the name of the setting.
    [[nodiscard]] std::expected<void, std::string> open(const AccessSettings& settings);
    // What cannot be used is logged, and the old stays.
    void configure(const AccessSettings& settings);
    // Looks whether a file has changed, or keys have come. Cheap; true: the methods are others now.
    [[nodiscard]] bool poll();

    // Nobody waits for another server any longer, nor asks one.
    void stop();

    // Logs what the calls above have found out; for when methods() are in use.
    void tell(Logger& logger) { news_.tell(logger); }

    // As they are now, in the order in which they are asked.
    [[nodiscard]] access::Methods methods() const;

private:
    [[nodiscard]] bool is_used(std::string_view method) const;
    void make_accounts();
    [[nodiscard]] std::expected<void, std::string> make_hook();
    [[nodiscard]] bool make_hook_again();
    [[nodiscard]] std::expected<void, std::string> make_ldap();
    [[nodiscard]] bool make_ldap_again();
    [[nodiscard]] std::shared_ptr<const access::Method> make(std::string_view name) const;

    const std::shared_ptr<const access::Current> current_;
    News news_;
    AccessSettings settings_;
    std::uint32_t password_remembered_seconds_ = 0;   // What `accounts_` was made from.
    std::shared_ptr<const access::Method> accounts_;  // These are kept, with whom they remember.
    TokenKeys token_keys_;
    const std::shared_ptr<http::Client> http_client_ = std::make_shared<http::Client>();
    FileWatch hook_secret_file_;
    HookSettings hook_settings_;                  // What `hook_` was made from.
    std::shared_ptr<const access::Method> hook_;  // Null: it cannot be used.
    FileWatch ldap_password_file_;
    LdapSettings ldap_settings_;                  // What `ldap_` was made from.
    std::shared_ptr<const access::Method> ldap_;  // Null: it cannot be used.
};

}  // namespace chappe::server
