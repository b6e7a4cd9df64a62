#pragma once

// Brings the tables of a file to the form that this version of Chappe knows.

#include <span>
#include <string_view>

#include "store/database.h"

namespace chappe::store {

// One step: the SQL (one or more statements) that makes version n+1 of n. What has been released is never changed;
// another step is added.
struct Migration {
    std::string_view sql;
};

// A file's version is the number of steps it has gone through (user_version in its header); a new file has 0. All the
// steps that are missing are done in one transaction. Before that, a file that is not new is copied to PATH.vN.bak,
// where N is its version; a copy of that name is replaced.
//
// Foreign keys are not enforced during a step, so that a table can be replaced without its dependants being deleted by
// cascade; they are checked afterwards. A file with a higher version than there are steps is refused with is_foreign().
[[nodiscard]] Result<void> migrate(Database& database, std::span<const Migration> migrations);

// For who only reads: an error where migrate() would have something to do, or would refuse the file.
[[nodiscard]] Result<void> check_version(Database& database, std::span<const Migration> migrations);

}  // namespace chappe::store
