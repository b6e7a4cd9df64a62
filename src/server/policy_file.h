#pragma once

// Roles and users that stand in a TOML file:
//
//     [[role]]
//     name = "sensor"
//     rules = ["allow publish sensors/${username}/#"]
//
//     [[user]]
//     name = "pump-7"
//     roles = ["sensor"]
//     rules = ["deny publish sensors/pump-7/config"]

#include <string>
#include <string_view>
#include <vector>

#include "access/directory.h"
#include "server/settings/settings.h"

namespace chappe::server {

struct PolicyFile {
    access::PolicyTexts texts;
    std::vector<policy::Finding> findings;  // Of the form; what rules say is looked at by Policy::make().
};

// `name` is the file's, for people.
[[nodiscard]] PolicyFile read_policy(std::string_view text, const std::string& name);
// The same from the disk.
[[nodiscard]] PolicyFile read_policy_file(const std::string& path);

// What reads as these, in TOML.
[[nodiscard]] std::string print_policy(const access::PolicyTexts& texts);

// The file of these settings, and what else they say of roles; nothing of a file where there is none.
[[nodiscard]] PolicyFile read_policy_of(const AccessSettings& settings);

[[nodiscard]] inline std::string accounts_path(const std::string& data_directory) {
    return data_directory + "/chappe.db";
}
// The accounts without a trace that somebody has looked. Where there are none yet: what the first start makes, apart
// from the administrator.
[[nodiscard]] accounts::Result<accounts::Snapshot> read_accounts(const std::string& data_directory);

// Accounts and policy together; a file with findings makes none.
[[nodiscard]] access::Directory::Made make_directory(accounts::Snapshot snapshot, const PolicyFile& file);

// "policy.toml:12: error: ..."
[[nodiscard]] std::string to_string(const policy::Finding& finding);
[[nodiscard]] std::string lines_of(const std::vector<policy::Finding>& findings);

}  // namespace chappe::server
