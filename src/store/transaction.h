#pragma once

// Several statements of which all or none take effect.

#include <utility>

#include "store/database.h"

namespace chappe::store {

// Undone at its end unless it has been committed. One at a time for a Database, which must outlive it.
class Transaction {
public:
    // Waits until no other connection writes, and keeps others from writing: what is read in it stays true until it
    // ends.
    [[nodiscard]] static Result<Transaction> write(Database& database);
    // All that is read in it is of one moment. Keeps nobody from writing.
    [[nodiscard]] static Result<Transaction> read(Database& database);

    Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    // When it returns without an error, the changes are on the disk. When it fails, they are undone.
    [[nodiscard]] Result<void> commit();

private:
    explicit Transaction(sqlite3* connection) noexcept : connection_(connection) {}

    [[nodiscard]] static Result<Transaction> begin(Database& database, const char* sql);

    sqlite3* connection_;  // nullptr once it has ended.
};

}  // namespace chappe::store
