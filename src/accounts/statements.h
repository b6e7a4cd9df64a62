#pragma once

// The statements of an AccountStore, each prepared once.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/database.h"

namespace chappe::accounts {

// `sql` is a literal everywhere: it is remembered where it stands, and for as long as this lives.
class Statements {
public:
    explicit Statements(store::Database database) noexcept : database_(std::move(database)) {}

    [[nodiscard]] store::Database& database() noexcept { return database_; }

    // See store::Statement.
    template <class... Values>
    store::Result<std::int64_t> run(std::string_view sql, const Values&... values) {
        auto* const statement = TRY(prepared(sql));
        return statement->run(values...);
    }

    template <class Type, class... Values>
    [[nodiscard]] store::Result<std::optional<Type>> first(std::string_view sql, const Values&... values) {
        auto* const statement = TRY(prepared(sql));
        return statement->template first<Type>(values...);
    }

    template <class Take, class... Values>
    [[nodiscard]] store::Result<void> for_each(std::string_view sql, Take&& take, const Values&... values) {
        auto* const statement = TRY(prepared(sql));
        return statement->for_each(std::forward<Take>(take), values...);
    }

    template <class... Values>
    [[nodiscard]] store::Result<bool> any(std::string_view sql, const Values&... values) {
        return TRY(first<std::int64_t>(sql, values...)).has_value();
    }

    // Of SELECT count(*).
    template <class... Values>
    [[nodiscard]] store::Result<std::size_t> count(std::string_view sql, const Values&... values) {
        return static_cast<std::size_t>(TRY(first<std::int64_t>(sql, values...)).value_or(0));
    }

    template <class... Values>
    [[nodiscard]] store::Result<std::vector<std::string>> texts(std::string_view sql, const Values&... values) {
        std::vector<std::string> found;
        TRY(for_each(sql, [&](store::Row row) { found.push_back(row.get<std::string>(0)); }, values...));
        return found;
    }

private:
    [[nodiscard]] store::Result<store::Statement*> prepared(std::string_view sql) {
        if (const auto known = statements_.find(sql); known != statements_.end()) return &known->second;
        auto statement = TRY(database_.prepare(sql));
        return &statements_.emplace(sql, std::move(statement)).first->second;
    }

    store::Database database_;
    std::unordered_map<std::string_view, store::Statement> statements_;
};

}  // namespace chappe::accounts
