#pragma once

// Asks HTTP servers, and waits for the answer. For threads that may wait: those of a pool, not those of a shard.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "crypto/secret.h"

namespace chappe::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// Only the body and the token are taken for secrets; a URL is shown to people as far as its port.
struct Request {
    std::string method = "GET";  // Any but HEAD.
    std::string url;             // http:// or https://
    Headers headers;
    std::string_view bearer_token;                          // RFC 6750; empty: none.
    crypto::Secret body;                                    // Sent with POST, PUT and the like; empty: none.
    std::string ca_file;                                    // PEM; whom to trust; empty: those whom the system trusts.
    std::size_t answer_bytes_max = std::size_t{64} * 1024;  // Headers and body together.
    Duration time_limit = 5s;  // For all of it, from looking up the name to the end of the answer.
};

// An answer of any status: a redirection is not followed.
struct Response {
    unsigned status = 0;
    Headers headers;
    std::string body;

    // The first of this name, in whatever case.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// From many threads at once. TLS is 1.2 or later, and certificates are always verified. No proxy is used, whatever the
// environment says of one, and nothing is kept from one answer to the next but connections.
class Client {
public:
    explicit Client(std::size_t idle_max = 16);  // Keeps so many connections for the next request.
    ~Client();                                   // Nobody is in send() any more.
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    // An error is a sentence for people. Waits for the server, but not for a name server that has stopped to answer.
    [[nodiscard]] std::expected<Response, std::string> send(const Request& request);

    // Requests that run end at once with an error, and so does every later one. From any thread.
    void stop();

private:
    class Transfer;

    [[nodiscard]] std::unique_ptr<Transfer> begin();
    void end(std::unique_ptr<Transfer> transfer);

    const std::size_t idle_max_;
    std::atomic<bool> stopping_ = false;
    std::mutex mutex_;  // Guards what follows.
    std::vector<std::unique_ptr<Transfer>> idle_;
    std::set<Transfer*> running_;
};

}  // namespace chappe::http
