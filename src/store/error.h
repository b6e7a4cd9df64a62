#pragma once

// What a failed call of SQLite becomes: a value that says what was tried, with which file, and why it failed, so that
// it can be shown to a person as it is: "cannot open /var/lib/chappe/chappe.db: Permission denied".

#include <expected>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;

namespace chappe::store {

struct Error {
    int code;          // An extended result code of SQLite.
    std::string text;  // For people and logs.

    // No space is left on the disk or in a quota, or the file has reached the size it was allowed. The transaction has
    // been undone; the file is as it was before.
    [[nodiscard]] bool is_full() const noexcept;
    // What is in the file is damaged, or no database at all.
    [[nodiscard]] bool is_corrupt() const noexcept;
    // Another connection has kept the file locked for longer than Options::busy_timeout. May be tried again.
    [[nodiscard]] bool is_busy() const noexcept;
    // The file belongs to another program, is another kind of file of Chappe's, or a newer Chappe has written it. It
    // has not been touched.
    [[nodiscard]] bool is_foreign() const noexcept;
};

template <class T>
using Result = std::expected<T, Error>;

// "tried: reason", ready to be returned from a function with a Result. The reason is that of the last call on
// `connection`, which has returned `code`.
[[nodiscard]] std::unexpected<Error> failure(sqlite3* connection, int code, std::string_view tried);

// The same for a call of the operating system, which has set `error_number`.
[[nodiscard]] std::unexpected<Error> system_failure(int error_number, std::string_view tried);

[[nodiscard]] std::unexpected<Error> foreign(std::string text);

}  // namespace chappe::store
