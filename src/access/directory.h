#pragma once

// What there is to know about users, roles and bans at one moment. Immutable: a change makes another one.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "accounts/account_store.h"
#include "base/hash.h"
#include "base/time.h"
#include "net/network.h"
#include "policy/policy.h"

namespace chappe::access {

// Roles and users that stand in a file.
struct PolicyTexts {
    bool is_set = false;              // There is such a file, however little it says.
    bool roles_from_outside = false;  // Clients may have any role by what they authenticate with.
    std::vector<policy::RoleText> roles;
    std::vector<policy::UserText> users;
};

// All that there are, as Policy::make() takes them. What a file says of a role replaces what the accounts say of it.
struct RolesAndUsers {
    std::vector<policy::RoleText> roles;
    std::vector<policy::UserText> users;  // Without those that are disabled.
};

[[nodiscard]] RolesAndUsers merge(const accounts::Snapshot& snapshot, const PolicyTexts& texts);

class Directory {
public:
    struct Made;

    [[nodiscard]] static Made make(accounts::Snapshot snapshot, const PolicyTexts& texts);

    [[nodiscard]] const accounts::User* find(std::string_view name) const;
    [[nodiscard]] const accounts::User* find_by_fingerprint(std::string_view fingerprint) const;
    // The same rules for other accounts: where those that belong to them cannot be used.
    [[nodiscard]] std::shared_ptr<const Directory> with_accounts(accounts::Snapshot snapshot) const;
    // The reason of a ban that holds for this address, or for this client; nothing: none.
    [[nodiscard]] std::optional<std::string> banned(const net::IpAddress& address, WallTime now) const;
    [[nodiscard]] std::optional<std::string> banned(std::string_view address, std::string_view user_name,
                                                    std::string_view client_id, WallTime now) const;
    [[nodiscard]] const policy::Policy& policy() const noexcept { return *policy_; }
    [[nodiscard]] std::span<const accounts::User> users() const noexcept { return snapshot_.users; }
    [[nodiscard]] std::span<const accounts::Ban> bans() const noexcept { return snapshot_.bans; }
    // Whether the accounts say the same as in another snapshot.
    [[nodiscard]] bool is_of(const accounts::Snapshot& other) const {
        return snapshot_.users == other.users && snapshot_.roles == other.roles && snapshot_.bans == other.bans;
    }
    // Nobody has said what anonymous clients may do, neither in the file nor in the database: they may do everything
    // that a client can, and it is the listener that lets them in or not.
    [[nodiscard]] bool anonymous_is_open() const noexcept { return anonymous_is_open_; }
    // Whether there is anybody who may not receive everything.
    [[nodiscard]] bool restricts_receiving() const noexcept { return restricts_receiving_; }

private:
    template <class Thing>
    using ByText = std::unordered_map<std::string_view, const Thing*, TextHash>;

    Directory(accounts::Snapshot snapshot, std::shared_ptr<const policy::Policy> policy);
    void add(const accounts::Ban& ban);

    accounts::Snapshot snapshot_;
    std::shared_ptr<const policy::Policy> policy_;
    bool restricts_receiving_ = true;
    bool anonymous_is_open_ = false;
    ByText<accounts::User> by_name_;
    ByText<accounts::User> by_fingerprint_;
    ByText<accounts::Ban> banned_users_;
    ByText<accounts::Ban> banned_clients_;
    std::vector<std::pair<net::Network, const accounts::Ban*>> banned_networks_;
};

struct Directory::Made {
    std::shared_ptr<const Directory> directory;  // Null: not usable.
    std::vector<policy::Finding> findings;
};

}  // namespace chappe::access
