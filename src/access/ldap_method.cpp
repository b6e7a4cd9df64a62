#include "access/ldap_method.h"

#include <algorithm>
#include <array>
#include <expected>
#include <span>

#include "access/roles.h"
#include "base/result.h"
#include "base/text.h"
#include "ldap/escape.h"

namespace chappe::access {
namespace {

constexpr std::size_t groups_max = 1000;  // That one user is in.
constexpr std::size_t logins_max = 100'000;

struct Place {
    std::string_view name;
    std::string value;
};

// In one go, so that a value that looks like a place is none.
std::string fill(std::string_view text, std::span<const Place> places) {
    std::string filled;
    while (!text.empty()) {
        const auto place = std::ranges::find_if(places, [&](const auto& one) { return text.starts_with(one.name); });
        if (place == places.end()) {
            filled += text.front();
            text.remove_prefix(1);
        } else {
            filled += place->value;
            text.remove_prefix(place->name.size());
        }
    }
    return filled;
}

bool is_of_attribute(char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-' || letter == '.';
}

}  // namespace

// One client and the server, from the connection to the roles. What ends it early is the method's answer.
class LdapMethod::Interview {
public:
    template <class T>
    using Step = std::expected<T, Outcome>;

    Interview(const LdapRules& rules, const crypto::Secret& bind_password, ldap::Session& session,
              const Credentials& credentials)
        : rules_(rules),
          bind_password_(bind_password),
          session_(session),
          name_(*credentials.user_name),
          password_(credentials.password->reveal()) {}

    Step<Login> run() {
        auto entry = TRY(binds_directly() ? prove_and_find() : find_and_prove());
        auto user_name = TRY(name_in(entry));
        auto roles = TRY(roles_of_groups(entry, user_name));
        return Login{std::move(user_name), std::move(roles)};
    }

private:
    [[nodiscard]] bool binds_directly() const { return !rules_.user_dn.empty(); }

    static std::unexpected<Outcome> refuse(std::string why) {
        return std::unexpected<Outcome>(Refused{.why = std::move(why)});
    }

    // The server does not do what is asked of it.
    static std::unexpected<Outcome> fail(std::string why) {
        return std::unexpected<Outcome>(Refused{.why = std::move(why), .cannot_tell = true});
    }

    Step<ldap::Entry> find_and_prove() {
        TRY(become_service());
        auto entry = TRY(find());
        TRY(prove(entry.dn));
        return entry;
    }

    Step<ldap::Entry> prove_and_find() {
        const std::array places{Place{user_name_place, ldap::escape_in_dn(name_)}};
        const auto dn = fill(rules_.user_dn, places);
        TRY(prove(dn));
        TRY(become_service());
        if (rules_.base.empty()) return read(dn);
        // The filter may find the entry of somebody else.
        auto entry = TRY(find());
        TRY(prove(entry.dn, "the password is right, but not for the entry that the filter finds: "));
        return entry;
    }

    Step<void> prove(const std::string& dn) {
        return prove(
            dn, binds_directly() ? "the password is wrong, or there is no such user: " : "the password is wrong: ");
    }

    // A name that stands in no entry is nobody's here; most servers do not tell that from a wrong password.
    Step<void> prove(const std::string& dn, std::string_view what_is_wrong) {
        const auto bound = session_.bind(dn, password_);
        if (bound) return {};
        const auto& error = bound.error();
        if (error.fault == ldap::Fault::NoSuchEntry) return std::unexpected<Outcome>(Declined{"there is no such user"});
        if (error.fault != ldap::Fault::WrongPassword) return fail(error.text);
        return std::unexpected<Outcome>(Refused{.why = std::string(what_is_wrong) + error.text, .wrong_secret = true});
    }

    // Where there is none, whoever it is now goes on.
    Step<void> become_service() {
        if (rules_.bind_dn.empty()) return {};
        const auto bound = session_.bind(rules_.bind_dn, bind_password_.reveal());
        if (!bound) return fail("the account that looks for users (bind_dn): " + bound.error().text);
        return {};
    }

    Step<ldap::Entry> find() {
        const std::array places{Place{user_name_place, ldap::escape_in_filter(name_)}};
        auto found = session_.search({.base = rules_.base,
                                      .filter = fill(rules_.filter, places),
                                      .attributes = {rules_.user_name_attribute},
                                      .entries_max = 2});
        if (!found) return fail(found.error().text);
        if (found->size() > 1) return refuse("more than one entry has this user name");
        if (!found->empty()) return std::move(found->front());
        if (binds_directly()) return refuse("the filter does not find the entry of a user whose password is right");
        return std::unexpected<Outcome>(Declined{"there is no such user"});
    }

    Step<ldap::Entry> read(const std::string& dn) {
        auto found = session_.search({.base = dn,
                                      .scope = ldap::Scope::Entry,
                                      .filter = "(objectClass=*)",
                                      .attributes = {rules_.user_name_attribute},
                                      .entries_max = 1});
        if (!found) return fail(found.error().text);
        if (found->empty()) return refuse("the entry " + dn + " cannot be read");
        return std::move(found->front());
    }

