#include "access/chain.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "net/endpoint.h"

namespace chappe::access {
namespace {

using broker::Verdict;
using mqtt::ReasonCode;

constexpr std::size_t waiting_threads_max = 16;

std::size_t computing_threads() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U); }

}  // namespace

// One CONNECT on its way through the methods.
struct Chain::Attempt {
    broker::Ticket ticket;
    Credentials credentials;
    bool anonymous_allowed = false;
    std::shared_ptr<const Methods> methods;
    std::size_t next = 0;          // Of the methods.
    std::string why;               // What those before have said.
    std::uint64_t generation = 0;  // Of what was known when the last one was asked elsewhere.
    std::atomic<bool> abandoned = false;

    [[nodiscard]] std::string_view claimed_name() const noexcept {
        return credentials.user_name ? std::string_view(*credentials.user_name) : std::string_view();
    }
    [[nodiscard]] bool says_nothing() const noexcept { return !credentials.user_name && !credentials.password; }
};

Chain::Chain(const Current& current, Methods methods, std::size_t waiting_max, std::uint64_t seed, Shards shards)
    : current_(current),
      methods_(std::make_shared<const Methods>(std::move(methods))),
      waiting_max_(waiting_max),
      failures_(seed),
      shards_(std::move(shards)),
      computing_({.threads_max = computing_threads(), .jobs_max = waiting_max}),
      waiting_({.threads_max = waiting_threads_max, .jobs_max = waiting_max}) {}

Chain::~Chain() = default;

void Chain::replace(Methods methods) { methods_ = std::make_shared<const Methods>(std::move(methods)); }

std::optional<Verdict> Chain::authenticate(const broker::Login& login, broker::Ticket ticket) {
    if (login.authentication_method) {
        return Verdict{.code = ReasonCode::BadAuthenticationMethod,  // [MQTT-4.12.0-1]
                       .reason = "this server has no such authentication method"};
    }
    if (login.peer.is_operator) return Verdict{.user_name = std::string(login.user_name.value_or(""))};
    auto attempt = std::make_shared<Attempt>();
    attempt->ticket = ticket;
    attempt->anonymous_allowed = login.peer.anonymous_allowed;
    attempt->methods = methods_.load();
    auto& credentials = attempt->credentials;
    credentials.address = net::without_port(login.peer.address);
    credentials.client_id = login.client_id;
    credentials.certificate = login.peer.certificate;
    if (login.user_name) credentials.user_name = std::string(*login.user_name);
    if (login.password) credentials.password.emplace(as_text(*login.password));
    if (auto verdict = kept_out(*attempt)) return verdict;
    return ask(attempt);
}

std::optional<Verdict> Chain::proceed(const mqtt::Auth&, broker::Ticket) {
    return Verdict{.code = ReasonCode::BadAuthenticationMethod,
                   .reason = "this server has no such authentication method"};
}

// Who is gone need not be asked about any more: what waits for a thread costs nothing then.
void Chain::abandon(broker::Ticket ticket) {
    if (const auto attempt = take_back(ticket)) attempt->abandoned = true;
}

// Whoever waited elsewhere does not any more.
std::shared_ptr<Chain::Attempt> Chain::take_back(broker::Ticket ticket) {
    const std::scoped_lock lock(mutex_);
    auto found = elsewhere_.extract({ticket.shard.value, ticket.connection.value});
    return found ? std::move(found.mapped()) : nullptr;
}

// Who is banned, or has guessed too often.
std::optional<Verdict> Chain::kept_out(const Attempt& attempt) {
    const auto name = attempt.claimed_name();
    if (auto verdict = banned(attempt, name)) return verdict;
    if (attempt.says_nothing()) return std::nullopt;
    const auto wait = failures_.wait(attempt.credentials.address, name, std::chrono::steady_clock::now());
    if (!wait) return std::nullopt;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    const auto why = "too many wrong passwords; try again in " + std::to_string(seconds) + " s";
    return refuse(attempt, ReasonCode::Banned, why, why);
}

std::optional<Verdict> Chain::banned(const Attempt& attempt, std::string_view user_name) const {
    const auto& from = attempt.credentials;
    auto ban = current_.get().banned(from.address, user_name, from.client_id, std::chrono::system_clock::now());
    if (!ban) return std::nullopt;
    return refuse(attempt, ReasonCode::Banned, "banned", *std::move(ban));
}

// On the client's shard. Nothing: the answer comes later.
std::optional<Verdict> Chain::ask(const std::shared_ptr<Attempt>& attempt) {
    while (attempt->next != attempt->methods->size()) {
        const auto& method = *(*attempt->methods)[attempt->next];
        const auto effort = method.effort(attempt->credentials);
        if (effort != Effort::Quick) {
            if (ask_elsewhere(attempt, effort)) return std::nullopt;
            return refuse(*attempt, ReasonCode::ServerBusy, "too many clients log in at once",
                          "too many logins are waiting");
        }
        ++attempt->next;
        if (auto verdict = hear(*attempt, method, method.check(attempt->credentials))) return verdict;
    }
    return nobody_knows(*attempt);
}

