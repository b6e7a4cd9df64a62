#pragma once

// What the commands that manage accounts have in common: the data directory with its files, and what they say.

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "accounts/account_store.h"
#include "accounts/audit_log.h"
#include "apps/chappe/command.h"
#include "base/result.h"

namespace chappe::app {

using OrderedJson = nlohmann::ordered_json;

// The error is a line for the person.
template <class Type>
using Outcome = std::expected<Type, std::string>;

// The data directory of a broker, which may be running or not.
struct DataOptions {
    std::string data_directory;
    std::string config_file;
};

void add_data_options(CLI::App& command, DataOptions& options);

// The accounts of a data directory, open for one command.
class Desk {
public:
    // Makes the directory and chappe.db where they are not there.
    [[nodiscard]] static Outcome<Desk> open(const DataOptions& options);
    // For a command that changes something: nothing is changed where audit.log cannot be written.
    [[nodiscard]] static Outcome<Desk> open_to_change(const DataOptions& options);

    [[nodiscard]] accounts::AccountStore& store() noexcept { return store_; }
    [[nodiscard]] accounts::Seconds now() const noexcept { return now_; }  // The time at which the command began.

    // Appends what was done to audit.log; a line for each target.
    [[nodiscard]] Outcome<void> record(std::string_view what, const std::string& target,
                                       const std::string& detail = {}) const;
    [[nodiscard]] Outcome<void> record(std::string_view what, const std::vector<std::string>& targets,
                                       const std::string& detail) const;

private:
    explicit Desk(accounts::AccountStore store);

    accounts::AccountStore store_;
    std::optional<accounts::AuditLog> audit_;
    accounts::Seconds now_;
};

// An error of the accounts as a line for a person who has a command line: it names the command that helps.
[[nodiscard]] std::string explain(const accounts::Error& error);

template <class Type>
[[nodiscard]] Outcome<Type> explained(accounts::Result<Type> result) {
    if (!result) return std::unexpected(explain(result.error()));
    if constexpr (std::is_void_v<Type>) {
        return {};
    } else {
        return *std::move(result);
    }
}

// The user, or that there is none.
[[nodiscard]] Outcome<accounts::User> need_user(Desk& desk, std::string_view name);
[[nodiscard]] Outcome<accounts::Role> need_role(Desk& desk, std::string_view name);

// Runs the work of a command, says what went wrong, and returns the exit code. `name` is "user add".
[[nodiscard]] Run work_of(const char* name, std::function<Outcome<void>()> work);

void print(std::string_view text);          // A line on standard output.
void print_warning(std::string_view text);  // On standard error.
void print_json(const OrderedJson& json);

[[nodiscard]] std::string joined(const std::vector<std::string>& texts);  // "a, b"
// "3 users", "1 user"
[[nodiscard]] std::string counted(std::size_t count, std::string_view what);

}  // namespace chappe::app
