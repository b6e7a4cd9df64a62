#include "access/hook_method.h"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include <nlohmann/json.hpp>

#include "access/roles.h"
#include "base/utf8.h"
#include "crypto/base64.h"

namespace chappe::access {
namespace {

using nlohmann::json;

constexpr std::size_t answers_max = 10'000;

bool brings_something(const Credentials& credentials) {
    return credentials.user_name || credentials.password || credentials.certificate || credentials.psk_identity;
}

// What is not text cannot be a text of JSON.
void put_password(json& question, std::string_view password) {
    if (is_valid_utf8(password)) {
        question["password"] = password;
    } else {
        question["password_base64"] = crypto::encode_base64(password);
    }
}

void wipe_password(json& question) {
    for (const auto* name : {"password", "password_base64"}) {
        if (const auto found = question.find(name); found != question.end()) {
            crypto::wipe(found->get_ref<std::string&>());
        }
    }
}

json certificate_of(const Certificate& certificate) {
    return {{"cn", certificate.common_name},
            {"subject", certificate.subject},
            {"serial", certificate.serial},
            {"fingerprint", certificate.fingerprint_sha256}};
}

// The same for the same client: names are in their order.
crypto::Secret question_about(const Credentials& credentials) {
    auto question = json::object();
    if (!credentials.client_id.empty()) question["client_id"] = credentials.client_id;
    if (!credentials.address.empty()) question["address"] = credentials.address;
    if (credentials.user_name) question["user_name"] = *credentials.user_name;
    if (credentials.password) put_password(question, credentials.password->reveal());
    if (credentials.certificate) question["certificate"] = certificate_of(*credentials.certificate);
    if (credentials.psk_identity) question["psk_identity"] = *credentials.psk_identity;
    auto text = question.dump(-1, ' ', false, json::error_handler_t::replace);  // A certificate may not be UTF-8.
    wipe_password(question);
    return crypto::Secret::taken_from(text);
}

// What the server says goes first; then what it has been asked about.
std::string name_of(const HookAnswer& answer, const Credentials& credentials) {
    if (!answer.user_name.empty()) return answer.user_name;
    if (credentials.user_name && !credentials.user_name->empty()) return *credentials.user_name;
    if (credentials.certificate) return credentials.certificate->common_name;
    return credentials.psk_identity ? *credentials.psk_identity : std::string();
}

}  // namespace

Moment moment_now() { return {.instant = std::chrono::steady_clock::now(), .wall = std::chrono::system_clock::now()}; }

HookMethod::HookMethod(std::shared_ptr<const Current> current, Rules rules, Ask ask, Clock clock)
    : current_(std::move(current)),
      rules_(std::move(rules)),
      ask_(std::move(ask)),
      clock_(std::move(clock)),
      remembered_(rules_.remembered_for, answers_max) {}

Effort HookMethod::effort(const Credentials& credentials) const {
    if (!brings_something(credentials)) return Effort::Quick;
    const auto question = question_about(credentials);
    return remembered_.has(question.reveal(), clock_().instant) ? Effort::Quick : Effort::Waits;
}

Outcome HookMethod::check(const Credentials& credentials) const {
    if (!brings_something(credentials)) return Declined{};
    const auto question = question_about(credentials);
    auto now = clock_();
    if (const auto known = remembered_.find(question.reveal(), now.instant)) {
        return accept(**known, credentials, now.wall);
    }
    const auto response = ask_(crypto::Secret(question.reveal()));
    if (!response) return Refused{.why = response.error(), .cannot_tell = true};
    auto said = read_hook_answer(*response);
    if (auto* declined = std::get_if<Declined>(&said)) return std::move(*declined);
    if (auto* refused = std::get_if<Refused>(&said)) return std::move(*refused);
    auto answer = std::make_shared<const HookAnswer>(std::get<HookAnswer>(std::move(said)));
    now = clock_();
    auto outcome = accept(*answer, credentials, now.wall);
    if (std::holds_alternative<Accepted>(outcome)) {
        const auto ends_in = answer->expires_at ? *answer->expires_at - now.wall : Duration::max();
        remembered_.add(question.reveal(), std::move(answer), now.instant, ends_in);
    }
    return outcome;
}

// The account may have been disabled since the server was asked.
Outcome HookMethod::accept(const HookAnswer& answer, const Credentials& credentials, WallTime now) const {
    auto name = name_of(answer, credentials);
    if (name.empty()) return Refused{.why = "the client is let in, but it is not said under which user_name"};
    if (answer.expires_at && *answer.expires_at <= now) {
        return Refused{.why = "the client is let in until a time that is over (expires_at)"};
    }
    const auto directory = current_->share();
    const auto* user = directory->find(name);
    if (user != nullptr && !user->enabled) return Refused{.why = "the account " + name + " is disabled"};
    return Accepted{.user_name = std::move(name),
                    .attributes = attributes_of(answer, credentials, user != nullptr),
                    .expires_at = answer.expires_at};
}

std::shared_ptr<const broker::Attributes> HookMethod::attributes_of(const HookAnswer& answer,
                                                                    const Credentials& credentials,
                                                                    bool has_account) const {
    auto attributes = std::make_shared<broker::Attributes>();
    if (credentials.certificate) attributes->certificate_name = credentials.certificate->common_name;
    attributes->claims = answer.claims;
    if (!has_account) attributes->roles = rules_.roles;
    add_allowed(answer.roles, rules_.roles_allowed, attributes->roles);
    return attributes;
}

}  // namespace chappe::access
