#pragma once

// An HTTP server that is asked who a client is. docs/access.md has what is sent to it and what it may answer.

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/current.h"
#include "access/hook_answer.h"
#include "access/method.h"
#include "access/remembered.h"
#include "http/client.h"

namespace chappe::access {

// The same moment on both clocks.
struct Moment {
    Instant instant;
    WallTime wall;
};

[[nodiscard]] Moment moment_now();

class HookMethod final : public Method {
public:
    struct Rules {
        std::vector<std::string> roles;          // Of users without an account.
        std::vector<std::string> roles_allowed;  // Of those in an answer.
        Duration remembered_for{0};              // Zero: the server is asked every time.
    };
    // Sends this JSON to the server and waits for the answer. An error is for people. Called by many threads at once.
    using Ask = std::function<std::expected<http::Response, std::string>(crypto::Secret question)>;
    using Clock = std::function<Moment()>;

    HookMethod(std::shared_ptr<const Current> current, Rules rules, Ask ask, Clock clock = moment_now);

    [[nodiscard]] std::string_view name() const noexcept override { return "http"; }
    [[nodiscard]] Effort effort(const Credentials& credentials) const override;
    [[nodiscard]] Outcome check(const Credentials& credentials) const override;

private:
    [[nodiscard]] Outcome accept(const HookAnswer& answer, const Credentials& credentials, WallTime now) const;
    [[nodiscard]] std::shared_ptr<const broker::Attributes> attributes_of(const HookAnswer& answer,
                                                                          const Credentials& credentials,
                                                                          bool has_account) const;

    const std::shared_ptr<const Current> current_;
    const Rules rules_;
    const Ask ask_;
    const Clock clock_;
    mutable Remembered<std::shared_ptr<const HookAnswer>> remembered_;
};

}  // namespace chappe::access
