#include "server/refusal_log.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "mqtt/topic.h"

namespace chappe::server {
namespace {

using broker::EventKind;

constexpr std::array words{
    std::pair(EventKind::ConnectRefused, std::string_view("connect")),
    std::pair(EventKind::PublishRefused, std::string_view("publish")),
    std::pair(EventKind::SubscribeRefused, std::string_view("subscribe")),
    std::pair(EventKind::SubscriptionRevoked, std::string_view("subscription")),
};

const auto* word_of(EventKind kind) noexcept {
    const auto* const found = std::ranges::find(words, kind, &decltype(words)::value_type::first);
    return found == words.end() ? nullptr : found;
}

std::string cut(std::string_view text) { return std::string(text.substr(0, RefusalLog::text_size_max)); }

}  // namespace

bool is_refusal(EventKind kind) noexcept { return word_of(kind) != nullptr; }

bool RefusalQuery::wants(const Refusal& refusal) const {
    if (what && refusal.what != *what) return false;
    if (client && refusal.client_id != *client) return false;
    if (user && refusal.user_name != *user) return false;
    return !topic || mqtt::matches(*topic, refusal.topic);
}

void RefusalLog::add(const broker::Event& event, WallTime now) {
    const auto* word = word_of(event.kind);
    if (word == nullptr) return;
    Refusal refusal{.at = now,
                    .what = word->second,
                    .client_id = cut(event.client_id),
                    .user_name = cut(event.user_name),
                    .address = std::string(event.address),
                    .topic = cut(event.topic),
                    .code = to_string(event.code),
                    .reason = std::string(event.reason)};
    const std::scoped_lock lock(mutex_);
    if (kept_max_ == 0) return;
    if (refusals_.size() == kept_max_) refusals_.pop_front();
    refusals_.push_back(std::move(refusal));
}

void RefusalLog::keep(std::size_t kept_max) {
    const std::scoped_lock lock(mutex_);
    kept_max_ = kept_max;
    const auto excess = refusals_.size() - std::min(refusals_.size(), kept_max);
    refusals_.erase(refusals_.begin(), std::next(refusals_.begin(), static_cast<std::ptrdiff_t>(excess)));
}

std::vector<Refusal> RefusalLog::find(const RefusalQuery& query, std::size_t count) const {
    std::vector<Refusal> found;
    {
        const std::scoped_lock lock(mutex_);
        for (auto at = refusals_.rbegin(); at != refusals_.rend() && found.size() != count; ++at) {
            if (query.wants(*at)) found.push_back(*at);
        }
    }
    std::ranges::reverse(found);
    return found;
}

std::vector<std::string_view> RefusalLog::kinds() {
    std::vector<std::string_view> kinds;
    for (const auto& [kind, word] : words) kinds.push_back(word);
    return kinds;
}

}  // namespace chappe::server
