#pragma once

// Accounts that a directory server has: OpenLDAP, Active Directory.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/current.h"
#include "access/method.h"
#include "access/remembered.h"
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
    struct Login {
        std::string user_name;
        std::vector<std::string> roles;
    };
    class Interview;

    [[nodiscard]] Outcome accept(Login login, const Credentials& credentials) const;

    const std::shared_ptr<const Current> current_;
    const LdapRules rules_;
    const crypto::Secret bind_password_;
    const Connect connect_;
    const Clock clock_;
    mutable Remembered<Login> remembered_;
};

}  // namespace chappe::access
