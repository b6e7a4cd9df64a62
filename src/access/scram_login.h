#pragma once

// One login by SCRAM-SHA-256 (RFC 5802; MQTT 5.0, 4.12), as the server sees it.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "access/directory.h"
#include "access/method.h"
#include "crypto/scram.h"
#include "crypto/secret.h"

namespace chappe::access {

inline constexpr std::string_view scram_name = "SCRAM-SHA-256";

// Costs some microseconds: it is the client that has to compute.
class ScramLogin {
public:
    // Hears the client's first message.
    [[nodiscard]] static std::expected<ScramLogin, Refused> begin(std::string_view client_first);

    [[nodiscard]] const std::string& user_name() const noexcept { return user_name_; }

    // The answer to it. Whoever has no account, or none with keys, is answered as if there were one; see
    // crypto::fake_scram_keys() for the secret.
    [[nodiscard]] std::string challenge(const Directory& directory, const crypto::Secret& secret);

    struct Proven {
        Accepted who;
        std::string data;  // With which the server proves itself.
    };

    // Checks the client's second message. What has changed since the challenge counts.
    [[nodiscard]] std::expected<Proven, Refused> finish(const Directory& directory, std::string_view client_final);

private:
    ScramLogin(crypto::ScramServer server, std::string user_name)
        : server_(std::move(server)), user_name_(std::move(user_name)) {}

    crypto::ScramServer server_;
    std::string user_name_;
    std::optional<std::string> keys_;  // As they are stored; nothing: the challenge was a false one.
};

}  // namespace chappe::access
