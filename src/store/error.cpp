#include "store/error.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace chappe::store {

namespace {

// Extended codes have the primary one in their low byte.
int primary(int code) noexcept { return code & 0xFF; }

bool means_no_space(int error_number) noexcept { return error_number == ENOSPC || error_number == EDQUOT; }

std::string_view system_text(int error_number) noexcept {
    const auto* text = strerrordesc_np(error_number);  // Unlike strerror, the same for every thread and language.
    return text != nullptr ? text : "unknown error";
}

// SQLite says SQLITE_FULL when a write finds the disk full, but not when the creation of a file next to it does.
int with_no_space_as_full(int code, int error_number) noexcept {
    const bool asked_the_system = primary(code) == SQLITE_IOERR || primary(code) == SQLITE_CANTOPEN;
    return asked_the_system && means_no_space(error_number) ? SQLITE_FULL : code;
}

std::string reason(sqlite3* connection, int code, int error_number) {
    switch (primary(code)) {
        case SQLITE_FULL:
            return "no space is left";
        case SQLITE_BUSY:
            return "it is locked by another process";
        case SQLITE_NOTADB:
            return "it is not a database of SQLite";
        case SQLITE_CORRUPT:
            return "it is damaged";
        case SQLITE_READONLY:
            return "it is read-only";
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
            if (error_number != 0) return std::string(system_text(error_number));
            [[fallthrough]];
        default:
            return connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
    }
}

std::string joined(std::string_view tried, std::string_view reason) {
    auto text = std::string(tried);
    text += ": ";
    text += reason;
    return text;
}

}  // namespace

bool Error::is_full() const noexcept { return primary(code) == SQLITE_FULL; }

bool Error::is_corrupt() const noexcept { return primary(code) == SQLITE_CORRUPT || primary(code) == SQLITE_NOTADB; }

bool Error::is_busy() const noexcept { return primary(code) == SQLITE_BUSY; }

bool Error::is_foreign() const noexcept { return primary(code) == SQLITE_MISMATCH; }

std::unexpected<Error> failure(sqlite3* connection, int code, std::string_view tried) {
    const int error_number = connection != nullptr ? sqlite3_system_errno(connection) : 0;
    code = with_no_space_as_full(code, error_number);
    return std::unexpected(Error{code, joined(tried, reason(connection, code, error_number))});
}

std::unexpected<Error> system_failure(int error_number, std::string_view tried) {
    const int code = with_no_space_as_full(SQLITE_CANTOPEN, error_number);
    return std::unexpected(Error{code, joined(tried, system_text(error_number))});
}

// SQLite has this code for a column of a wrong type only, which no statement of ours asks for.
std::unexpected<Error> foreign(std::string text) { return std::unexpected(Error{SQLITE_MISMATCH, std::move(text)}); }

}  // namespace chappe::store
