#include "store/migrate.h"

#include <sqlite3.h>

#include <string>

#include "store/transaction.h"

namespace chappe::store {

namespace {

// Outside of a transaction only: within one SQLite ignores it.
class ForeignKeysOff {
public:
    explicit ForeignKeysOff(Database& database) noexcept : connection_(database.connection()) { set(0); }
    ForeignKeysOff(const ForeignKeysOff&) = delete;
    ForeignKeysOff& operator=(const ForeignKeysOff&) = delete;
    ~ForeignKeysOff() { set(1); }

private:
    void set(int on) noexcept { sqlite3_db_config(connection_, SQLITE_DBCONFIG_ENABLE_FKEY, on, nullptr); }

    sqlite3* connection_;
};

Result<std::size_t> version_of(Database& database) {
    auto statement = TRY(database.prepare("PRAGMA user_version"));
    const auto version = TRY(statement.first<std::int32_t>()).value_or(0);
    if (version < 0)
        return foreign("cannot use " + database.path() + ": it has the version " + std::to_string(version));
    return static_cast<std::size_t>(version);
}

std::unexpected<Error> too_new(const Database& database, std::size_t version, std::size_t known) {
    return foreign("cannot use " + database.path() + ": a newer Chappe has written it (version " +
                   std::to_string(version) + ", this one knows versions up to " + std::to_string(known) +
                   "). Use the newer Chappe, or the copy of the file that it has made before it changed it (" +
                   database.path() + ".v*.bak).");
}

// By a connection of its own, which sees what was committed while this one keeps others from writing.
Result<void> keep_copy(const Database& database, std::size_t version) {
    auto options = database.options();
    options.access = Access::ReadOnly;
    auto source = TRY(Database::open(database.path(), options));
    return source.copy_to(database.path() + ".v" + std::to_string(version) + ".bak");
}

Result<void> check_foreign_keys(Database& database) {
    auto statement = TRY(database.prepare("PRAGMA foreign_key_check"));
    if (const auto table = TRY(statement.first<std::string>())) {
        return std::unexpected(
            Error{SQLITE_CONSTRAINT_FOREIGNKEY,
                  "cannot upgrade " + database.path() + ": the table " + *table + " refers to what is not there"});
    }
    return {};
}

}  // namespace

Result<void> migrate(Database& database, std::span<const Migration> migrations) {
    const auto version_known = migrations.size();
    if (TRY(version_of(database)) == version_known) return {};

    const ForeignKeysOff foreign_keys_off(database);
    auto transaction = TRY(Transaction::write(database));
    const auto version = TRY(version_of(database));  // Another process may have been faster.
    if (version == version_known) return {};
    if (version > version_known) return too_new(database, version, version_known);
    if (version > 0) TRY(keep_copy(database, version));
    for (const auto& migration : migrations.subspan(version)) TRY(database.execute(std::string(migration.sql)));
    TRY(check_foreign_keys(database));
    TRY(database.execute("PRAGMA user_version = " + std::to_string(version_known)));
    return transaction.commit();
}

Result<void> check_version(Database& database, std::span<const Migration> migrations) {
    const auto version = TRY(version_of(database));
    if (version > migrations.size()) return too_new(database, version, migrations.size());
    if (version == migrations.size()) return {};
    return foreign("cannot use " + database.path() +
                   ": an older Chappe has written it; chappe serve brings it up to date");
}

}  // namespace chappe::store
