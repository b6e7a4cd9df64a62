#include "apps/chappe/accounts/desk.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "accounts/utc.h"
#include "apps/chappe/settings_options.h"
#include "server/settings/settings.h"

namespace chappe::app {
namespace {

Outcome<std::string> data_directory(const DataOptions& options) {
    if (!options.data_directory.empty()) return options.data_directory;
    SettingsOptions settings;
    settings.config_file = options.config_file;
    const auto loaded = TRY(load_settings(settings));
    if (!loaded.has_errors()) return loaded.settings.data_directory;
    for (const auto& finding : loaded.findings) std::fprintf(stderr, "%s\n", to_string(finding).c_str());
    return std::unexpected("the configuration has errors");
}

// Empty where the system does not know it.
std::string system_user_name(uid_t uid) {
    passwd entry{};
    passwd* found = nullptr;
    std::array<char, 16'384> memory{};
    if (getpwuid_r(uid, &entry, memory.data(), memory.size(), &found) != 0 || found == nullptr) return {};
    return found->pw_name;
}

// What root makes in the data directory of somebody else could not be read by that user, who runs the broker.
Outcome<void> check_owner(const std::string& directory) {
    struct stat status{};
    if (geteuid() != 0 || stat(directory.c_str(), &status) != 0 || status.st_uid == 0) return {};
    const auto owner = system_user_name(status.st_uid);
    const auto who = owner.empty() ? '#' + std::to_string(status.st_uid) : owner;
    return std::unexpected("the data directory " + directory + " belongs to the user " + who +
                           "; run this as that user, with sudo -u '" + who + "'");
}

// What is new of it is for its owner only.
Outcome<void> make_directory(const std::string& path) {
    const auto mask = umask(S_IRWXG | S_IRWXO);
    std::error_code error;
    std::filesystem::create_directories(path, error);
    umask(mask);
    if (error) return std::unexpected("cannot make the data directory " + path + ": " + error.message());
    return {};
}

std::string in_directory(const std::string& directory, std::string_view name) {
    return std::filesystem::path(directory) / name;
}

std::string_view advice(accounts::Fault fault) {
    switch (fault) {
        case accounts::Fault::NoSuchUser:
            return "; chappe user list shows them";
        case accounts::Fault::UserExists:
            return "; chappe user passwd gives a new password";
        case accounts::Fault::NoSuchRole:
            return "; chappe role list shows them";
        case accounts::Fault::RoleExists:
            return "; chappe role rule changes its rules";
        case accounts::Fault::RoleInUse:
            return "; --force takes it from them";
        case accounts::Fault::NoSuchRule:
            return "; chappe role show lists them";
        case accounts::Fault::NoSuchFingerprint:
            return "; chappe user show lists those of a user";
        case accounts::Fault::NoSuchBan:
            return "; chappe ban list shows them";
        default:
            return {};
    }
}

}  // namespace

void add_data_options(CLI::App& command, DataOptions& options) {
    command.add_option("--data", options.data_directory, "The data directory of the broker")->type_name("DIR");
    command.add_option("--config", options.config_file, "The broker's configuration file, which names that directory")
        ->type_name("FILE")
        ->excludes("--data");
}

Desk::Desk(accounts::AccountStore store) : store_(std::move(store)), now_(accounts::seconds_since_1970()) {}

Outcome<Desk> Desk::open(const DataOptions& options) {
    const auto directory = TRY(data_directory(options));
    TRY(make_directory(directory));
    TRY(check_owner(directory));
    auto store = TRY(explained(accounts::AccountStore::open(in_directory(directory, "chappe.db"))));
    return Desk(std::move(store));
}

Outcome<Desk> Desk::open_to_change(const DataOptions& options) {
    auto desk = TRY(open(options));
    const auto directory = TRY(data_directory(options));
    auto audit = TRY(explained(accounts::AuditLog::open(in_directory(directory, "audit.log"))));
    desk.audit_.emplace(std::move(audit));
    return desk;
}

Outcome<void> Desk::record(std::string_view what, const std::string& target, const std::string& detail) const {
    return record(what, std::vector{target}, detail);
}

Outcome<void> Desk::record(std::string_view what, const std::vector<std::string>& targets,
                           const std::string& detail) const {
    const auto uid = getuid();
    const auto who = system_user_name(uid);
    std::vector<accounts::AuditEntry> entries;
    for (const auto& target : targets) {
        entries.push_back({.time = now_,
                           .who = who,
                           .uid = uid,
                           .from = "command line",
                           .what = std::string(what),
                           .target = target,
                           .detail = detail});
    }
    const auto appended = audit_.value().append(entries);
    if (!appended) return std::unexpected("it is done, but not recorded: " + appended.error().text);
    return {};
}

std::string explain(const accounts::Error& error) { return error.text + std::string(advice(error.fault)); }

Outcome<accounts::User> need_user(Desk& desk, std::string_view name) {
    auto user = TRY(explained(desk.store().find_user(name)));
    if (!user) {
        const auto text = "there is no user " + std::string(name);
        return std::unexpected(explain(accounts::Error(accounts::Fault::NoSuchUser, text)));
    }
    return *std::move(user);
}

Outcome<accounts::Role> need_role(Desk& desk, std::string_view name) {
    auto role = TRY(explained(desk.store().find_role(name)));
    if (!role) {
        const auto text = "there is no role " + std::string(name);
        return std::unexpected(explain(accounts::Error(accounts::Fault::NoSuchRole, text)));
    }
    return *std::move(role);
}

Run work_of(const char* name, std::function<Outcome<void>()> work) {
    return [name, work = std::move(work)] {
        const auto done = work();
        if (done) return static_cast<int>(exit_success);
        std::fprintf(stderr, "chappe %s: %s\n", name, done.error().c_str());
        return static_cast<int>(exit_failure);
    };
}

void print(std::string_view text) { std::printf("%.*s\n", static_cast<int>(text.size()), text.data()); }

void print_warning(std::string_view text) {
    std::fprintf(stderr, "warning: %.*s\n", static_cast<int>(text.size()), text.data());
}

void print_json(const OrderedJson& json) { print(json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)); }

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all;
}

std::string counted(std::size_t count, std::string_view what) {
    return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace chappe::app
