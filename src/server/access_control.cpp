#include "server/access_control.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "access/certificate_method.h"
#include "access/password_method.h"
#include "access/stored_password.h"
#include "base/assert.h"
#include "crypto/random.h"
#include "server/policy_file.h"

namespace chappe::server {
namespace {

accounts::Seconds seconds_now() {
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::uint64_t random_seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

// Nobody, who may do nothing.
std::shared_ptr<const access::Directory> empty_directory() {
    return access::Directory::make({}, {.is_set = true}).directory;
}

}  // namespace

AccessControl::AccessControl(const Settings& settings, Logger& logger)
    : settings_(settings.access),
      directory_(settings.data_directory),
      logger_(logger),
      current_(std::make_shared<access::Current>(empty_directory())),
      permissions_(*current_) {}

std::expected<std::unique_ptr<AccessControl>, std::string> AccessControl::open(const Settings& settings,
                                                                               access::Chain::Shards shards,
                                                                               Logger& logger) {
    auto control = std::unique_ptr<AccessControl>(new AccessControl(settings, logger));
    control->open_store();
    auto made = control->read();
    if (!made.directory) {
        std::string errors;
        for (const auto& finding : made.findings) errors += (errors.empty() ? "" : "\n") + to_string(finding);
        return std::unexpected(errors);
    }
    static_cast<void>(control->apply(std::move(made)));
    control->chain_ = std::make_unique<access::Chain>(*control->current_, control->methods(), random_seed(),
                                                      std::move(shards), [](const access::LoginReport&) {});
    return control;
}

// Without accounts the broker serves those who need none.
void AccessControl::open_store() {
    std::error_code ignored;  // Opening says what is wrong.
    std::filesystem::create_directories(directory_, ignored);
    auto store = accounts::AccountStore::open(directory_ + "/chappe.db");
    if (store) {
        store_ = *std::move(store);
        const auto administrator = make_administrator();
        if (administrator) return;
        store = std::unexpected(administrator.error());
    }
    logger_.write(LogLevel::Error, "no_accounts", "accounts cannot be used; nobody who has one can connect",
                  {{"reason", store.error().text}});
}

// Where nobody has an account yet.
accounts::Result<void> AccessControl::make_administrator() {
    if (!TRY(store_->users()).empty()) return {};
    auto password = crypto::random_password();
    auto stored = access::stored_password(password);
    ASSERT(stored);  // It has no letters that SCRAM does not take.
    accounts::NewUser admin{
        .name = "admin", .password = *std::move(stored), .comment = "made at the first start", .roles = {"admin"}};
    TRY(store_->add_user(admin, seconds_now()));
    logger_.write(LogLevel::Info, "administrator_made",
                  "the account admin has been made; chappe user passwd admin "
                  "gives it another password");
    first_password_ = std::move(password);
    return {};
}

// Nothing: they cannot be read.
std::optional<accounts::Snapshot> AccessControl::take_snapshot() {
    if (!store_) return accounts::Snapshot{};
    auto taken = store_->snapshot();
    if (taken) return *std::move(taken);
    logger_.write(LogLevel::Error, "accounts_unread", "accounts cannot be read; the old ones stay",
                  {{"reason", taken.error().text}});
    return std::nullopt;
}

access::Directory::Made AccessControl::read() {
    policy_file_.watch(settings_.policy.empty() ? std::vector<std::string>{} : std::vector{settings_.policy});
    auto snapshot = take_snapshot();
    if (!snapshot) return {};
    return make_directory(*std::move(snapshot), settings_);
}

// False: it cannot be used, and the old one stays.
bool AccessControl::apply(access::Directory::Made made) {
    report(made.findings);
    if (!made.directory) return false;
    const auto before = current_->share();
    current_->replace(made.directory);
    if (!changed_) return true;  // At the start.
    const auto users = changes(*before, *made.directory);
    changed_(users);
    logger_.write(LogLevel::Info, "access_changed", "accounts, roles, bans or the policy have changed",
                  {{"locked_out", fmt::format("{}", fmt::join(users.locked_out, " "))},
                   {"removed", fmt::format("{}", fmt::join(users.removed, " "))}});
    return true;
}

void AccessControl::report(const std::vector<policy::Finding>& findings) {
    for (const auto& finding : findings) {
        const bool is_error = finding.severity == policy::Finding::Severity::Error;
        logger_.write(is_error ? LogLevel::Error : LogLevel::Warning, "policy",
                      is_error ? "the policy is not used, the old one stays" : "the policy has a doubtful place",
                      {{"reason", to_string(finding)}});
    }
}

access::Methods AccessControl::methods() const {
    access::Methods methods;
    for (const auto& name : settings_.methods) {
        if (name == "certificate") {
            methods.push_back(std::make_shared<access::CertificateMethod>(current_, settings_.certificate_name,
                                                                          settings_.certificate_roles));
        } else if (name == "accounts") {
            methods.push_back(std::make_shared<access::PasswordMethod>(
                current_, std::chrono::seconds{settings_.password_remembered_seconds}));
        }
    }
    return methods;
}

ChangedUsers AccessControl::changes(const access::Directory& before, const access::Directory& after) const {
    ChangedUsers changed;
    const auto now = std::chrono::system_clock::now();
    for (const auto& user : before.users()) {
        const auto* still = after.find(user.name);
        if (still == nullptr) {
            changed.removed.push_back(user.name);
        } else if ((user.enabled && !still->enabled) || user.password != still->password ||
                   after.banned({}, user.name, {}, now)) {
            changed.locked_out.push_back(user.name);
        }
    }
    return changed;
}

void AccessControl::poll() {
    const auto changed = store_ ? store_->changed() : accounts::Result<bool>(false);
    if (policy_file_.changed()) return static_cast<void>(apply(read()));
    if (!changed || !*changed) return;
    const auto snapshot = take_snapshot();
    if (snapshot && !current_->share()->is_of(*snapshot)) static_cast<void>(apply(read()));
}

void AccessControl::configure(const Settings& settings) {
    if (settings.access == settings_) return static_cast<void>(apply(read()));
    const auto before = std::exchange(settings_, settings.access);
    if (!apply(read())) settings_.policy = before.policy;
    chain_->replace(methods());
}

}  // namespace chappe::server