bool Chain::ask_elsewhere(const std::shared_ptr<Attempt>& attempt, Effort effort) {
    {
        const std::scoped_lock lock(mutex_);
        if (elsewhere_.size() >= waiting_max_) return false;
        elsewhere_.emplace(std::pair(attempt->ticket.shard.value, attempt->ticket.connection.value), attempt);
    }
    auto& pool = effort == Effort::Computes ? computing_ : waiting_;
    auto method = (*attempt->methods)[attempt->next];
    attempt->generation = current_.generation();
    auto work = [method, attempt]() -> Outcome {
        if (attempt->abandoned) return Declined{};
        return method->check(attempt->credentials);
    };
    auto done = [this, method, attempt](Outcome outcome) {
        if (attempt->abandoned) return;
        take_back(attempt->ticket);
        const auto verdict = hear_from_elsewhere(attempt, *method, std::move(outcome));
        if (verdict) shards_.answer(attempt->ticket, *verdict);
    };
    if (pool.run(shards_.loop(attempt->ticket.shard), std::move(work), std::move(done))) return true;
    take_back(attempt->ticket);
    return false;
}

// What was right when it was asked need not be so any more: the account may have been disabled meanwhile, and nobody
// will look at this client again.
std::optional<Verdict> Chain::hear_from_elsewhere(const std::shared_ptr<Attempt>& attempt, const Method& method,
                                                  Outcome outcome) {
    const bool is_old = attempt->generation != current_.generation();
    if (is_old && std::holds_alternative<Accepted>(outcome)) return ask(attempt);
    ++attempt->next;
    auto verdict = hear(*attempt, method, std::move(outcome));
    return verdict ? std::move(verdict) : ask(attempt);
}

// Nothing: the next one is to be asked.
std::optional<Verdict> Chain::hear(Attempt& attempt, const Method& method, Outcome outcome) {
    const auto said = [&](std::string_view why) { return std::string(method.name()) + ": " + std::string(why); };
    const auto& address = attempt.credentials.address;
    if (auto* accepted = std::get_if<Accepted>(&outcome)) {
        failures_.succeeded(address, attempt.claimed_name());
        return accept(attempt, method.name(), std::move(*accepted));
    }
    if (const auto* declined = std::get_if<Declined>(&outcome)) {
        if (!declined->why.empty()) attempt.why += (attempt.why.empty() ? "" : "; ") + said(declined->why);
        return std::nullopt;
    }
    const auto& refused = std::get<Refused>(outcome);
    if (refused.wrong_secret) failures_.failed(address, attempt.claimed_name(), std::chrono::steady_clock::now());
    return refuse(attempt, ReasonCode::BadUserNameOrPassword, "user name or password is not right", said(refused.why));
}

Verdict Chain::accept(const Attempt& attempt, std::string_view method, Accepted accepted) const {
    if (auto verdict = banned(attempt, accepted.user_name)) return *std::move(verdict);
    Verdict verdict{.detail = std::string(method),
                    .user_name = std::move(accepted.user_name),
                    .attributes = std::move(accepted.attributes)};
    if (accepted.expires_at) {
        const auto left = *accepted.expires_at - std::chrono::system_clock::now();
        verdict.expires_at = std::chrono::steady_clock::now() + std::chrono::duration_cast<Duration>(left);
    }
    return verdict;
}

// Whoever claims a name has to prove it, also where nameless clients are let in.
Verdict Chain::nobody_knows(const Attempt& attempt) {
    const bool names_mean_nothing = attempt.methods->empty();
    if (attempt.anonymous_allowed && (attempt.says_nothing() || names_mean_nothing)) {
        return accept(attempt, "anonymous", {});
    }
    if (attempt.says_nothing()) {
        return refuse(attempt, ReasonCode::NotAuthorized, "this listener does not take anonymous clients",
                      "this listener does not take anonymous clients");
    }
    const auto now = std::chrono::steady_clock::now();
    failures_.failed(attempt.credentials.address, attempt.claimed_name(), now);
    return refuse(attempt, ReasonCode::BadUserNameOrPassword, "user name or password is not right",
                  attempt.why.empty() ? "there is no method that knows users" : attempt.why);
}

Verdict Chain::refuse(const Attempt& attempt, ReasonCode code, std::string_view to_client, std::string why) {
    return {.code = code,
            .reason = std::string(to_client),
            .detail = std::move(why),
            .user_name = std::string(attempt.claimed_name())};
}

}  // namespace chappe::access
