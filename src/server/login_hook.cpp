#include "server/login_hook.h"

#include <chrono>
#include <cstddef>
#include <utility>

#include "crypto/secret_source.h"
#include "tls/context.h"

namespace chappe::server {
namespace {

// An answer is a few names, and ten thousand of them are remembered.
constexpr std::size_t hook_answer_bytes_max = std::size_t{16} * 1024;

// What has been read, shared by all threads that ask.
struct LoginHook {
    HookSettings settings;
    crypto::Secret secret;
    std::shared_ptr<http::Client> client;

    [[nodiscard]] std::expected<http::Response, std::string> ask(crypto::Secret question) const {
        return client->send({.method = "POST",
                             .url = settings.url,
                             .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
                             .bearer_token = secret.reveal(),
                             .body = std::move(question),
                             .ca_file = settings.ca_file,
                             .answer_bytes_max = hook_answer_bytes_max,
                             .time_limit = std::chrono::seconds{settings.timeout_seconds}});
    }
};

access::HookMethod::Rules rules_of(const HookSettings& settings) {
    return {.roles = settings.roles,
            .roles_allowed = settings.roles_allowed,
            .remembered_for = std::chrono::seconds{settings.cache_seconds}};
}

}  // namespace

std::expected<std::shared_ptr<const access::Method>, std::string> make_hook_method(
    std::shared_ptr<const access::Current> current, const HookSettings& settings,
    std::shared_ptr<http::Client> client) {
    auto hook = std::make_shared<LoginHook>();
    if (!settings.secret.empty()) {
        auto secret = crypto::read_secret(settings.secret);
        if (!secret) return std::unexpected("hook.secret: " + secret.error());
        if (secret->reveal().find_first_of("\r\n") != std::string_view::npos) {
            return std::unexpected("hook.secret: it has more than one line, and is sent in one");
        }
        hook->secret = *std::move(secret);
    }
    if (!settings.ca_file.empty()) {
        if (const auto read = tls::ClientContext::load({.ca = settings.ca_file}); !read) {
            return std::unexpected("hook.ca_file: " + read.error());
        }
    }
    hook->settings = settings;
    hook->client = std::move(client);
    auto ask = [hook](crypto::Secret question) { return hook->ask(std::move(question)); };
    return std::make_shared<access::HookMethod>(std::move(current), rules_of(settings), std::move(ask));
}

}  // namespace chappe::server
