#pragma once

// A connection to one of Chappe's files, which are databases of SQLite.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/error.h"
#include "store/statement.h"

namespace chappe::store {

enum class Access : std::uint8_t {
    Create,     // Read and write; the file is created if it is not there.
    ReadWrite,  // Read and write a file that is there.
    ReadOnly,   // SQLite may still make the files next to it.
    // Read a file without any trace, also in a folder where nothing can be made: for a look at a file that belongs to
    // somebody else. Where nobody has it open, somebody who begins to write meanwhile is not noticed.
    Look,
};

struct Options {
    // Four letters in the file's header that say which kind of file it is, as in 0x43684163, "ChAc". A new file gets
    // them; a file that has others, or tables and none, is refused. Not 0.
    std::int32_t application_id;
    Access access = Access::Create;
    // How long to wait for another connection that writes, before an operation fails with Error::is_busy().
    std::chrono::milliseconds busy_timeout{5'000};
};

// One thread at a time uses a Database and its statements. Others, and other processes, open the same file for
// themselves: readers never wait, and writers wait for one another.
//
// What was committed has been written to the disk (WAL, synchronous=FULL). Foreign keys are enforced, nothing in the
// file's schema can run code of ours, and text in double quotes is always a name.
class Database {
public:
    // A new file can be read and written by its owner only (mode 0600), and SQLite gives the files next to it (PATH-wal
    // and PATH-shm, there while the file is open) the same mode. The folder must be there, and its owner must be able
    // to write in it.
    [[nodiscard]] static Result<Database> open(const std::string& path, const Options& options);

    // `sql` is a single statement.
    [[nodiscard]] Result<Statement> prepare(std::string_view sql);

    // Runs statements, separated by semicolons, whose rows are of no interest.
    Result<void> execute(const std::string& sql);

    // A number that changes when another connection, of this process or another, has committed a change. Changes made
    // through this object do not change it. Costs a look at shared memory, no input or output.
    [[nodiscard]] Result<std::int64_t> data_version();

    // Reads the whole file and looks for damage, which is an error with is_corrupt(). Takes about a second for each GB,
    // and does not look whether indexes agree with their tables.
    [[nodiscard]] Result<void> quick_check();

    // Writes all that has been committed into another file, with mode 0600, which replaces `target` when it is complete
    // and on the disk. Others may write meanwhile. Not during a transaction of this connection.
    [[nodiscard]] Result<void> copy_to(const std::string& target);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] const Options& options() const noexcept { return options_; }
    [[nodiscard]] bool is_read_only() const noexcept {
        return options_.access == Access::ReadOnly || options_.access == Access::Look;
    }
    // For this folder.
    [[nodiscard]] sqlite3* connection() const noexcept { return connection_.get(); }

private:
    struct Close {
        void operator()(sqlite3* connection) const noexcept;
    };
    using Handle = std::unique_ptr<sqlite3, Close>;

    Database(Handle connection, std::string path, const Options& options) noexcept;

    [[nodiscard]] Result<void> configure();
    [[nodiscard]] Result<bool> identify();
    [[nodiscard]] Result<void> claim();
    template <class Type>
    [[nodiscard]] Result<Type> ask(std::string_view sql);
    [[nodiscard]] std::string cannot_open() const { return "cannot open " + path_; }

    Handle connection_;
    std::string path_;
    Options options_;
    std::optional<Statement> data_version_;
};

}  // namespace chappe::store
