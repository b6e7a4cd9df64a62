// chappe role convert: a policy file of Mosquitto's ACL file.

#include "apps/chappe/accounts/role_convert.h"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>

#include "apps/chappe/accounts/desk.h"
#include "apps/chappe/accounts/file.h"
#include "policy/mosquitto_acl.h"
#include "server/policy_file.h"

namespace chappe::app {
namespace {

constexpr std::size_t acl_file_size_max = std::size_t{256} * 1024 * 1024;

Outcome<void> convert(const std::string& path) {
    const auto text = TRY(read_whole_file(path, acl_file_size_max));
    const auto acl = policy::read_mosquitto_acl(text, path);
    std::fputs(server::print_policy({.is_set = true, .roles = acl.roles, .users = acl.users}).c_str(), stdout);
    for (const auto& finding : acl.findings) std::fprintf(stderr, "%s\n", server::to_string(finding).c_str());
    if (acl.findings.empty()) return {};
    return std::unexpected(counted(acl.findings.size(), "line") + " of " + path + " could not be used");
}

}  // namespace

Run define_role_convert(CLI::App& command) {
    const auto file = std::make_shared<std::string>();
    command.add_option("FILE", *file, "The file, as acl_file of mosquitto.conf names it")->required();
    command.footer(R"(Examples:
  chappe role convert /etc/mosquitto/acl > policy.toml
  chappe serve --set access.policy=policy.toml

Prints a policy file and changes nothing. Who may read a topic may subscribe to it and to what is within it; Mosquitto
lets clients subscribe to more, and withholds the messages. Lines that cannot be used are named, the others are
converted. Exit codes: 0 all converted, 1 something was not, 2 the command line is wrong.)");
    return work_of("role convert", [file] { return convert(*file); });
}

}  // namespace chappe::app
