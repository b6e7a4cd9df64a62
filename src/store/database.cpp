#include "store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/assert.h"
#include "store/transaction.h"

namespace chappe::store {

namespace {

// The log (PATH-wal) grows with the largest transaction; when its content has been moved into the file, it is cut to
// this.
constexpr auto settings = R"(
    PRAGMA synchronous = FULL;
    PRAGMA journal_size_limit = 16777216;
    PRAGMA cell_size_check = ON;
)";

struct Switch {
    int option;
    int on;
};

constexpr std::array switches{
    Switch{SQLITE_DBCONFIG_ENABLE_FKEY, 1},
    Switch{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
    Switch{SQLITE_DBCONFIG_DEFENSIVE, 1},
    // Without these, a misspelt name in double quotes is a text.
    Switch{SQLITE_DBCONFIG_DQS_DDL, 0},
    Switch{SQLITE_DBCONFIG_DQS_DML, 0},
};

// So that no name means something else to SQLite, as ":memory:" does.
std::string as_path(const std::string& path) { return path.starts_with('/') ? path : "./" + path; }

// For SQLite, in whose addresses some characters mean something: a file that nobody will change.
std::string address_of_unchanging(const std::string& path) {
    std::string address = path.starts_with('/') ? "file://" : "file:";
    for (const char letter : as_path(path)) {
        switch (letter) {
            case '%':
                address += "%25";
                break;
            case '?':
                address += "%3f";
                break;
            case '#':
                address += "%23";
                break;
            default:
                address += letter;
        }
    }
    return address + "?immutable=1";
}

// What has been committed may be in the log, which the last who has the file open moves into the file and removes.
bool has_log(const std::string& path) {
    struct stat found{};
    return stat((as_path(path) + "-wal").c_str(), &found) == 0;
}

// Not open(): to close a file is to lose all locks that this process has on it, those of other connections included.
Result<void> create_file(const std::string& path, std::string_view tried) {
    if (mknod(path.c_str(), S_IFREG | S_IRUSR | S_IWUSR, 0) == 0 || errno == EEXIST) return {};
    return system_failure(errno, tried);
}

// Of a file or folder that is not open as a database.
Result<void> write_to_disk(const std::string& path, std::string_view tried) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return system_failure(errno, tried);
    const int error_number = fsync(file) == 0 ? 0 : errno;
    close(file);
    if (error_number != 0) return system_failure(error_number, tried);
    return {};
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> replace(const std::string& target, const std::string& by, std::string_view tried) {
    TRY(write_to_disk(by, tried));
    if (rename(by.c_str(), target.c_str()) != 0) return system_failure(errno, tried);
    return write_to_disk(folder_of(target), tried);
}

// Takes an empty file, which keeps its mode.
Result<void> copy_into(Database& database, const std::string& path, std::string_view tried) {
    auto statement = TRY(database.prepare("VACUUM INTO ?"));
    const auto copied = statement.run(path);
    if (!copied) return failure(database.connection(), copied.error().code, tried);
    return {};
}

}  // namespace

// Waits for statements that are still there, and is done when the last of them has gone.
void Database::Close::operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }

Database::Database(Handle connection, std::string path, const Options& options) noexcept
    : connection_(std::move(connection)), path_(std::move(path)), options_(options) {}

Result<Database> Database::open(const std::string& path, const Options& options) {
    ASSERT(!path.empty() && options.application_id != 0);
    if (options.access == Access::Create) TRY(create_file(path, "cannot create " + path));
    // SQLite is never told to create it, which it would do with another mode.
    const bool reads = options.access == Access::ReadOnly || options.access == Access::Look;
    const int flags = reads ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    const bool is_unchanging = options.access == Access::Look && !has_log(path);
    const auto address = is_unchanging ? address_of_unchanging(path) : as_path(path);
    sqlite3* connection = nullptr;
    const int code = sqlite3_open_v2(
        address.c_str(), &connection,
        flags | (is_unchanging ? SQLITE_OPEN_URI : 0) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    auto database = Database(Handle(connection), path, options);
    if (code != SQLITE_OK) return failure(connection, code, database.cannot_open());
    TRY(database.configure());
    return database;
}

Result<void> Database::configure() {
    auto* const connection = connection_.get();
    if (!is_read_only() && sqlite3_db_readonly(connection, "main") == 1) {
        return system_failure(EACCES, "cannot open " + path_ + " to write");
    }
    for (const auto& [option, on] : switches) {
        const int code = sqlite3_db_config(connection, option, on, nullptr);
        ASSERT(code == SQLITE_OK);
    }
    sqlite3_busy_timeout(connection, static_cast<int>(options_.busy_timeout.count()));
    const bool is_new = TRY(identify());
    TRY(execute(settings));
    if (is_read_only()) return {};
    const auto journal = TRY(ask<std::string>("PRAGMA journal_mode = WAL"));
    if (journal != "wal") {
        return std::unexpected(Error{SQLITE_CANTOPEN, cannot_open() + ": its file system cannot share memory"});
    }
    if (is_new) return claim();
    return {};
}

// Whether the file is new, and nobody's. Nothing is written before it is known to be ours.
Result<bool> Database::identify() {
    const auto id = TRY(ask<std::int32_t>("PRAGMA application_id"));
    if (id == options_.application_id) return false;
    const auto used = TRY(ask<bool>("SELECT EXISTS (SELECT * FROM sqlite_schema)"));
    if (id == 0 && !used && !is_read_only()) return true;
    return foreign(cannot_open() + ": it is a database of SQLite, but not of the kind that Chappe keeps there");
}

Result<void> Database::claim() {
    auto transaction = TRY(Transaction::write(*this));
    if (!TRY(identify())) return {};  // Another process was faster.
    TRY(execute("PRAGMA application_id = " + std::to_string(options_.application_id)));
    return transaction.commit();
}

Result<Statement> Database::prepare(std::string_view sql) {
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    const int code = sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, &rest);
    if (code != SQLITE_OK) return failure(connection_.get(), code, "cannot use " + path_);
    ASSERT(statement != nullptr && rest == sql.data() + sql.size());
    return Statement(statement);
}

Result<void> Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(connection_.get(), code, "cannot use " + path_);
    return {};
}

template <class Type>
Result<Type> Database::ask(std::string_view sql) {
    auto statement = TRY(prepare(sql));
    return TRY(statement.first<Type>()).value_or(Type());
}

Result<std::int64_t> Database::data_version() {
    if (!data_version_) data_version_ = TRY(prepare("PRAGMA data_version"));
    return TRY(data_version_->first<std::int64_t>()).value_or(0);
}

Result<void> Database::quick_check() {
    const auto found = TRY(ask<std::string>("PRAGMA quick_check(1)"));
    if (found == "ok") return {};
    return std::unexpected(Error{SQLITE_CORRUPT, path_ + " is damaged: " + found});
}

Result<void> Database::copy_to(const std::string& target) {
    const auto tried = "cannot copy " + path_ + " to " + target;
    const auto part = as_path(target) + ".part";
    unlink(part.c_str());
    TRY(create_file(part, tried));
    auto copied = copy_into(*this, part, tried);
    if (copied) copied = replace(target, part, tried);
    if (!copied) unlink(part.c_str());
    return copied;
}

}  // namespace chappe::store
