#pragma once

// chappe.db: the users, roles and bans that people manage with commands while the server runs.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accounts/account.h"
#include "accounts/error.h"
#include "accounts/statements.h"
#include "store/transaction.h"

namespace chappe::accounts {

struct Limits {
    std::size_t users = 1'000'000;
    std::size_t roles = 10'000;
    std::size_t rules_per_role = 1'000;
    std::size_t roles_per_user = 100;
    std::size_t fingerprints_per_user = 100;
    std::size_t bans = 100'000;
};

struct StoreOptions {
    // How long to wait for another process that writes.
    std::chrono::milliseconds busy_timeout{5'000};
    Limits limits;
};

struct NewUser {
    std::string name;
    Password password;
    bool enabled = true;
    std::string comment;
    std::vector<std::string> roles;
};

struct ImportedUser {
    std::string name;
    Password password;
    // What a user that is there already keeps, and a new one starts without.
    std::optional<std::vector<std::string>> roles;
};

enum class OnExisting : std::uint8_t { Keep, Replace };

// Names, in the order of the import.
struct ImportReport {
    std::vector<std::string> added;
    std::vector<std::string> changed;
    std::vector<std::string> skipped;  // Were there, and had to be kept or were as imported.
};

// The roles of a new file, and whether one is as it was there.
[[nodiscard]] std::vector<Role> ready_made_roles();
[[nodiscard]] bool is_ready_made(const Role& role);

enum class IfUsed : std::uint8_t { Refuse, TakeFromUsers };

// All that the server has to know, of one moment.
struct Snapshot {
    std::int64_t data_version = 0;  // See store::Database::data_version().
    std::vector<User> users;        // Sorted by name, as all of these.
    std::vector<Role> roles;
    std::vector<Ban> bans;  // Those that are over included, until expire_bans().
};

// One thread at a time uses an AccountStore; any number of threads and processes may have one each for the same file.
// Each function that changes something does all of it or nothing, and has it on the disk when it returns. They wait for
// the disk and for other writers, so they are not for a thread that serves connections.
//
// `now` is in seconds since 1970, UTC. Errors: the faults that a function names, Invalid and LimitReached for values,
// and Storage.
class AccountStore {
public:
    // Creates the file where it is not there, with the roles admin, editor, viewer and device and no users.
    [[nodiscard]] static Result<AccountStore> open(const std::string& path, const StoreOptions& options = {});
    // Only to read, and without a trace, whoever uses the file. One that is not there, or that another version of
    // Chappe has written, is an error.
    [[nodiscard]] static Result<AccountStore> look_at(const std::string& path);

    // Users.
    [[nodiscard]] Result<std::vector<User>> users();
    [[nodiscard]] Result<std::optional<User>> find_user(std::string_view name);
    // UserExists, NoSuchRole
    [[nodiscard]] Result<void> add_user(const NewUser& user, Seconds now);
    // NoSuchUser, as all that follow.
    [[nodiscard]] Result<void> remove_user(std::string_view name);
    [[nodiscard]] Result<void> set_password(std::string_view name, const Password& password, Seconds now);
    [[nodiscard]] Result<void> set_enabled(std::string_view name, bool enabled, Seconds now);
    [[nodiscard]] Result<void> set_comment(std::string_view name, std::string_view comment, Seconds now);
    // NoSuchRole, as the two that follow.
    [[nodiscard]] Result<void> set_roles(std::string_view name, std::span<const std::string> roles, Seconds now);
    // Granting a role that the user has, and revoking one that the user has not, changes nothing.
    [[nodiscard]] Result<void> grant_role(std::string_view name, std::string_view role, Seconds now);
    [[nodiscard]] Result<void> revoke_role(std::string_view name, std::string_view role, Seconds now);
    // A certificate's fingerprint, written with or without colons, pinned to one user. FingerprintTaken
    [[nodiscard]] Result<void> pin(std::string_view name, std::string_view fingerprint, Seconds now);
    // NoSuchFingerprint
    [[nodiscard]] Result<void> unpin(std::string_view fingerprint, Seconds now);
    // All of them, or none where one is not valid or has a role that is not there; the error names the user.
    [[nodiscard]] Result<ImportReport> import(std::span<const ImportedUser> users, OnExisting on_existing, Seconds now);

    // Roles. Rules are kept in the order in which they are written, and counted from 1.
    [[nodiscard]] Result<std::vector<Role>> roles();
    [[nodiscard]] Result<std::optional<Role>> find_role(std::string_view name);
    // RoleExists
    [[nodiscard]] Result<void> add_role(const Role& role);
    // NoSuchRole, as all that follow; RoleInUse
    [[nodiscard]] Result<void> remove_role(std::string_view name, IfUsed if_used);
    [[nodiscard]] Result<void> set_rules(std::string_view role, std::span<const std::string> rules);
    // As the last one.
    [[nodiscard]] Result<void> add_rule(std::string_view role, std::string_view rule);
    // NoSuchRule
    [[nodiscard]] Result<void> remove_rule(std::string_view role, std::size_t position);

    // Bans.
    [[nodiscard]] Result<std::vector<Ban>> bans();
    // Replaces a ban of the same.
    [[nodiscard]] Result<void> add_ban(const Ban& ban);
    // NoSuchBan
    [[nodiscard]] Result<void> remove_ban(BanKind kind, std::string_view value);
    // Removes those whose time is over, and says how many.
    [[nodiscard]] Result<std::size_t> expire_bans(Seconds now);

    // A secret of the server's own that outlives restarts: what was given as `fresh` the first time for this name.
    [[nodiscard]] Result<std::string> secret(std::string_view name, std::string_view fresh);

    [[nodiscard]] Result<Snapshot> snapshot();
    // Whether something has been changed since the last snapshot(), through this object or by anybody else; true before
    // the first. Cheap enough to be asked every second.
    [[nodiscard]] Result<bool> changed();

private:
    AccountStore(store::Database database, const Limits& limits) noexcept
        : sql_(std::move(database)), limits_(limits) {}

    [[nodiscard]] store::Result<store::Transaction> begin();
    [[nodiscard]] Result<void> commit(store::Transaction& transaction);

    [[nodiscard]] Result<void> touch(std::string_view user, Seconds now);
    [[nodiscard]] Result<void> insert_user(const NewUser& user, Seconds now);
    [[nodiscard]] Result<void> insert_roles(std::string_view user, std::span<const std::string> roles);
    [[nodiscard]] Result<void> import_one(const ImportedUser& user, OnExisting on_existing, Seconds now,
                                          ImportReport& report);
    [[nodiscard]] Result<bool> replace_user(const ImportedUser& user, Seconds now);
    [[nodiscard]] Result<void> check_user_count(std::size_t count) const;

    [[nodiscard]] Result<void> need_role(std::string_view name);
    [[nodiscard]] Result<void> replace_rules(std::string_view role, std::span<const std::string> rules);

    [[nodiscard]] store::Result<std::vector<User>> read_users();
    [[nodiscard]] store::Result<std::vector<Role>> read_roles();
    [[nodiscard]] store::Result<std::vector<Ban>> read_bans();

    Statements sql_;
    Limits limits_;
    std::optional<std::int64_t> seen_;  // The data version of the last snapshot, unless this object has changed it.
};

}  // namespace chappe::accounts
