#pragma once

// The keys that an issuer of tokens publishes at a URL: fetched again after a time, and when a token names a key that
// is not among them.

#include <atomic>
#include <chrono>
#include <expected>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "crypto/json_web_key.h"

namespace chappe::server {

// Used on one thread.
class TokenKeyFetcher {
public:
    struct Fetched {
        std::string text;  // What the issuer has answered.
        std::shared_ptr<const crypto::KeySet> keys;
        std::optional<std::chrono::seconds> fresh_for;  // As the issuer says.
    };
    using Result = std::expected<Fetched, std::string>;
    // Waits for the issuer, on any thread; not two at once.
    using Fetch = std::function<Result()>;

    // The fetcher is asked every `refresh` at least, and not before `begins_at`.
    TokenKeyFetcher(Fetch fetch, std::chrono::seconds refresh, Instant begins_at);
    // Waits for a fetch that runs: whoever made `fetch` has seen to it that it ends.
    ~TokenKeyFetcher() = default;
    TokenKeyFetcher(const TokenKeyFetcher&) = delete;
    TokenKeyFetcher& operator=(const TokenKeyFetcher&) = delete;

    // Fetches on this thread, which waits. Not while another fetch runs.
    [[nodiscard]] Result fetch_now(Instant now);
    // Begins a fetch that is due, and returns what one has brought since the last call. Cheap.
    [[nodiscard]] std::optional<Result> poll(Instant now);

    [[nodiscard]] bool is_fetching() const noexcept { return running_.valid(); }

    // To be called where a token comes with a key that is not known. Strangers can cause that as often as they like: it
    // is heard once in ten seconds. Outlives the fetcher; on any thread.
    [[nodiscard]] std::function<void()> wish() const {
        return [wanted = wanted_] { *wanted = true; };
    }

private:
    void schedule(const Result& result, Instant now);

    const Fetch fetch_;
    const std::chrono::seconds refresh_;
    const std::shared_ptr<std::atomic<bool>> wanted_ = std::make_shared<std::atomic<bool>>(false);
    Instant due_at_;
    Instant begun_at_;
    Duration retry_after_;
    std::future<Result> running_;
};

}  // namespace chappe::server