    // As the directory spells it: it finds "Bob" for "bob", and for rules and bans these are two.
    Step<std::string> name_in(const ldap::Entry& entry) const {
        auto names = entry.values(rules_.user_name_attribute);
        std::erase(names, "");
        if (names.empty()) return refuse("the entry " + entry.dn + " has no " + rules_.user_name_attribute);
        auto name = std::ranges::find(names, name_);
        if (name == names.end()) {
            // As directories compare names. Where letters are not ASCII's, they have to be the same.
            name = std::ranges::find_if(names, [&](const auto& one) { return equal_ignoring_case(one, name_); });
        }
        return std::move(name == names.end() ? names.front() : *name);
    }

    Step<std::vector<std::string>> roles_of_groups(const ldap::Entry& entry, const std::string& user_name) {
        std::vector<std::string> roles;
        if (rules_.group_base.empty()) return roles;
        const bool is_client = !rules_.base.empty();  // Whose password was tried last.
        if (is_client) TRY(become_service());
        const std::array places{Place{user_name_place, ldap::escape_in_filter(user_name)},
                                Place{dn_place, ldap::escape_in_filter(entry.dn)}};
        const auto groups = session_.search({.base = rules_.group_base,
                                             .filter = fill(rules_.group_filter, places),
                                             .attributes = {rules_.group_attribute},
                                             .entries_max = groups_max + 1});
        if (!groups) return fail("groups: " + groups.error().text);
        if (groups->size() > groups_max) return refuse("the user is in too many groups");
        for (const auto& group : *groups) add_roles(group, roles);
        return roles;
    }

    void add_roles(const ldap::Entry& group, std::vector<std::string>& roles) const {
        for (const auto& called : group.values(rules_.group_attribute)) {
            for (const auto& [name, role] : rules_.group_roles) {
                if (equal_ignoring_case(name, called)) add_once(role, roles);
            }
        }
    }

    const LdapRules& rules_;
    const crypto::Secret& bind_password_;
    ldap::Session& session_;
    const std::string& name_;
    const std::string_view password_;
};

std::optional<std::string> attribute_of_user_name(std::string_view text) {
    const auto at = text.find(std::string("=") + std::string(user_name_place));
    if (at == text.npos) return std::nullopt;
    const auto after = text.substr(at + 1 + user_name_place.size());
    if (!after.empty() && after.front() != ')' && after.front() != ',') return std::nullopt;
    const auto before = text.substr(0, at);
    const auto opens = before.find_last_of("(,");
    const auto name = before.substr(opens == before.npos ? 0 : opens + 1);
    if (name.empty() || !std::ranges::all_of(name, is_of_attribute)) return std::nullopt;
    return std::string(name);
}

LdapMethod::LdapMethod(std::shared_ptr<const Current> current, LdapRules rules, crypto::Secret bind_password,
                       Connect connect, Clock clock)
    : current_(std::move(current)),
      rules_(std::move(rules)),
      bind_password_(std::move(bind_password)),
      connect_(std::move(connect)),
      clock_(std::move(clock)),
      remembered_(rules_.remembered_for, logins_max) {}

Effort LdapMethod::effort(const Credentials& credentials) const {
    if (!credentials.user_name || !credentials.password) return Effort::Quick;
    const auto password = credentials.password->reveal();
    if (credentials.user_name->empty() || password.empty()) return Effort::Quick;
    const auto proof = joined({*credentials.user_name, password});
    return remembered_.has(proof.reveal(), clock_()) ? Effort::Quick : Effort::Waits;
}

// What is not known for certain lets nobody in: a server that does not answer, or answers something else.
Outcome LdapMethod::check(const Credentials& credentials) const {
    if (!credentials.user_name || !credentials.password) return Declined{};
    const auto& name = *credentials.user_name;
    const auto password = credentials.password->reveal();
    if (name.empty()) return Declined{"the user name is empty"};
    // Many servers say yes to an empty one (RFC 4513, 5.1.2). ldap::Connection does not send it either.
    if (password.empty()) return Refused{.why = "the password is empty", .wrong_secret = true};
    const auto proof = joined({name, password});
    if (auto login = remembered_.find(proof.reveal(), clock_())) return accept(*std::move(login), credentials);
    const auto session = connect_();
    if (!session) return Refused{.why = session.error().text, .cannot_tell = true};
    auto login = Interview(rules_, bind_password_, **session, credentials).run();
    if (!login) return std::move(login.error());
    remembered_.add(proof.reveal(), *login, clock_());
    return accept(*std::move(login), credentials);
}

// Not remembered: the account of that name, which may have been disabled meanwhile. Under another spelling the method
// of accounts does not know it, so the directory would decide about somebody who has a password here.
Outcome LdapMethod::accept(Login login, const Credentials& credentials) const {
    const auto directory = current_->share();
    const auto* user = directory->find(login.user_name);
    if (user != nullptr && !user->enabled) return Refused{.why = "the account " + login.user_name + " is disabled"};
    const bool has_password = user != nullptr && (user->password.hash || user->password.scram_keys);
    if (has_password && login.user_name != *credentials.user_name) {
        return Refused{.why = "the entry found is called " + login.user_name +
                              ", and the account of that name has a password of its own"};
    }
    auto attributes = std::make_shared<broker::Attributes>();
    if (credentials.certificate) attributes->certificate_name = credentials.certificate->common_name;
    if (user == nullptr) attributes->roles = rules_.roles;
    for (const auto& role : login.roles) add_once(role, attributes->roles);
    return Accepted{
        .user_name = std::move(login.user_name), .attributes = std::move(attributes), .expires_at = std::nullopt};
}

}  // namespace chappe::access
