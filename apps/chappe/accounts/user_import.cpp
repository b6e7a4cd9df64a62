// chappe user import: users from Mosquitto's password file.

#include "apps/chappe/accounts/user_import.h"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "accounts/valid.h"
#include "apps/chappe/accounts/desk.h"
#include "apps/chappe/accounts/file.h"
#include "crypto/password_file.h"

namespace chappe::app {
namespace {

// A million users.
constexpr std::size_t password_file_size_max = std::size_t{256} * 1024 * 1024;

struct ImportOptions {
    DataOptions data;
    std::string file;
    std::vector<std::string> roles;
    bool no_role = false;
    bool replace = false;

    // Of users who are not there yet.
    [[nodiscard]] std::vector<std::string> roles_at_first() const {
        if (no_role || !roles.empty()) return roles;
        return {std::string(default_role)};
    }
};

// Those who are there keep their roles, unless the person has said which ones they are to have.
Outcome<std::vector<accounts::ImportedUser>> users_to_import(Desk& desk, const ImportOptions& options,
                                                             crypto::PasswordFile file) {
    std::set<std::string> present;
    const auto users_before = TRY(explained(desk.store().users()));
    for (const auto& user : users_before) present.insert(user.name);
    std::vector<accounts::ImportedUser> users;
    for (auto& entry : file.entries) {
        accounts::ImportedUser user{.name = std::move(entry.name), .password = {}, .roles = {}};
        user.password.hash = std::move(entry.hash);
        if (!options.roles.empty() || !present.contains(user.name)) user.roles = options.roles_at_first();
        users.push_back(std::move(user));
    }
    return users;
}

void say_imported(const accounts::ImportReport& report, const ImportOptions& options) {
    print(counted(report.added.size(), "user") + " added, " +
          (options.no_role ? "without a role" : "with the role " + joined(options.roles_at_first())));
    if (!report.changed.empty()) print(counted(report.changed.size(), "user") + " replaced");
    if (!report.skipped.empty()) {
        print(counted(report.skipped.size(), "user") + " left as before" +
              (options.replace ? "" : "; --replace gives them the passwords of the file"));
    }
    for (const auto& name : report.added) {
        if (const auto warning = accounts::name_warning(name)) print_warning(name + ": " + *warning);
    }
}

Outcome<void> import_users(const ImportOptions& options) {
    const auto text = TRY(read_whole_file(options.file, password_file_size_max));
    auto file = crypto::parse_password_file(text);
    for (const auto& finding : file.findings) {
        std::fprintf(stderr, "%s:%zu: %s\n", options.file.c_str(), finding.line, finding.text.c_str());
    }
    const auto unused = file.findings.size();
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto users = TRY(users_to_import(desk, options, std::move(file)));
    const auto on_existing = options.replace ? accounts::OnExisting::Replace : accounts::OnExisting::Keep;
    const auto report = TRY(explained(desk.store().import(users, on_existing, desk.now())));
    say_imported(report, options);
    TRY(desk.record("user import", report.added, "added"));
    TRY(desk.record("user import", report.changed, "replaced"));
    if (unused != 0) return std::unexpected(counted(unused, "line") + " of " + options.file + " could not be used");
    return {};
}

}  // namespace

Run define_user_import(CLI::App& command) {
    const auto options = std::make_shared<ImportOptions>();
    command.add_option("FILE", options->file, "The file, as mosquitto_passwd writes it")->required();
    command.add_flag("--replace", options->replace, "Give users who are there already the passwords of the file");
    auto* const role =
        command.add_option("--role", options->roles, "A role of the users instead of editor; may be repeated")
            ->type_name("ROLE")
            ->allow_extra_args(false);
    command.add_flag("--no-role", options->no_role, "Users get no role: a policy file says what they may do")
        ->excludes(role);
    add_data_options(command, options->data);
    command.footer(R"(Examples:
  chappe user import /etc/mosquitto/passwd
  chappe user import /etc/mosquitto/passwd --replace --role device

The passwords stay as they are; SCRAM works for a user after chappe user passwd, for it cannot be made of a hash.
Lines that cannot be used are named, the others are imported. Exit codes: 0 all imported, 1 something was not,
2 the command line is wrong.)");
    return work_of("user import", [options] { return import_users(*options); });
}

}  // namespace chappe::app
