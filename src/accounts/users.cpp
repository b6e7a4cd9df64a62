// The functions of AccountStore that concern users.

#include <algorithm>

#include "accounts/account_store.h"
#include "accounts/fault.h"
#include "accounts/valid.h"

namespace chappe::accounts {

namespace {

using OptionalText = std::optional<std::string>;

// Of SELECT name, password_hash, scram_keys, enabled, created_at, changed_at, comment.
User user_of(store::Row row) {
    return User{.name = row.get<std::string>(0),
                .password = {.hash = row.get<OptionalText>(1), .scram_keys = row.get<OptionalText>(2)},
                .enabled = row.get<bool>(3),
                .created_at = row.get<Seconds>(4),
                .changed_at = row.get<Seconds>(5),
                .comment = row.get<std::string>(6)};
}

// Hands the second column to the user whom the first one names. Rows and users are sorted alike. A row of nobody, which
// somebody has left who has changed the file by hand, is passed over.
template <class Give>
auto in_order(std::vector<User>& users, Give give) {
    return [next = users.begin(), end = users.end(), give](store::Row row) mutable {
        const auto name = row.get<std::string_view>(0);
        while (next != end && next->name < name) ++next;
        if (next != end && next->name == name) give(*next, row.get<std::string>(1));
    };
}

std::vector<std::string> sorted(std::span<const std::string> texts) {
    std::vector<std::string> result(texts.begin(), texts.end());
    std::ranges::sort(result);
    const auto repeated = std::ranges::unique(result);
    result.erase(repeated.begin(), repeated.end());
    return result;
}

}  // namespace

store::Result<std::vector<User>> AccountStore::read_users() {
    std::vector<User> users;
    TRY(
        sql_.for_each("SELECT name, password_hash, scram_keys, enabled, created_at, changed_at, comment FROM users "
                      "ORDER BY name",
                      [&](store::Row row) { users.push_back(user_of(row)); }));
    TRY(sql_.for_each("SELECT user, role FROM user_roles ORDER BY user, role",
                      in_order(users, [](User& user, std::string role) { user.roles.push_back(std::move(role)); })));
    TRY(sql_.for_each("SELECT user, fingerprint FROM fingerprints ORDER BY user, fingerprint",
                      in_order(users, [](User& user, std::string fingerprint) {
                          user.fingerprints.push_back(std::move(fingerprint));
                      })));
    return users;
}

Result<std::vector<User>> AccountStore::users() {
    const auto transaction = TRY(store::Transaction::read(sql_.database()));
    return TRY(read_users());
}

Result<std::optional<User>> AccountStore::find_user(std::string_view name) {
    const auto transaction = TRY(store::Transaction::read(sql_.database()));
    std::optional<User> user;
    TRY(sql_.for_each(
        "SELECT name, password_hash, scram_keys, enabled, created_at, changed_at, comment FROM users "
        "WHERE name = ?",
        [&](store::Row row) { user = user_of(row); }, name));
    if (!user) return user;
    user->roles = TRY(sql_.texts("SELECT role FROM user_roles WHERE user = ? ORDER BY role", name));
    user->fingerprints =
        TRY(sql_.texts("SELECT fingerprint FROM fingerprints WHERE user = ? ORDER BY fingerprint", name));
    return user;
}

Result<void> AccountStore::add_user(const NewUser& user, Seconds now) {
    auto transaction = TRY(begin());
    if (TRY(sql_.any("SELECT 1 FROM users WHERE name = ?", user.name))) {
        return std::unexpected(Error(Fault::UserExists, "the user " + user.name + " exists already"));
    }
    const auto count = TRY(sql_.count("SELECT count(*) FROM users"));
    TRY(check_user_count(count));
    TRY(insert_user(user, now));
    return commit(transaction);
}

// `count` without the one that is about to be added.
Result<void> AccountStore::check_user_count(std::size_t count) const {
    if (count >= limits_.users) return limit_reached("users", limits_.users);
    return {};
}

Result<void> AccountStore::insert_user(const NewUser& user, Seconds now) {
    TRY(check_name("user name", user.name));
    TRY(check_password(user.password));
    TRY(check_text("comment", user.comment));
    // Somebody who removes a user by hand, without foreign keys, leaves these for the next of that name.
    TRY(sql_.run("DELETE FROM user_roles WHERE user = ?", user.name));
    TRY(sql_.run("DELETE FROM fingerprints WHERE user = ?", user.name));
    TRY(
        sql_.run("INSERT INTO users(name, password_hash, scram_keys, enabled, created_at, changed_at, comment) "
                 "VALUES (?, ?, ?, ?, ?, ?, ?)",
                 user.name, user.password.hash, user.password.scram_keys, user.enabled, now, now, user.comment));
    return insert_roles(user.name, user.roles);
}

Result<void> AccountStore::insert_roles(std::string_view user, std::span<const std::string> roles) {
    const auto unique = sorted(roles);
    if (unique.size() > limits_.roles_per_user) return limit_reached("roles of a user", limits_.roles_per_user);
    for (const auto& role : unique) {
        TRY(need_role(role));
        TRY(sql_.run("INSERT INTO user_roles(user, role) VALUES (?, ?)", user, role));
    }
    return {};
}

Result<void> AccountStore::remove_user(std::string_view name) {
    auto transaction = TRY(begin());
    if (TRY(sql_.run("DELETE FROM users WHERE name = ?", name)) == 0) return no_such_user(name);
    return commit(transaction);
}

Result<void> AccountStore::touch(std::string_view user, Seconds now) {
    if (TRY(sql_.run("UPDATE users SET changed_at = ? WHERE name = ?", now, user)) == 0) return no_such_user(user);
    return {};
}

Result<void> AccountStore::set_password(std::string_view name, const Password& password, Seconds now) {
    TRY(check_password(password));
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(sql_.run("UPDATE users SET password_hash = ?, scram_keys = ? WHERE name = ?", password.hash,
                 password.scram_keys, name));
    return commit(transaction);
}

Result<void> AccountStore::set_enabled(std::string_view name, bool enabled, Seconds now) {
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(sql_.run("UPDATE users SET enabled = ? WHERE name = ?", enabled, name));
    return commit(transaction);
}

Result<void> AccountStore::set_comment(std::string_view name, std::string_view comment, Seconds now) {
    TRY(check_text("comment", comment));
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(sql_.run("UPDATE users SET comment = ? WHERE name = ?", comment, name));
    return commit(transaction);
}

Result<void> AccountStore::set_roles(std::string_view name, std::span<const std::string> roles, Seconds now) {
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(sql_.run("DELETE FROM user_roles WHERE user = ?", name));
    TRY(insert_roles(name, roles));
    return commit(transaction);
}

Result<void> AccountStore::grant_role(std::string_view name, std::string_view role, Seconds now) {
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(need_role(role));
    if (TRY(sql_.run("INSERT OR IGNORE INTO user_roles(user, role) VALUES (?, ?)", name, role)) == 0) return {};
    if (TRY(sql_.count("SELECT count(*) FROM user_roles WHERE user = ?", name)) > limits_.roles_per_user) {
        return limit_reached("roles of a user", limits_.roles_per_user);
    }
    return commit(transaction);
}

Result<void> AccountStore::revoke_role(std::string_view name, std::string_view role, Seconds now) {
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    TRY(need_role(role));
    if (TRY(sql_.run("DELETE FROM user_roles WHERE user = ? AND role = ?", name, role)) == 0) return {};
    return commit(transaction);
}

Result<void> AccountStore::pin(std::string_view name, std::string_view fingerprint, Seconds now) {
    const auto plain = TRY(plain_fingerprint(fingerprint));
    auto transaction = TRY(begin());
    TRY(touch(name, now));
    if (const auto owner = TRY(sql_.first<std::string>("SELECT user FROM fingerprints WHERE fingerprint = ?", plain))) {
        if (*owner == name) return {};
        return std::unexpected(
            Error(Fault::FingerprintTaken, "the certificate is pinned to the user " + *owner + " already"));
    }
    TRY(sql_.run("INSERT INTO fingerprints(fingerprint, user) VALUES (?, ?)", plain, name));
    if (TRY(sql_.count("SELECT count(*) FROM fingerprints WHERE user = ?", name)) > limits_.fingerprints_per_user) {
        return limit_reached("certificates of a user", limits_.fingerprints_per_user);
    }
    return commit(transaction);
}

Result<void> AccountStore::unpin(std::string_view fingerprint, Seconds now) {
    const auto plain = TRY(plain_fingerprint(fingerprint));
    auto transaction = TRY(begin());
    const auto owner = TRY(sql_.first<std::string>("SELECT user FROM fingerprints WHERE fingerprint = ?", plain));
    if (!owner) return std::unexpected(Error(Fault::NoSuchFingerprint, "that certificate is pinned to no user"));
    TRY(sql_.run("UPDATE users SET changed_at = ? WHERE name = ?", now, *owner));  // Unless removed by hand.
    TRY(sql_.run("DELETE FROM fingerprints WHERE fingerprint = ?", plain));
    return commit(transaction);
}

Result<ImportReport> AccountStore::import(std::span<const ImportedUser> users, OnExisting on_existing, Seconds now) {
    auto transaction = TRY(begin());
    const auto count_before = TRY(sql_.count("SELECT count(*) FROM users"));
    ImportReport report;
    for (std::size_t i = 0; i < users.size(); ++i) {
        auto imported = import_one(users[i], on_existing, now, report);
        if (imported) imported = check_user_count(count_before + report.added.size() - 1);
        if (imported) continue;
        auto& error = imported.error();
        const bool has_name = check_name("user name", users[i].name).has_value();
        error.text = (has_name ? users[i].name : "user " + std::to_string(i + 1)) + ": " + error.text;
        return std::unexpected(std::move(error));
    }
    TRY(commit(transaction));
    return report;
}

Result<void> AccountStore::import_one(const ImportedUser& user, OnExisting on_existing, Seconds now,
                                      ImportReport& report) {
    if (!TRY(sql_.any("SELECT 1 FROM users WHERE name = ?", user.name))) {
        TRY(insert_user(
            NewUser{
                .name = user.name, .password = user.password, .roles = user.roles.value_or(std::vector<std::string>())},
            now));
        report.added.push_back(user.name);
    } else if (on_existing == OnExisting::Replace && TRY(replace_user(user, now))) {
        report.changed.push_back(user.name);
    } else {
        report.skipped.push_back(user.name);
    }
    return {};
}

// Whether there was something to replace.
Result<bool> AccountStore::replace_user(const ImportedUser& user, Seconds now) {
    TRY(check_password(user.password));
    const auto passwords_changed =
        TRY(sql_.run("UPDATE users SET password_hash = ?1, scram_keys = ?2 "
                     "WHERE name = ?3 AND (password_hash IS NOT ?1 OR scram_keys IS NOT ?2)",
                     user.password.hash, user.password.scram_keys, user.name));
    const auto roles = TRY(sql_.texts("SELECT role FROM user_roles WHERE user = ? ORDER BY role", user.name));
    const bool other_roles = user.roles && sorted(*user.roles) != roles;
    if (other_roles) {
        TRY(sql_.run("DELETE FROM user_roles WHERE user = ?", user.name));
        TRY(insert_roles(user.name, *user.roles));
    }
    if (passwords_changed == 0 && !other_roles) return false;
    TRY(touch(user.name, now));
    return true;
}

}  // namespace chappe::accounts
