#include "server/login_methods.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "access/certificate_method.h"
#include "access/password_method.h"
#include "access/psk_method.h"
#include "access/token_method.h"
#include "access/unusable_method.h"
#include "base/result.h"
#include "crypto/secret_source.h"
#include "server/ldap_logins.h"
#include "server/login_hook.h"

namespace chappe::server {

std::expected<void, std::string> LoginMethods::open(const AccessSettings& settings) {
    settings_ = settings;
    make_accounts();
    if (is_used("jwt")) TRY(token_keys_.open(settings.jwt));
    if (is_used("http")) TRY(make_hook());
    if (is_used("ldap")) TRY(make_ldap());
    return {};
}

void LoginMethods::configure(const AccessSettings& settings) {
    settings_ = settings;
    make_accounts();
    if (is_used("jwt")) token_keys_.configure(settings.jwt);
    if (is_used("http") && (!hook_ || settings_.hook != hook_settings_)) static_cast<void>(make_hook_again());
    if (is_used("ldap") && (!ldap_ || settings_.ldap != ldap_settings_)) static_cast<void>(make_ldap_again());
}

bool LoginMethods::poll() {
    const bool keys_are_new = is_used("jwt") && token_keys_.poll(std::chrono::steady_clock::now());
    const bool hook_is_new = is_used("http") && hook_secret_file_.changed() && make_hook_again();
    const bool ldap_is_new = is_used("ldap") && ldap_password_file_.changed() && make_ldap_again();
    return keys_are_new || hook_is_new || ldap_is_new;
}

void LoginMethods::stop() {
    token_keys_.stop();
    http_client_->stop();
}

access::Methods LoginMethods::methods() const {
    access::Methods methods;
    for (const auto& name : settings_.methods) methods.push_back(make(name));
    return methods;
}

bool LoginMethods::is_used(std::string_view method) const {
    return std::ranges::find(settings_.methods, method) != settings_.methods.end();
}

void LoginMethods::make_accounts() {
    const auto seconds = settings_.password_remembered_seconds;
    if (accounts_ && seconds == password_remembered_seconds_) return;
    accounts_ = std::make_shared<access::PasswordMethod>(current_, std::chrono::seconds{seconds});
    password_remembered_seconds_ = seconds;
}

std::expected<void, std::string> LoginMethods::make_hook() {
    hook_secret_file_.watch_one(crypto::file_of_secret(settings_.hook.secret));
    hook_ = TRY(make_hook_method(current_, settings_.hook, http_client_));
    hook_settings_ = settings_.hook;
    return {};
}

bool LoginMethods::make_hook_again() {
    if (const auto made = make_hook(); !made) {
        news_.add(LogLevel::Error, "login_hook",
                  "the HTTP server is asked as before, since what it needs cannot be used", made.error());
        return false;
    }
    news_.add(LogLevel::Info, "login_hook", "the secret of [hook] has been read");
    return true;
}

std::expected<void, std::string> LoginMethods::make_ldap() {
    ldap_password_file_.watch_one(crypto::file_of_secret(settings_.ldap.bind_password));
    ldap_ = TRY(make_ldap_method(current_, settings_.ldap));
    ldap_settings_ = settings_.ldap;
    return {};
}

bool LoginMethods::make_ldap_again() {
    if (const auto made = make_ldap(); !made) {
        news_.add(LogLevel::Error, "ldap_settings", "LDAP is asked as before, since what it needs cannot be used",
                  made.error());
        return false;
    }
    news_.add(LogLevel::Info, "ldap_settings", "the settings and the password for LDAP have been read");
    return true;
}

std::shared_ptr<const access::Method> LoginMethods::make(std::string_view name) const {
    if (name == "certificate") {
        return std::make_shared<access::CertificateMethod>(current_, settings_.certificate_name,
                                                           settings_.certificate_roles);
    }
    if (name == "psk") return std::make_shared<access::PskMethod>(current_, settings_.psk_roles);
    if (name == "accounts") return accounts_;
    if (name == "jwt") {
        return std::make_shared<access::TokenMethod>(current_, token_rules(settings_.jwt), token_keys_.keys(),
                                                     token_keys_.wish());
    }
    if (name == "http" && hook_) return hook_;
    if (name == "ldap" && ldap_) return ldap_;
    return std::make_shared<access::UnusableMethod>(std::string(name), "what it needs cannot be read: see the log");
}

}  // namespace chappe::server
