#include "server/settings/ldap.h"

#include <ranges>

#include <fmt/format.h>

#include "access/ldap_method.h"
#include "ldap/syntax.h"
#include "net/url.h"
#include "server/settings/value.h"

namespace chappe::server {
namespace {

std::string without(std::string text, std::string_view place) {
    for (auto at = text.find(place); at != text.npos; at = text.find(place, at)) text.replace(at, place.size(), "x");
    return text;
}

bool only_this_machine(const std::string& host) {
    return net::is_loopback(net::ListenUrl{.scheme = net::Scheme::Mqtt, .host = host});
}

class Reader {
public:
    explicit Reader(const LdapSettings& settings) : settings_(settings) {}

    std::vector<LdapMistake> mistakes() && {
        check_server();
        check_user();
        check_service();
        check_groups();
        return std::move(mistakes_);
    }

private:
    void wrong(std::string_view name, std::string what) {
        mistakes_.push_back({Severity::Error, name, std::move(what)});
    }

    void check_server() {
        if (settings_.url.empty()) {
            return wrong("url", "it must be said where the directory server is: \"ldaps://ldap.example.org\"");
        }
        for (const auto word : std::views::split(settings_.url, ' ')) check_url(std::string(word.begin(), word.end()));
        if (has_tls_ && has_no_tls_) {
            wrong("url",
                  "it has both ldaps:// and ldap://, so passwords could travel unencrypted whenever a server does not "
                  "answer; write the same for all");
        }
    }

    void check_url(const std::string& text) {
        const auto url = ldap::parse_url(text);
        if (url) (url->is_tls ? has_tls_ : has_no_tls_) = true;
        if (!url) {
            wrong("url", fmt::format("{} is neither ldaps://HOST nor ldap://HOST, with or without :PORT; several have "
                                     "one space between",
                                     quote(text)));
        } else if (url->is_tls && settings_.start_tls) {
            wrong("start_tls", text + " has TLS from its beginning; remove start_tls, or write ldap://");
        } else if (!url->is_tls && !settings_.start_tls && !only_this_machine(url->host)) {
            mistakes_.push_back(
                {Severity::Warning, "url",
                 fmt::format("passwords travel to {} unencrypted; write ldaps://, or start_tls = true", text)});
        }
    }

    void check_user() {
        const auto& direct = settings_.user_dn;
        if (direct.empty() && settings_.base.empty()) {
            return wrong("base",
                         "it must be said below which entry users are: \"ou=people,dc=example,dc=org\"; or "
                         "user_dn what their entries are called");
        }
        if (!direct.empty() && !direct.contains(access::user_name_place)) {
            wrong("user_dn", "it has no ${username}, so all users would be one");
        }
        if (!settings_.base.empty()) {
            check_base("base", settings_.base);
            if (check_filter("filter", settings_.filter) && !settings_.filter.contains(access::user_name_place)) {
                wrong("filter", "it has no ${username}, so it finds everybody");
            }
        }
        if (user_name_attribute(settings_).empty()) {
            wrong("user_name_attribute", "it must be said which attribute of an entry is the user name: \"uid\"");
        }
    }

    void check_service() {
        if (settings_.bind_dn.empty() == settings_.bind_password.empty()) return;
        if (settings_.bind_dn.empty()) wrong("bind_dn", "it must be said whose password bind_password is");
        if (settings_.bind_password.empty()) {
            wrong("bind_password", "it must be said where the password of bind_dn is: \"file:/etc/chappe/ldap\"");
        }
    }

    void check_groups() {
        for (const auto& item : settings_.group_roles) {
            const auto [group, role] = group_and_role(item);
            if (group.empty() || role.empty()) {
                wrong("group_roles", fmt::format("{} is not GROUP=ROLE, as in \"operators=editor\"", quote(item)));
            }
        }
        const bool has_base = !settings_.group_base.empty();
        const bool has_roles = !settings_.group_roles.empty();
        if (has_base && has_roles) check_group_search();
        if (has_base && !has_roles) {
            wrong("group_roles", "groups give no roles as long as none is named here: [\"operators=editor\"]");
        } else if (has_roles && !has_base) {
            wrong("group_base", "it must be said below which entry the groups of group_roles are");
        }
    }

    void check_group_search() {
        check_base("group_base", settings_.group_base);
        const auto& filter = settings_.group_filter;
        if (!check_filter("group_filter", filter)) return;
        if (!filter.contains(access::dn_place) && !filter.contains(access::user_name_place)) {
            wrong("group_filter", "it has neither ${dn} nor ${username}, so everybody would be in all groups");
        }
    }

    void check_base(std::string_view name, const std::string& text) {
        if (!ldap::is_dn(text)) wrong(name, quote(text) + " is no distinguished name, as in \"dc=example,dc=org\"");
    }

    bool check_filter(std::string_view name, const std::string& text) {
        if (ldap::is_filter(without(without(text, access::user_name_place), access::dn_place))) return true;
        wrong(name, quote(text) + " is no filter, as in \"(uid=${username})\"; its parentheses belong to it");
        return false;
    }

    const LdapSettings& settings_;
    bool has_tls_ = false;
    bool has_no_tls_ = false;
    std::vector<LdapMistake> mistakes_;
};

}  // namespace

std::pair<std::string, std::string> group_and_role(const std::string& item) {
    const auto at = item.rfind('=');
    if (at == item.npos) return {item, {}};
    return {item.substr(0, at), item.substr(at + 1)};
}

std::string user_name_attribute(const LdapSettings& settings) {
    if (!settings.user_name_attribute.empty()) return settings.user_name_attribute;
    const auto& compared = settings.base.empty() ? settings.user_dn : settings.filter;
    return access::attribute_of_user_name(compared).value_or("");
}

std::vector<LdapMistake> mistakes_in(const LdapSettings& settings) { return Reader(settings).mistakes(); }

}  // namespace chappe::server
