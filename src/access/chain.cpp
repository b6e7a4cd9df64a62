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
constexpr std::size_t jobs_max = 10'000;

// Of an address with its port; a Unix socket stays as it is.
std::string without_port(std::string_view address) {
    if (address.starts_with('[')) return std::string(address.substr(1, address.find(']') - 1));
    const auto colon = address.rfind(':');
    const bool has_port = colon != address.npos && net::IpAddress::parse(address.substr(0, colon));
    return std::string(has_port ? address.substr(0, colon) : address);
}

std::size_t computing_threads() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U); }

}  // namespace

// One CONNECT on its way through the methods.
struct Chain::Attempt {
    broker::Ticket ticket;
    Credentials credentials;
    bool anonymous_allowed;
    std::shared_ptr<const Methods> methods;
    std::size_t next = 0;  // Of the methods.
    std::string why;       // What those before have said.

    [[nodiscard]] std::string_view claimed_name() const noexcept {
        return credentials.user_name ? std::string_view(*credentials.user_name) : std::string_view();
    }
    [[nodiscard]] bool says_nothing() const noexcept { return !credentials.user_name && !credentials.password; }
};

Chain::Chain(const Current& current, Methods methods, std::uint64_t seed, Shards shards, Report report)
    : current_(current),
      methods_(std::make_shared<const Methods>(std::move(methods))),
      failures_(seed),
      shards_(std::move(shards)),
      report_(std::move(report)),
      computing_({.threads_max = computing_threads(), .jobs_max = jobs_max}),
      waiting_({.threads_max = waiting_threads_max, .jobs_max = jobs_max}) {}

Chain::~Chain() = default;

void Chain::replace(Methods methods) { methods_ = std::make_shared<const Methods>(std::move(methods)); }

std::optional<Verdict> Chain::authenticate(const broker::Login& login, broker::Ticket ticket) {
    if (login.authentication_method) {
        return Verdict{.code = ReasonCode::BadAuthenticationMethod,  // [MQTT-4.12.0-1]
                       .reason = "this server has no such authentication method"};
    }
    if (login.peer.is_operator) return Verdict{.user_name = std::string(login.user_name.value_or(""))};
    auto attempt = std::make_shared<Attempt>(Attempt{.ticket = ticket,
                                                     .credentials = {.address = without_port(login.peer.address),
                                                                     .client_id = std::string(login.client_id),
                                                                     .user_name = {},
                                                                     .password = {},
                                                                     .certificate = login.peer.certificate},
                                                     .anonymous_allowed = login.peer.anonymous_allowed,
                                                     .methods = methods_.load()});
    auto& credentials = attempt->credentials;
    if (login.user_name) credentials.user_name = std::string(*login.user_name);
    if (login.password) credentials.password.emplace(as_text(*login.password));
    if (auto verdict = kept_out(*attempt)) return verdict;
    return ask(attempt);
}

std::optional<Verdict> Chain::proceed(const mqtt::Auth&, broker::Ticket) {
    return Verdict{.code = ReasonCode::BadAuthenticationMethod,
                   .reason = "this server has no such authentication method"};
}

// Who is banned, or has guessed too often.
std::optional<Verdict> Chain::kept_out(const Attempt& attempt) {
    const auto& [address, client_id, user_name, password, certificate] = attempt.credentials;
    const auto name = attempt.claimed_name();
    if (auto ban = current_.get().banned(address, name, client_id, std::chrono::system_clock::now())) {
        return refuse(attempt, ReasonCode::Banned, "banned", *std::move(ban));
    }
    if (attempt.says_nothing()) return std::nullopt;
    const auto wait = failures_.wait(address, name, std::chrono::steady_clock::now());
    if (!wait) return std::nullopt;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    const auto why = "too many wrong passwords; try again in " + std::to_string(seconds) + " s";
    return refuse(attempt, ReasonCode::Banned, why, why);
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
    auto& pool = effort == Effort::Computes ? computing_ : waiting_;
    auto method = (*attempt->methods)[attempt->next];
    ++attempt->next;
    auto work = [method, attempt] { return method->check(attempt->credentials); };
    auto done = [this, method, attempt](Outcome outcome) {
        auto verdict = hear(*attempt, *method, std::move(outcome));
        if (!verdict) verdict = ask(attempt);
        if (verdict) shards_.answer(attempt->ticket, *verdict);
    };
    return pool.run(shards_.loop(attempt->ticket.shard), std::move(work), std::move(done));
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

Verdict Chain::accept(const Attempt& attempt, std::string_view method, Accepted accepted) {
    const auto now = std::chrono::system_clock::now();
    if (auto ban = current_.get().banned({}, accepted.user_name, {}, now)) {
        return refuse(attempt, ReasonCode::Banned, "banned", *std::move(ban));
    }
    Verdict verdict{.user_name = std::move(accepted.user_name), .attributes = std::move(accepted.attributes)};
    if (accepted.expires_at) {
        verdict.expires_at =
            std::chrono::steady_clock::now() + std::chrono::duration_cast<Duration>(*accepted.expires_at - now);
    }
    report_({.accepted = true,
             .method = method,
             .user_name = verdict.user_name,
             .client_id = attempt.credentials.client_id,
             .address = attempt.credentials.address,
             .why = {}});
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
    report_({.accepted = false,
             .method = {},
             .user_name = attempt.claimed_name(),
             .client_id = attempt.credentials.client_id,
             .address = attempt.credentials.address,
             .why = why});
    return {.code = code,
            .reason = std::string(to_client),
            .detail = std::move(why),
            .user_name = std::string(attempt.claimed_name())};
}

}  // namespace chappe::access
