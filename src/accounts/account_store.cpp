#include "accounts/account_store.h"

#include "accounts/schema.h"
#include "store/migrate.h"

namespace chappe::accounts {

Result<AccountStore> AccountStore::open(const std::string& path, const StoreOptions& options) {
    auto database =
        TRY(store::Database::open(path, {.application_id = application_id, .busy_timeout = options.busy_timeout}));
    TRY(store::migrate(database, migrations));
    return AccountStore(std::move(database), options.limits);
}

Result<AccountStore> AccountStore::look_at(const std::string& path) {
    auto database = TRY(store::Database::open(path, {.application_id = application_id, .access = store::Access::Look}));
    TRY(store::check_version(database, migrations));
    return AccountStore(std::move(database), {});
}

store::Result<store::Transaction> AccountStore::begin() { return store::Transaction::write(sql_.database()); }

Result<void> AccountStore::commit(store::Transaction& transaction) {
    TRY(transaction.commit());
    seen_.reset();
    return {};
}

Result<std::string> AccountStore::secret(std::string_view name, std::string_view fresh) {
    const auto known = [&] { return sql_.first<std::string>("SELECT value FROM secrets WHERE name = ?", name); };
    if (auto value = TRY(known())) return *std::move(value);
    auto transaction = TRY(begin());
    TRY(sql_.run("INSERT OR IGNORE INTO secrets VALUES (?, ?)", name, fresh));
    TRY(commit(transaction));
    return TRY(known()).value_or(std::string(fresh));
}

Result<Snapshot> AccountStore::snapshot() {
    const auto transaction = TRY(store::Transaction::read(sql_.database()));
    Snapshot snapshot;
    snapshot.data_version = TRY(sql_.database().data_version());
    snapshot.users = TRY(read_users());
    snapshot.roles = TRY(read_roles());
    snapshot.bans = TRY(read_bans());
    seen_ = snapshot.data_version;
    return snapshot;
}

Result<bool> AccountStore::changed() {
    if (!seen_) return true;
    return TRY(sql_.database().data_version()) != *seen_;
}

}  // namespace chappe::accounts
