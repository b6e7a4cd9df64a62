#pragma once

// Accounts, roles and bans of a running broker: reads them from chappe.db and the policy file, notices changes, and
// tells who is concerned. Used on the main thread; what it hands out (authenticator, permissions) is used by all.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/chain.h"
#include "access/current.h"
#include "access/permissions.h"
#include "accounts/account_store.h"
#include "crypto/secret.h"
#include "server/file_watch.h"
#include "server/logger.h"
#include "server/settings/settings.h"

namespace chappe::server {

// What a change means for users who may be connected.
struct ChangedUsers {
    std::vector<std::string> removed;     // Their sessions end.
    std::vector<std::string> locked_out;  // Disabled, banned, or with another password: their connections end.
};

class AccessControl {
public:
    using Changed = std::function<void(const ChangedUsers&)>;

    // Opens chappe.db in the data directory, and makes it where it is not there, with an administrator. A database or
    // policy that cannot be used is logged, and nobody is let in or permitted anything by it. Fails where the policy
    // file has errors: a person is waiting to read them.
    [[nodiscard]] static std::expected<std::unique_ptr<AccessControl>, std::string> open(const Settings& settings,
                                                                                         access::Chain::Shards shards,
                                                                                         Logger& logger);

    // Called with what has changed, after it holds for new decisions.
    void on_change(Changed changed) { changed_ = std::move(changed); }

    [[nodiscard]] broker::Authenticator& authenticator() noexcept { return *chain_; }
    [[nodiscard]] const broker::Permissions& permissions() const noexcept { return permissions_; }

    // The administrator's password, if one has just been made. Once.
    [[nodiscard]] std::optional<crypto::Secret> take_first_password() { return std::exchange(first_password_, {}); }

    // Looks whether somebody has changed something. Cheap; to be called every second or so.
    void poll();
    void configure(const Settings& settings);

private:
    AccessControl(const Settings& settings, Logger& logger);

    void open_store();
    [[nodiscard]] accounts::Result<void> make_administrator();
    [[nodiscard]] std::optional<accounts::Snapshot> take_snapshot();
    [[nodiscard]] access::Directory::Made read();
    [[nodiscard]] bool apply(access::Directory::Made made);
    void report(const std::vector<policy::Finding>& findings);
    [[nodiscard]] access::Methods methods() const;
    [[nodiscard]] ChangedUsers changes(const access::Directory& before, const access::Directory& after) const;

    AccessSettings settings_;
    std::string directory_;  // Of the data.
    Logger& logger_;
    std::optional<accounts::AccountStore> store_;
    FileWatch policy_file_;
    const std::shared_ptr<access::Current> current_;
    access::Permissions permissions_;
    std::unique_ptr<access::Chain> chain_;
    Changed changed_;
    std::optional<crypto::Secret> first_password_;
};

}  // namespace chappe::server
