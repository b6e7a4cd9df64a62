#include "access/scram_login.h"

namespace chappe::access {
namespace {

using crypto::ScramFault;

Refused refused(const crypto::ScramError& error) {
    return {.why = error.text, .wrong_secret = error.fault == ScramFault::Refused};
}

std::optional<std::string> keys_of(const accounts::User* user) {
    return user == nullptr ? std::nullopt : user->password.scram_keys;
}

}  // namespace

std::expected<ScramLogin, Refused> ScramLogin::begin(std::string_view client_first) {
    crypto::ScramServer server;
    auto user_name = server.client_first(client_first);
    if (!user_name) return std::unexpected(refused(user_name.error()));
    return ScramLogin(std::move(server), *std::move(user_name));
}

std::string ScramLogin::challenge(const Directory& directory, const crypto::Secret& secret) {
    keys_ = keys_of(directory.find(user_name_));
    auto keys = keys_ ? crypto::parse_scram_keys(*keys_) : std::nullopt;
    if (!keys) {
        keys_.reset();
        keys = crypto::fake_scram_keys(secret, user_name_);
    }
    return server_.server_first(*std::move(keys));
}

std::expected<ScramLogin::Proven, Refused> ScramLogin::finish(const Directory& directory,
                                                              std::string_view client_final) {
    auto data = server_.client_final(client_final);
    const auto* user = directory.find(user_name_);
    if (!data && data.error().fault != ScramFault::Refused) return std::unexpected(refused(data.error()));
    if (user == nullptr) return std::unexpected(Refused{.why = "there is no such user", .wrong_secret = true});
    if (!keys_) {
        return std::unexpected(
            Refused{.why = "the password of this user was stored without keys for SCRAM; chappe user passwd makes them",
                    .wrong_secret = true});
    }
    if (!data) return std::unexpected(Refused{.why = "the password is wrong", .wrong_secret = true});
    if (keys_of(user) != keys_) return std::unexpected(Refused{.why = "the password has just been changed"});
    if (!user->enabled) return std::unexpected(Refused{.why = "the account is disabled"});
    return Proven{.who = {.user_name = user->name, .attributes = nullptr, .expires_at = std::nullopt},
                  .data = *std::move(data)};
}

}  // namespace chappe::access
