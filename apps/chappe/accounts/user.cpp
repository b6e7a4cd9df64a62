// chappe user: who may connect with a password or a pinned certificate.

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "access/stored_password.h"
#include "accounts/utc.h"
#include "accounts/valid.h"
#include "apps/chappe/accounts/desk.h"
#include "apps/chappe/accounts/file.h"
#include "apps/chappe/accounts/group.h"
#include "apps/chappe/accounts/password.h"
#include "apps/chappe/accounts/user_import.h"

namespace chappe::app {
namespace {

constexpr auto user_exit_codes = "\nExit codes: 0 done, 1 not done, 2 the command line is wrong.";

struct UserOptions {
    DataOptions data;
    PasswordOptions password;
    std::string name;
    std::vector<std::string> roles;
    std::vector<std::string> roles_to_remove;
    std::string comment;
    std::string fingerprint;
    std::string certificate;  // A file.
    bool json = false;
};

using SharedUserOptions = std::shared_ptr<UserOptions>;

// What most of them have.
SharedUserOptions user_options(CLI::App& command, const std::string& footer) {
    auto options = std::make_shared<UserOptions>();
    add_data_options(command, options->data);
    command.footer(footer + user_exit_codes);
    return options;
}

SharedUserOptions options_of_one_user(CLI::App& command, const std::string& footer) {
    auto options = user_options(command, footer);
    command.add_option("NAME", options->name, "The user's name")->required();
    return options;
}

Outcome<void> say_roles(Desk& desk, const std::vector<std::string>& names) {
    for (const auto& name : names) {
        const auto role = TRY(need_role(desk, name));
        print(fmt::format("role {}: {}", name, role.comment.empty() ? joined(role.rules) : role.comment));
    }
    return {};
}

// Before the person is asked for a password.
Outcome<void> check_new_user(Desk& desk, const UserOptions& options, const std::vector<std::string>& roles) {
    TRY(explained(accounts::check_name("user name", options.name)));
    TRY(explained(accounts::check_text("comment", options.comment)));
    if (TRY(explained(desk.store().find_user(options.name)))) {
        return std::unexpected("the user " + options.name + " exists already; chappe user passwd gives a new password");
    }
    for (const auto& role : roles) TRY(need_role(desk, role));
    return {};
}

Outcome<void> add_user(const UserOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto roles = options.roles.empty() ? std::vector<std::string>{default_role} : options.roles;
    TRY(check_new_user(desk, options, roles));
    const auto password = TRY(choose_password(options.password));
    const auto stored = TRY(access::stored_password(password));
    const accounts::NewUser user{.name = options.name, .password = stored, .comment = options.comment, .roles = roles};
    TRY(explained(desk.store().add_user(user, desk.now())));
    print("user " + options.name + " added");
    print_if_generated(options.password, password);
    TRY(say_roles(desk, roles));
    if (const auto warning = accounts::name_warning(options.name)) print_warning(*warning);
    return desk.record("user add", options.name, "role " + joined(roles));
}

Run define_user_add(CLI::App& command) {
    const auto options = options_of_one_user(command, R"(Examples:
  chappe user add alice                             # asks for the password
  chappe user add pump-7 --role device --generate   # makes one and prints it
  chappe user add display --role viewer --password-file display.password
  pass show mqtt/bob | chappe user add bob

Without --role the user has the role editor, which may publish and subscribe to all topics.)");
    command.add_option("--role", options->roles, "A role of the user; may be repeated")
        ->type_name("ROLE")
        ->allow_extra_args(false);
    command.add_option("--comment", options->comment, "A note for people")->type_name("TEXT");
    add_password_options(command, options->password);
    return work_of("user add", [options] { return add_user(*options); });
}

Outcome<void> change_password(const UserOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    TRY(need_user(desk, options.name));
    const auto password = TRY(choose_password(options.password));
    const auto stored = TRY(access::stored_password(password));
    TRY(explained(desk.store().set_password(options.name, stored, desk.now())));
    print("user " + options.name + " has a new password");
    print_if_generated(options.password, password);
    return desk.record("user passwd", options.name);
}

Run define_user_passwd(CLI::App& command) {
    const auto options = options_of_one_user(command, R"(Examples:
  chappe user passwd alice
  chappe user passwd pump-7 --generate
)");
    add_password_options(command, options->password);
    return work_of("user passwd", [options] { return change_password(*options); });
}

// Nothing of the password but what kinds of it there are.
OrderedJson json_of_user(const accounts::User& user) {
    return {{"name", user.name},
            {"enabled", user.enabled},
            {"roles", user.roles},
            {"password", user.password.hash.has_value()},
            {"scram", user.password.scram_keys.has_value()},
            {"fingerprints", user.fingerprints},
            {"comment", user.comment},
            {"created", accounts::utc(user.created_at)},
            {"changed", accounts::utc(user.changed_at)}};
}

Outcome<void> list_users(const UserOptions& options) {
    auto desk = TRY(Desk::open(options.data));
    const auto users = TRY(explained(desk.store().users()));
    if (options.json) {
        auto list = OrderedJson::array();
        for (const auto& user : users) list.push_back(json_of_user(user));
        print_json({{"users", list}});
        return {};
    }
    for (const auto& user : users) {
        print(fmt::format("{:<24} {:<8} {}", user.name, user.enabled ? "enabled" : "disabled", joined(user.roles)));
    }
    return {};
}

Run define_user_list(CLI::App& command) {
    const auto options = user_options(command, R"(Examples:
  chappe user list
  chappe user list --json
)");
    command.add_flag("--json", options->json, "Print one JSON object");
    return work_of("user list", [options] { return list_users(*options); });
}

Outcome<void> show_user(const UserOptions& options) {
    auto desk = TRY(Desk::open(options.data));
    const auto user = TRY(need_user(desk, options.name));
    if (options.json) {
        print_json(json_of_user(user));
        return {};
    }
    print(fmt::format("user {}, {}", user.name, user.enabled ? "enabled" : "disabled"));
    if (!user.comment.empty()) print("comment: " + user.comment);
    print(fmt::format("password: {}", !user.password.hash        ? "none"
                                      : user.password.scram_keys ? "yes, also for SCRAM"
                                                                 : "yes, not for SCRAM"));
    for (const auto& fingerprint : user.fingerprints) print("certificate: " + fingerprint);
    print(fmt::format("created: {}\nchanged: {}", accounts::utc(user.created_at), accounts::utc(user.changed_at)));
    return say_roles(desk, user.roles);
}

Run define_user_show(CLI::App& command) {
    const auto options = options_of_one_user(command, R"(Examples:
  chappe user show alice
  chappe user show alice --json
)");
    command.add_flag("--json", options->json, "Print one JSON object");
    return work_of("user show", [options] { return show_user(*options); });
}

Outcome<void> remove_user(const UserOptions& options) {
    auto desk = TRY(Desk::open_to_change(options.data));
    TRY(explained(desk.store().remove_user(options.name)));
    print("user " + options.name + " removed");
    return desk.record("user remove", options.name);
}

Run define_user_remove(CLI::App& command) {
    const auto options = options_of_one_user(command, "Examples:\n  chappe user remove alice\n");
    return work_of("user remove", [options] { return remove_user(*options); });
}

Outcome<void> enable_user(const UserOptions& options, bool enable) {
    auto desk = TRY(Desk::open_to_change(options.data));
    TRY(explained(desk.store().set_enabled(options.name, enable, desk.now())));
    print("user " + options.name + (enable ? " enabled" : " disabled"));
    return desk.record(enable ? "user enable" : "user disable", options.name);
}

Run define_user_disable(CLI::App& command) {
    const auto options = options_of_one_user(
        command, "Examples:\n  chappe user disable alice   # keeps the account; chappe user enable alice undoes it\n");
    return work_of("user disable", [options] { return enable_user(*options, false); });
}

Run define_user_enable(CLI::App& command) {
    const auto options = options_of_one_user(command, "Examples:\n  chappe user enable alice\n");
    return work_of("user enable", [options] { return enable_user(*options, true); });
}

Outcome<void> change_roles(const UserOptions& options) {
    if (options.roles.empty() && options.roles_to_remove.empty()) {
        return std::unexpected("--add ROLE and --remove ROLE say what to change");
    }
    auto desk = TRY(Desk::open_to_change(options.data));
    auto roles = TRY(need_user(desk, options.name)).roles;
    for (const auto& role : options.roles_to_remove) {
        TRY(need_role(desk, role));
        if (std::erase(roles, role) == 0) {
            return std::unexpected(options.name + " does not have the role " + role + "; chappe user show lists them");
        }
    }
    roles.insert(roles.end(), options.roles.begin(), options.roles.end());
    TRY(explained(desk.store().set_roles(options.name, roles, desk.now())));
    const auto now = TRY(need_user(desk, options.name)).roles;
    print("user " + options.name + (now.empty() ? " has no role any more" : " has the roles " + joined(now)));
    return desk.record("user role", options.name, now.empty() ? "no role" : "role " + joined(now));
}

Run define_user_role(CLI::App& command) {
    const auto options = options_of_one_user(command, R"(Examples:
  chappe user role alice --add admin
  chappe user role alice --add viewer --remove editor
)");
    command.add_option("--add", options->roles, "Give the user this role; may be repeated")
        ->type_name("ROLE")
        ->allow_extra_args(false);
    command.add_option("--remove", options->roles_to_remove, "Take this role from the user; may be repeated")
        ->type_name("ROLE")
        ->allow_extra_args(false);
    return work_of("user role", [options] { return change_roles(*options); });
}

Outcome<std::string> fingerprint_of(const UserOptions& options) {
    if (!options.certificate.empty()) return fingerprint_of_file(options.certificate);
    if (options.fingerprint.empty()) return std::unexpected("FINGERPRINT or --certificate FILE says which certificate");
    // Also what openssl has printed: "sha256 Fingerprint=AA:BB:...".
    return explained(accounts::plain_fingerprint(options.fingerprint.substr(options.fingerprint.find('=') + 1)));
}

void add_certificate_options(CLI::App& command, UserOptions& options) {
    command.add_option("FINGERPRINT", options.fingerprint, "The SHA-256 of the certificate, with or without colons");
    command.add_option("--certificate", options.certificate, "The certificate itself (PEM)")
        ->type_name("FILE")
        ->excludes("FINGERPRINT");
}

Outcome<void> pin_certificate(const UserOptions& options) {
    const auto fingerprint = TRY(fingerprint_of(options));
    auto desk = TRY(Desk::open_to_change(options.data));
    TRY(explained(desk.store().pin(options.name, fingerprint, desk.now())));
    print("the certificate " + fingerprint + " belongs to user " + options.name);
    return desk.record("user pin", options.name, "certificate " + fingerprint);
}

Run define_user_pin(CLI::App& command) {
    const auto options = options_of_one_user(command, R"(Examples:
  chappe user pin pump-7 --certificate pump-7.pem
  chappe user pin pump-7 5F:3A:...    # as openssl x509 -in pump-7.pem -noout -fingerprint -sha256 prints it
)");
    add_certificate_options(command, *options);
    return work_of("user pin", [options] { return pin_certificate(*options); });
}

Outcome<void> unpin_certificate(const UserOptions& options) {
    const auto fingerprint = TRY(fingerprint_of(options));
    auto desk = TRY(Desk::open_to_change(options.data));
    const auto user = TRY(need_user(desk, options.name));
    if (!std::ranges::binary_search(user.fingerprints, fingerprint)) {
        return std::unexpected("that certificate is not pinned to " + options.name + "; chappe user show lists them");
    }
    TRY(explained(desk.store().unpin(fingerprint, desk.now())));
    print("the certificate " + fingerprint + " no longer belongs to user " + options.name);
    return desk.record("user unpin", options.name, "certificate " + fingerprint);
}

Run define_user_unpin(CLI::App& command) {
    const auto options = options_of_one_user(command, "Examples:\n  chappe user unpin pump-7 5F:3A:...\n");
    add_certificate_options(command, *options);
    return work_of("user unpin", [options] { return unpin_certificate(*options); });
}

constexpr std::array user_commands{
    GroupMember{"add", "Add a user", define_user_add},
    GroupMember{"passwd", "Give a user a new password", define_user_passwd},
    GroupMember{"list", "List all users", define_user_list},
    GroupMember{"show", "Show all about a user, but no password", define_user_show},
    GroupMember{"remove", "Remove a user", define_user_remove},
    GroupMember{"disable", "Do not let a user in, and keep the account", define_user_disable},
    GroupMember{"enable", "Let a user in again", define_user_enable},
    GroupMember{"role", "Give a user roles, and take them away", define_user_role},
    GroupMember{"pin", "Let a user in by a certificate", define_user_pin},
    GroupMember{"unpin", "Undo that", define_user_unpin},
    GroupMember{"import", "Take users from a password file of Mosquitto's", define_user_import},
};

}  // namespace

Run define_user(CLI::App& command) {
    command.footer(R"(Examples:
  chappe user add alice
  chappe user add pump-7 --role device --generate
  chappe user list

They change chappe.db in the data directory; a running broker need not be told. Run them as the user who runs it.
Exit codes: 0 done, 1 not done, 2 the command line is wrong.)");
    return define_group(command, user_commands);
}

}  // namespace chappe::app
