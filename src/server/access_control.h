#pragma once

// Accounts, roles and bans of a running broker: reads them from chappe.db and the policy file, notices changes, and
// tells who is concerned. Used on the main thread; what it hands out (authenticator, permissions) is used by all.

#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/chain.h"
#include "access/current.h"
#include "access/gate.h"
#include "access/permissions.h"
#include "accounts/account_store.h"
#include "broker/shard.h"
#include "crypto/secret.h"
#include "server/ban_commands.h"
#include "server/file_watch.h"
#include "server/logger.h"
#include "server/login_methods.h"
#include "server/settings/settings.h"

namespace chappe::server {

// Who may not stay after a change. Immutable, so that all shards may ask.
class Dismissals {
public:
    Dismissals(const access::Directory& before, std::shared_ptr<const access::Directory> after);

    // Nobody has to go.
    [[nodiscard]] bool empty() const noexcept { return accounts_.empty() && !bans_changed_; }
    [[nodiscard]] std::optional<broker::Farewell> farewell(const broker::Identity& who, std::string_view address) const;

private:
    enum class Why : std::uint8_t { Removed, Changed };

    std::shared_ptr<const access::Directory> after_;
    std::map<std::string, Why, std::less<>> accounts_;
    bool bans_changed_;
};

class AccessControl final : public BanDesk {
public:
    using Changed = std::function<void(std::shared_ptr<const Dismissals>)>;

    // Opens chappe.db in the data directory, and makes it where it is not there, with an administrator. Where it cannot
    // be made, that is logged, and nobody has an account. Not more than `logins_waiting_max` clients wait for a slow
    // answer. Fails where chappe.db cannot be used or the policy has errors: a person is waiting to read them. Later
    // ones are logged: then the rules stay as they are, but users and bans are those of now.
    [[nodiscard]] static std::expected<std::unique_ptr<AccessControl>, std::string> open(const Settings& settings,
                                                                                         access::Chain::Shards shards,
                                                                                         Logger& logger);

    ~AccessControl();

    // Called after a change holds for new decisions.
    void on_change(Changed changed) { changed_ = std::move(changed); }

    [[nodiscard]] broker::Authenticator& authenticator() noexcept { return *gate_; }
    [[nodiscard]] access::Gate& gate() noexcept { return *gate_; }
    [[nodiscard]] const broker::Permissions& permissions() const noexcept { return permissions_; }

    // The administrator's password, if one has just been made. Once.
    [[nodiscard]] std::optional<crypto::Secret> take_first_password() { return std::exchange(first_password_, {}); }

    // Looks whether somebody has changed something. Cheap; to be called every second or so.
    void poll();

    [[nodiscard]] std::expected<std::vector<accounts::Ban>, std::string> bans() override;
    [[nodiscard]] std::expected<void, std::string> add_ban(const accounts::Ban& ban) override;
    [[nodiscard]] std::expected<void, std::string> remove_ban(accounts::BanKind kind,
                                                              const std::string& value) override;
    void configure(const Settings& settings);

private:
    AccessControl(const Settings& settings, Logger& logger);

    [[nodiscard]] crypto::Secret scram_secret();
    [[nodiscard]] std::expected<void, std::string> open_store();
    [[nodiscard]] accounts::Result<void> make_administrator();
    [[nodiscard]] std::expected<void, std::string> read_at_start();
    [[nodiscard]] std::optional<accounts::Snapshot> take_snapshot();
    void watch_policy();
    void read_policy();
    void apply(accounts::Snapshot snapshot);
    void report(const std::vector<policy::Finding>& findings);
    void configure_bounds(const Settings& settings);
    void record_decisions();
    [[nodiscard]] std::expected<void, std::string> change_bans(std::string_view what, accounts::BanKind kind,
                                                               const std::string& value, std::string detail,
                                                               const std::function<accounts::Result<void>()>& change);

    AccessSettings settings_;
    std::string directory_;  // Of the data.
    Logger& logger_;
    std::optional<accounts::AccountStore> store_;
    bool accounts_are_readable_ = true;  // When they were looked at last.
    FileWatch policy_file_;
    access::PolicyTexts texts_;  // The last that were right.
    const std::shared_ptr<access::Current> current_;
    access::DecisionRecord decisions_;
    access::Permissions permissions_;
    LoginMethods methods_;
    std::unique_ptr<access::Chain> chain_;
    std::unique_ptr<access::Gate> gate_;
    Changed changed_;
    std::optional<crypto::Secret> first_password_;
};

}  // namespace chappe::server
