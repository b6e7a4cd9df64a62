#include "access/chain.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "base/assert.h"
#include "net/endpoint.h"

namespace chappe::access {
namespace {

using broker::Verdict;
using mqtt::ReasonCode;

constexpr std::size_t waiting_threads_max = 16;

std::pair<std::uint16_t, std::uint64_t> key_of(broker::Ticket ticket) {
    return {ticket.shard.value, ticket.connection.value};
}

std::size_t computing_threads() { return std::clamp(std::thread::hardware_concurrency(), 1U, 8U); }

}  // namespace

// One CONNECT on its way through the methods.
struct Chain::Attempt {
    broker::Ticket ticket;
    Credentials credentials;
    bool anonymous_allowed = false;
    std::shared_ptr<const Methods> methods;
    std::size_t next = 0;           // Of the methods.
    std::string why;                // What those before have said.
    Effort effort = Effort::Quick;  // Of the last one that was asked elsewhere,
    std::uint64_t generation = 0;   // and of what was known then.
    std::atomic<bool> abandoned = false;

    [[nodiscard]] std::string_view claimed_name() const noexcept {
        return credentials.user_name ? std::string_view(*credentials.user_name) : std::string_view();
    }
    [[nodiscard]] bool says_nothing() const noexcept { return !credentials.user_name && !credentials.password; }
};

// One whose client has been asked for its proof.
struct Chain::Conversation {
    std::shared_ptr<Attempt> attempt;
    ScramLogin login;
};

Chain::Chain(const Current& current, Methods methods, Options options, Shards shards)
    : current_(current),
      options_(std::move(options)),
      failures_(options_.seed),
      shards_(std::move(shards)),
      methods_(std::make_shared<const Methods>(std::move(methods))),
      computing_({.threads_max = computing_threads(), .jobs_max = options_.waiting_max}),
      waiting_({.threads_max = waiting_threads_max, .jobs_max = options_.waiting_max}) {}

Chain::~Chain() = default;

void Chain::replace(Methods methods) {
    auto shared = std::make_shared<const Methods>(std::move(methods));
    const std::scoped_lock lock(mutex_);
    methods_ = std::move(shared);
}

std::optional<Verdict> Chain::authenticate(const broker::Login& login, broker::Ticket ticket) {
    auto attempt = attempt_of(login.peer, login.client_id, ticket);
    auto& credentials = attempt->credentials;
    if (login.user_name) credentials.user_name = std::string(*login.user_name);
    if (login.authentication_method) {
        return converse(std::move(attempt), *login.authentication_method,
                        as_text(login.authentication_data.value_or(Bytes())));
    }
    if (login.peer.is_operator) return Verdict{.user_name = std::string(login.user_name.value_or(""))};
    if (login.password) credentials.password.emplace(as_text(*login.password));
    if (auto verdict = kept_out(*attempt)) return verdict;
    return ask(attempt);
}

std::optional<Verdict> Chain::proceed(const broker::Continuation& said, broker::Ticket ticket) {
    const auto data = as_text(said.auth.authentication_data.value_or(Bytes()));
    if (said.auth.reason_code != ReasonCode::ReAuthenticate) return conclude(ticket, data);
    return converse(attempt_of(said.peer, said.client_id, ticket), said.auth.authentication_method.value_or(""), data);
}

// Who is gone need not be asked about any more: what waits for a thread costs nothing then.
void Chain::abandon(broker::Ticket ticket) {
    if (const auto attempt = take_back(ticket)) attempt->abandoned = true;
    const std::scoped_lock lock(mutex_);
    conversations_.erase(key_of(ticket));
}

std::shared_ptr<Chain::Attempt> Chain::attempt_of(const broker::Peer& peer, std::string_view client_id,
                                                  broker::Ticket ticket) const {
    auto attempt = std::make_shared<Attempt>();
    attempt->ticket = ticket;
    attempt->anonymous_allowed = peer.anonymous_allowed;
    attempt->credentials.address = net::without_port(peer.address);
    attempt->credentials.client_id = client_id;
    attempt->credentials.certificate = peer.certificate;
    attempt->credentials.psk_identity = peer.psk_identity;
    const std::scoped_lock lock(mutex_);
    attempt->methods = methods_;
    return attempt;
}

// Begins a login of more than one step, or another one on a connection that is in use.
Verdict Chain::converse(std::shared_ptr<Attempt> attempt, std::string_view method, std::string_view client_first) {
    const bool is_offered = method == scram_name &&
                            std::ranges::any_of(*attempt->methods, [](const auto& one) { return one->takes_scram(); });
    if (!is_offered) {  // [MQTT-4.12.0-1]
        return refuse(*attempt, ReasonCode::BadAuthenticationMethod, "this server has no such authentication method",
                      "there is no authentication method of this name");
    }
    auto login = ScramLogin::begin(client_first);
    if (!login) return refuse_scram(*attempt, login.error());
    auto& claimed = attempt->credentials.user_name;
    if (claimed.value_or(login->user_name()) != login->user_name()) {
        return refuse_scram(*attempt, {.why = "the user name of CONNECT is not that of SCRAM"});
    }
    claimed = login->user_name();
    if (auto verdict = kept_out(*attempt)) return *std::move(verdict);
    auto challenge = login->challenge(current_.get(), options_.scram_secret);
    const auto key = key_of(attempt->ticket);
    const std::scoped_lock lock(mutex_);
    conversations_.insert_or_assign(key, Conversation{std::move(attempt), *std::move(login)});
    return {.code = ReasonCode::ContinueAuthentication, .authentication_data = std::move(challenge)};
}

Verdict Chain::conclude(broker::Ticket ticket, std::string_view client_final) {
    auto found = [&] {
        const std::scoped_lock lock(mutex_);
        return conversations_.extract(key_of(ticket));
    }();
    ASSERT(!found.empty());  // Nothing else is answered with a challenge.
    auto& [attempt, login] = found.mapped();
    auto proven = login.finish(current_.get(), client_final);
    if (!proven) return refuse_scram(*attempt, proven.error());
    failures_.succeeded(attempt->credentials.address, attempt->claimed_name());
    auto verdict = accept(*attempt, scram_name, std::move(proven->who));
    verdict.authentication_data = std::move(proven->data);
    return verdict;
}

// Also good for DISCONNECT, which knows no code for a wrong password.
Verdict Chain::refuse_scram(const Attempt& attempt, const Refused& refused) {
    note(attempt, refused);
    return refuse(attempt, ReasonCode::NotAuthorized, "the authentication has failed",
                  std::string(scram_name) + ": " + refused.why);
}

// Whoever waited elsewhere does not any more.
std::shared_ptr<Chain::Attempt> Chain::take_back(broker::Ticket ticket) {
    const std::scoped_lock lock(mutex_);
    auto found = elsewhere_.extract(key_of(ticket));
    if (!found) return nullptr;
    --count_of(found.mapped()->effort);
    return std::move(found.mapped());
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
        if (count_of(effort) >= options_.waiting_max) return false;
        attempt->effort = effort;
        if (elsewhere_.emplace(key_of(attempt->ticket), attempt).second) ++count_of(effort);
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
        // A token or a certificate proves who somebody is, and nothing of the name that is claimed besides.
        if (accepted->user_name == attempt.claimed_name()) failures_.succeeded(address, attempt.claimed_name());
        return accept(attempt, method.name(), std::move(*accepted));
    }
    if (const auto* declined = std::get_if<Declined>(&outcome)) {
        if (!declined->why.empty()) attempt.why += (attempt.why.empty() ? "" : "; ") + said(declined->why);
        return std::nullopt;
    }
    const auto& refused = std::get<Refused>(outcome);
    note(attempt, refused);
    if (refused.cannot_tell) {
        return refuse(attempt, ReasonCode::ServerUnavailable, "it cannot be found out now who the client is",
                      said(refused.why));
    }
    return refuse(attempt, ReasonCode::BadUserNameOrPassword, "user name or password is not right", said(refused.why));
}

// Who guesses has to wait.
void Chain::note(const Attempt& attempt, const Refused& refused) {
    if (!refused.wrong_secret) return;
    failures_.failed(attempt.credentials.address, attempt.claimed_name(), std::chrono::steady_clock::now());
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
