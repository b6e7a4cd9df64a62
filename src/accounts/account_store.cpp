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

store::Result<store::Transaction> AccountStore::begin() { return store::Transaction::write(sql_.database()); }

Result<void> AccountStore::commit(store::Transaction& transaction) {
    TRY(transaction.commit());
    seen_.reset();
    return {};
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
