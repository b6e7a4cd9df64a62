#pragma once

// The HTTP server that is asked who a client is, as the settings say.

#include <expected>
#include <memory>
#include <string>

#include "access/hook_method.h"
#include "http/client.h"
#include "server/settings/settings.h"

namespace chappe::server {

// Fails where the secret or the CAs cannot be used: for people, and begins with the name of the setting. Blocks as
// reading files does.
[[nodiscard]] std::expected<std::shared_ptr<const access::Method>, std::string> make_hook_method(
    std::shared_ptr<const access::Current> current, const HookSettings& settings, std::shared_ptr<http::Client> client);

}  // namespace chappe::server
