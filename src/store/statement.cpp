#include "store/statement.h"

#include <sqlite3.h>

#include "base/assert.h"

namespace chappe::store {

bool Row::is_null(int column) const noexcept { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

std::int64_t Row::integer(int column) const noexcept { return sqlite3_column_int64(statement_, column); }

double Row::real(int column) const noexcept { return sqlite3_column_double(statement_, column); }

// The size is asked for after the value: only then it is that of the text, whatever the column held.
std::string_view Row::text(int column) const noexcept {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    if (text == nullptr) return {};
    return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

Blob Row::blob(int column) const noexcept {
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, column));
    if (bytes == nullptr) return {};
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Result<bool> Statement::step() {
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) {
        sqlite3_reset(statement_.get());
        return false;
    }
    auto error = step_failure(code);
    reset();
    return error;
}

void Statement::reset() noexcept {
    sqlite3_reset(statement_.get());  // Repeats the error of the last step, which has been told.
    sqlite3_clear_bindings(statement_.get());
}

void Statement::check_parameter_count(std::size_t count) const {
    ASSERT(static_cast<std::size_t>(sqlite3_bind_parameter_count(statement_.get())) == count);
}

Result<void> Statement::bound(int code) const {
    if (code != SQLITE_OK) return step_failure(code);
    return {};
}

int Statement::bind_null(int position) noexcept { return sqlite3_bind_null(statement_.get(), position); }

int Statement::bind_integer(int position, std::int64_t value) noexcept {
    return sqlite3_bind_int64(statement_.get(), position, value);
}

int Statement::bind_real(int position, double value) noexcept {
    return sqlite3_bind_double(statement_.get(), position, value);
}

// SQLite would take a null pointer for NULL, but the data of something empty may be one.
int Statement::bind_text(int position, std::string_view value, Keep keep) noexcept {
    if (value.empty()) return sqlite3_bind_text(statement_.get(), position, "", 0, SQLITE_STATIC);
    return sqlite3_bind_text64(statement_.get(), position, value.data(), value.size(),
                               keep == Keep::Copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

int Statement::bind_blob(int position, Blob value, Keep keep) noexcept {
    if (value.empty()) return sqlite3_bind_zeroblob(statement_.get(), position, 0);
    return sqlite3_bind_blob64(statement_.get(), position, value.data(), value.size(),
                               keep == Keep::Copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

std::int64_t Statement::rows_changed() const noexcept { return sqlite3_changes64(sqlite3_db_handle(statement_.get())); }

std::unexpected<Error> Statement::step_failure(int code) const {
    auto* const connection = sqlite3_db_handle(statement_.get());
    const bool reads = sqlite3_stmt_readonly(statement_.get()) != 0;
    return failure(connection, code,
                   std::string(reads ? "cannot read " : "cannot write ") + sqlite3_db_filename(connection, "main"));
}

}  // namespace chappe::store
