#pragma once

// Clients that have proved by TLS-PSK that they share a key with the broker: the identity of the key is the user name.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access/current.h"
#include "access/method.h"

namespace chappe::access {

class PskMethod final : public Method {
public:
    // Who comes by such a key and has no account has these roles.
    PskMethod(std::shared_ptr<const Current> current, std::vector<std::string> roles);

    [[nodiscard]] std::string_view name() const noexcept override { return "psk"; }
    [[nodiscard]] Effort effort(const Credentials&) const override { return Effort::Quick; }
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;

private:
    const std::shared_ptr<const Current> current_;
    const std::vector<std::string> roles_;
};

}  // namespace chappe::access
