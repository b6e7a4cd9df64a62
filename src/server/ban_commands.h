#pragma once

// The operator's commands for bans: `bans`, `ban` and `unban`. docs/operating.md has them.

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "accounts/account.h"

namespace chappe::server {

// Where bans are kept. Used on the main thread; errors are texts for the operator.
class BanDesk {
public:
    virtual ~BanDesk() = default;

    // Those that are over included.
    [[nodiscard]] virtual std::expected<std::vector<accounts::Ban>, std::string> bans() = 0;
    // They hold, and stand in audit.log, when these return.
    [[nodiscard]] virtual std::expected<void, std::string> add_ban(const accounts::Ban& ban) = 0;
    [[nodiscard]] virtual std::expected<void, std::string> remove_ban(accounts::BanKind kind,
                                                                      const std::string& value) = 0;
};

[[nodiscard]] bool is_ban_command(std::string_view command) noexcept;

// The answer to the request, an object of JSON.
[[nodiscard]] std::string answer_ban_command(std::string_view command, const nlohmann::json& request, BanDesk& desk,
                                             accounts::Seconds now);

}  // namespace chappe::server
