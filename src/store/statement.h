#pragma once

// A prepared statement of SQL, and the rows it finds.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "store/error.h"

struct sqlite3_stmt;

namespace chappe::store {

using Blob = std::span<const std::byte>;

// A number that SQLite's INTEGER can hold, whatever its value.
template <class T>
concept Integer = std::integral<T> && (sizeof(T) < sizeof(std::int64_t) || std::signed_integral<T>);

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

// One row that a statement has found; valid until the statement's next step or reset. Columns are counted from 0.
class Row {
public:
    explicit Row(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    // Type is one of: bool and other integers, double, std::string, std::string_view and Blob (which are valid as long
    // as the row is), std::optional of these for columns that may be NULL. NULL as any other type is 0 or empty.
    template <class Type>
    [[nodiscard]] Type get(int column) const {
        if constexpr (is_optional<Type>) {
            if (is_null(column)) return std::nullopt;
            return get<typename Type::value_type>(column);
        } else if constexpr (std::same_as<Type, bool>) {
            return integer(column) != 0;
        } else if constexpr (Integer<Type>) {
            return static_cast<Type>(integer(column));
        } else if constexpr (std::same_as<Type, double>) {
            return real(column);
        } else if constexpr (std::same_as<Type, Blob>) {
            return blob(column);
        } else {
            return Type(text(column));
        }
    }

    [[nodiscard]] bool is_null(int column) const noexcept;

private:
    [[nodiscard]] std::int64_t integer(int column) const noexcept;
    [[nodiscard]] double real(int column) const noexcept;
    [[nodiscard]] std::string_view text(int column) const noexcept;
    [[nodiscard]] Blob blob(int column) const noexcept;

    sqlite3_stmt* statement_;
};

// Made by Database::prepare() and used by the thread that uses the database. May outlive the Database object: the file
// is closed when the last statement has gone.
//
// run(), first() and for_each() take values for the statement's parameters (the question marks of its SQL, all of them,
// in order), do everything, and leave the statement ready to be used again. Values are integers, double, text, Blob,
// std::nullopt, and std::optional of these. To read rows in portions there are bind() and step().
class Statement {
public:
    explicit Statement(sqlite3_stmt* statement) noexcept : statement_(statement) {}

    // Runs it to its end. Answers with the number of rows that an INSERT, UPDATE or DELETE has changed itself, without
    // those that followed by cascade.
    template <class... Values>
    Result<std::int64_t> run(const Values&... values) {
        const Use use(*this);
        TRY(bind_all(Keep::Reference, values...));
        while (TRY(step())) {
        }
        return rows_changed();
    }

    // The first column of the first row, if there is one. Type: see Row::get, but nothing that refers to the row.
    template <class Type, class... Values>
    [[nodiscard]] Result<std::optional<Type>> first(const Values&... values) {
        static_assert(!std::same_as<Type, std::string_view> && !std::same_as<Type, Blob>);
        const Use use(*this);
        TRY(bind_all(Keep::Reference, values...));
        if (!TRY(step())) return std::optional<Type>();
        return std::optional<Type>(row().template get<Type>(0));
    }

    // Calls take(Row) for each row. `take` must not use this statement.
    template <class Take, class... Values>
    Result<void> for_each(Take&& take, const Values&... values) {
        const Use use(*this);
        TRY(bind_all(Keep::Reference, values...));
        while (TRY(step())) take(row());
        return {};
    }

    // Starts anew with copies of these values.
    template <class... Values>
    [[nodiscard]] Result<void> bind(const Values&... values) {
        reset();
        return bind_all(Keep::Copy, values...);
    }

    // Goes to the next row, and says whether there is one. After the last row and after an error it is reset: the next
    // step would begin with the first row again. A statement between its first and last row keeps its view of the file,
    // and the file's log from shrinking.
    [[nodiscard]] Result<bool> step();
    [[nodiscard]] Row row() const noexcept { return Row(statement_.get()); }
    // Forgets where it is, and the values.
    void reset() noexcept;

private:
    enum class Keep : std::uint8_t { Copy, Reference };

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    class Use {
    public:
        explicit Use(Statement& statement) noexcept : statement_(statement) { statement_.reset(); }
        Use(const Use&) = delete;
        Use& operator=(const Use&) = delete;
        ~Use() { statement_.reset(); }

    private:
        Statement& statement_;
    };

    template <class... Values>
    Result<void> bind_all([[maybe_unused]] Keep keep, const Values&... values) {
        check_parameter_count(sizeof...(Values));
        [[maybe_unused]] int position = 0;
        int code = 0;
        // Stops at the first that fails.
        (void)((code = bind_value(++position, values, keep), code == 0) && ...);
        return bound(code);
    }

    template <class Value>
    int bind_value(int position, const Value& value, [[maybe_unused]] Keep keep) {
        if constexpr (std::same_as<Value, std::nullopt_t>) {
            return bind_null(position);
        } else if constexpr (Integer<Value>) {
            return bind_integer(position, value);
        } else if constexpr (std::floating_point<Value>) {
            return bind_real(position, value);
        } else if constexpr (std::convertible_to<const Value&, std::string_view>) {
            return bind_text(position, value, keep);
        } else if constexpr (std::convertible_to<const Value&, Blob>) {
            return bind_blob(position, value, keep);
        } else {
            return value ? bind_value(position, *value, keep) : bind_null(position);
        }
    }

    void check_parameter_count(std::size_t count) const;
    [[nodiscard]] Result<void> bound(int code) const;
    [[nodiscard]] int bind_null(int position) noexcept;
    [[nodiscard]] int bind_integer(int position, std::int64_t value) noexcept;
    [[nodiscard]] int bind_real(int position, double value) noexcept;
    [[nodiscard]] int bind_text(int position, std::string_view value, Keep keep) noexcept;
    [[nodiscard]] int bind_blob(int position, Blob value, Keep keep) noexcept;
    [[nodiscard]] std::int64_t rows_changed() const noexcept;
    [[nodiscard]] std::unexpected<Error> step_failure(int code) const;

    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace chappe::store
