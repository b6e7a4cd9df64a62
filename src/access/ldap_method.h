#pragma once

// Accounts that a directory server has: OpenLDAP, Active Directory.

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/current.h"
#include "access/method.h"
#include "ldap/session.h"

namespace chappe::access {

inline constexpr std::string_view user_name_place = "${username}";
inline constexpr std::string_view dn_place = "${dn}";

// In texts with these places, they stand for the client's user name, and the name of its entry.
struct LdapRules {
    std::string user_dn;  // To bind as with the client's password; empty: its entry is looked for, and bound as.
    std::string base;     // Where entries of users are looked for; empty: `user_dn` names them.
    std::string filter;
    std::string user_name_attribute;  // Of the entry: what the user is called here, whatever spelling has found it.
    std::string bind_dn;              // Who looks for entries. Empty: nobody, then the user.
    std::vector<std::string> roles;   // Of users without an account here.
    std::string group_base;           // Empty: groups give no roles.
    std::string group_filter;
    std::string group_attribute;                                   // What a group is called below.
    std::vector<std::pair<std::string, std::string>> group_roles;  // A group, and the role that it gives.
    Duration remembered_for{};                                     // Zero: not at all.
};

// The text before "=${username}", where it names an attribute that is compared with that and nothing else.
[[nodiscard]] std::optional<std::string> attribute_of_user_name(std::string_view text);

// Whom the server has let in a while ago, so that devices that come back at once need not all be asked about. Of a
// password only a keyed digest is kept, in memory. Thread-safe.
class RememberedLogins {
public:
    static constexpr std::size_t entries_max = 100'000;
    // Between the question whether a login is remembered and its use, which shall not fail, less time passes.
    static constexpr Duration grace = 1s;

    struct Login {
        std::string user_name;
        std::vector<std::string> roles;
    };

    RememberedLogins(Duration kept_for, crypto::Secret key);

    [[nodiscard]] bool has(std::string_view name, std::string_view password, Instant now) const;
    // Also one whose time has just run out.
    [[nodiscard]] std::optional<Login> find(std::string_view name, std::string_view password, Instant now) const;
    // Nothing, where there are too many: none of the others is forgotten before its time.
    void add(std::string_view name, std::string_view password, Login login, Instant now);

private:
    struct Kept {
        Login login;
        Instant until;
    };

    [[nodiscard]] std::string digest_of(std::string_view name, std::string_view password) const;
    void forget_old(Instant now);

    const Duration kept_for_;
    const crypto::Secret key_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Kept> kept_;
    Instant forgotten_at_{};
};

class LdapMethod final : public Method {
public:
    // Called by many threads at once.
    using Connect = std::function<ldap::Result<std::unique_ptr<ldap::Session>>()>;
    using Clock = std::function<Instant()>;

    LdapMethod(std::shared_ptr<const Current> current, LdapRules rules, crypto::Secret bind_password, Connect connect,
               Clock clock);

    [[nodiscard]] std::string_view name() const noexcept override { return "ldap"; }
    [[nodiscard]] Effort effort(const Credentials& credentials) const override;
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;

private:
    [[nodiscard]] Outcome accept(RememberedLogins::Login login, const Credentials& credentials) const;

    const std::shared_ptr<const Current> current_;
    const LdapRules rules_;
    const crypto::Secret bind_password_;
    const Connect connect_;
    const Clock clock_;
    mutable RememberedLogins remembered_;
};

}  // namespace chappe::access
