#include "server/ldap_logins.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "crypto/secret_source.h"
#include "ldap/connection.h"
#include "server/settings/ldap.h"

namespace chappe::server {
namespace {

access::LdapRules ldap_rules(const LdapSettings& settings) {
    access::LdapRules rules{.user_dn = settings.user_dn,
                            .base = settings.base,
                            .filter = settings.filter,
                            .user_name_attribute = user_name_attribute(settings),
                            .bind_dn = settings.bind_dn,
                            .roles = settings.roles,
                            .group_base = settings.group_base,
                            .group_filter = settings.group_filter,
                            .group_attribute = settings.group_attribute,
                            .group_roles = {},
                            .remembered_for = std::chrono::seconds{settings.cache_seconds}};
    for (const auto& item : settings.group_roles) rules.group_roles.push_back(group_and_role(item));
    return rules;
}

}  // namespace

std::expected<std::shared_ptr<const access::Method>, std::string> make_ldap_method(
    std::shared_ptr<const access::Current> current, const LdapSettings& settings) {
    crypto::Secret password;
    if (!settings.bind_password.empty()) {
        auto read = crypto::read_secret(settings.bind_password);
        if (!read) return std::unexpected("ldap.bind_password: " + read.error());
        password = *std::move(read);
    }
    if (!settings.ca_file.empty() && ::access(settings.ca_file.c_str(), R_OK) != 0) {
        return std::unexpected("ldap.ca_file: " + settings.ca_file + ": " + std::generic_category().message(errno));
    }
    ldap::Server server{.url = settings.url,
                        .start_tls = settings.start_tls,
                        .ca_file = settings.ca_file,
                        .time_limit = std::chrono::seconds{settings.timeout_seconds}};
    auto connect = [server = std::move(server)] { return ldap::Connection::open(server); };
    return std::make_shared<const access::LdapMethod>(std::move(current), ldap_rules(settings), std::move(password),
                                                      std::move(connect),
                                                      [] { return std::chrono::steady_clock::now(); });
}

}  // namespace chappe::server
