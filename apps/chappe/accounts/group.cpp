#include "apps/chappe/accounts/group.h"

#include <cstdio>
#include <map>
#include <memory>

namespace chappe::app {

Run define_group(CLI::App& command, std::span<const GroupMember> members) {
    const auto runs = std::make_shared<std::map<const CLI::App*, Run>>();
    for (const auto& member : members) {
        auto* const subcommand = command.add_subcommand(member.name, member.summary);
        runs->emplace(subcommand, member.define(*subcommand));
    }
    return [&command, runs] {
        const auto chosen = command.get_subcommands();
        if (!chosen.empty()) return runs->at(chosen.front())();
        std::fprintf(stderr, "chappe %s: which of its commands? --help lists them\n", command.get_name().c_str());
        return static_cast<int>(exit_usage);
    };
}

}  // namespace chappe::app
