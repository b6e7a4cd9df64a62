#pragma once

// An HTTP server that is asked who a client is. docs/access.md has what is sent to it and what it may answer.

#include <cstddef>
#include <expected>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "access/current.h"
#include "access/hook_answer.h"
#include "access/method.h"
#include "http/client.h"

namespace chappe::access {

// The same moment on both clocks.
struct Moment {
    Instant instant;
    WallTime wall;
};

[[nodiscard]] Moment moment_now();

// Whom the server has let in a while ago, so that a thousand devices that come back at once need not be asked for
// again. Of what was asked only a keyed digest is kept. Who was looked for least lately is forgotten first.
// Thread-safe.
class RememberedAnswers {
public:
    static constexpr std::size_t entries_max = 10'000;

    RememberedAnswers(Duration kept_for, crypto::Secret key);

    // Null: it is not known, or has ended by then.
    [[nodiscard]] std::shared_ptr<const HookAnswer> find(std::string_view question, Moment at);
    void add(std::string_view question, std::shared_ptr<const HookAnswer> answer, Moment at);

    [[nodiscard]] std::size_t size() const;

private:
    struct Entry {
        std::string digest;
        std::shared_ptr<const HookAnswer> answer;
        Instant until;
    };
    using Entries = std::list<Entry>;

    [[nodiscard]] std::string digest_of(std::string_view question) const;
    void forget(Entries::iterator entry);

    const Duration kept_for_;
    const crypto::Secret key_;
    mutable std::mutex mutex_;  // Guards what follows.
    Entries entries_;           // Who was looked for last is at the end.
    std::unordered_map<std::string_view, Entries::iterator> by_digest_;
};

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
    mutable RememberedAnswers remembered_;
};

}  // namespace chappe::access
