#pragma once

// What an HTTP server that is asked who a client is has answered. For HookMethod.

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "access/method.h"
#include "base/time.h"
#include "http/client.h"

namespace chappe::access {

// The client may come in.
struct HookAnswer {
    std::string user_name;  // Empty: nothing is said of it.
    std::vector<std::string> roles;
    std::vector<std::pair<std::string, std::string>> claims;
    std::optional<WallTime> expires_at;
};

// Everything that is not clearly something else is Refused.
[[nodiscard]] std::variant<HookAnswer, Declined, Refused> read_hook_answer(const http::Response& response);

}  // namespace chappe::access
