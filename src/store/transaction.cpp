#include "store/transaction.h"

#include <sqlite3.h>

#include "base/assert.h"

namespace chappe::store {

Result<Transaction> Transaction::write(Database& database) { return begin(database, "BEGIN IMMEDIATE"); }

Result<Transaction> Transaction::read(Database& database) { return begin(database, "BEGIN"); }

Result<Transaction> Transaction::begin(Database& database, const char* sql) {
    ASSERT(sqlite3_get_autocommit(database.connection()) != 0);
    TRY(database.execute(sql));
    return Transaction(database.connection());
}

Transaction::~Transaction() {
    // SQLite has undone it already after some errors, such as a full disk.
    if (connection_ == nullptr || sqlite3_get_autocommit(connection_) != 0) return;
    sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<void> Transaction::commit() {
    ASSERT(connection_ != nullptr);
    const auto tried = std::string("cannot write ") + sqlite3_db_filename(connection_, "main");
    // Where an error has ended it, COMMIT fails as well: "no transaction is active".
    const int code = sqlite3_exec(connection_, "COMMIT", nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(connection_, code, tried);
    connection_ = nullptr;
    return {};
}

}  // namespace chappe::store
