#include "server/login_methods.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "access/certificate_method.h"
#include "access/password_method.h"
#include "access/psk_method.h"
#include "access/token_method.h"
#include "base/result.h"
#include "server/token_keys.h"

namespace chappe::server {

std::expected<void, std::string> LoginMethods::open(const AccessSettings& settings) {
    settings_ = settings;
    if (is_used("jwt")) TRY(read_token_keys());
    return {};
}

void LoginMethods::configure(const AccessSettings& settings) {
    settings_ = settings;
    if (is_used("jwt")) static_cast<void>(read_token_keys_again());
}

bool LoginMethods::poll() { return is_used("jwt") && token_key_file_.changed() && read_token_keys_again(); }

access::Methods LoginMethods::methods() const {
    access::Methods methods;
    for (const auto& name : settings_.methods) {
        if (auto method = make(name)) methods.push_back(std::move(method));
    }
    return methods;
}

bool LoginMethods::is_used(std::string_view method) const {
    return std::ranges::find(settings_.methods, method) != settings_.methods.end();
}

std::expected<void, std::string> LoginMethods::read_token_keys() {
    const auto file = token_key_file(settings_.jwt);
    token_key_file_.watch(file.empty() ? std::vector<std::string>{} : std::vector{file});
    token_keys_ = TRY(server::read_token_keys(settings_.jwt));
    for (const auto& finding : token_keys_->findings()) {
        logger_.write(LogLevel::Warning, "token_keys", "a key of jwt.key is not used", {{"reason", finding}});
    }
    return {};
}

bool LoginMethods::read_token_keys_again() {
    if (const auto read = read_token_keys(); !read) {
        logger_.write(LogLevel::Error, "token_keys", "the keys of tokens cannot be used; the old ones stay",
                      {{"reason", read.error()}});
        return false;
    }
    logger_.write(LogLevel::Info, "token_keys", "the keys of tokens have been read");
    return true;
}

// Null: what it needs is not there.
std::shared_ptr<const access::Method> LoginMethods::make(std::string_view name) const {
    if (name == "certificate") {
        return std::make_shared<access::CertificateMethod>(current_, settings_.certificate_name,
                                                           settings_.certificate_roles);
    }
    if (name == "psk") return std::make_shared<access::PskMethod>(current_, settings_.psk_roles);
    if (name == "accounts") {
        return std::make_shared<access::PasswordMethod>(current_,
                                                        std::chrono::seconds{settings_.password_remembered_seconds});
    }
    if (name == "jwt" && token_keys_) {
        return std::make_shared<access::TokenMethod>(current_, token_rules(settings_.jwt), token_keys_);
    }
    return nullptr;
}

}  // namespace chappe::server
