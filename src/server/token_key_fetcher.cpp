#include "server/token_key_fetcher.h"

#include <algorithm>
#include <system_error>
#include <utility>

namespace chappe::server {

namespace {

constexpr Duration first_retry = 5s;
constexpr Duration last_retry = 5min;
constexpr Duration least_between = 10s;  // Of what strangers can cause.
constexpr std::chrono::seconds fresh_for_least{60};

}  // namespace

TokenKeyFetcher::TokenKeyFetcher(Fetch fetch, std::chrono::seconds refresh, Instant begins_at)
    : fetch_(std::move(fetch)),
      refresh_(refresh),
      due_at_(begins_at),
      begun_at_(begins_at - least_between),
      retry_after_(first_retry) {}

TokenKeyFetcher::Result TokenKeyFetcher::fetch_now(Instant now) {
    begun_at_ = now;
    auto result = fetch_();
    schedule(result, now);
    return result;
}

std::optional<TokenKeyFetcher::Result> TokenKeyFetcher::poll(Instant now) {
    if (running_.valid()) {
        if (running_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return std::nullopt;
        auto result = running_.get();
        schedule(result, now);
        return result;
    }
    const bool is_heard = now - begun_at_ >= least_between && wanted_->exchange(false);
    if (now < due_at_ && !is_heard) return std::nullopt;
    *wanted_ = false;
    begun_at_ = now;
    try {
        running_ = std::async(std::launch::async, fetch_);
        return std::nullopt;
    } catch (const std::system_error& error) {  // There is no thread to be had.
        Result failed = std::unexpected(std::string(error.what()));
        schedule(failed, now);
        return failed;
    }
}

void TokenKeyFetcher::schedule(const Result& result, Instant now) {
    if (result) {
        const auto fresh_for = std::max(result->fresh_for.value_or(refresh_), fresh_for_least);
        due_at_ = now + std::min(fresh_for, refresh_);
        retry_after_ = first_retry;
    } else {
        due_at_ = now + retry_after_;
        retry_after_ = std::min(2 * retry_after_, last_retry);
    }
}

}  // namespace chappe::server
