#include "server/control.h"

#include <algorithm>
#include <chrono>
#include <expected>
#include <functional>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "accounts/utc.h"
#include "mqtt/encoder.h"
#include "mqtt/topic.h"
#include "server/control_request.h"
#include "server/sys_topics.h"

namespace chappe::server {
namespace {

constexpr std::size_t server_reference_length_max = 1024;

using Json = nlohmann::json;
using broker::Shard;

std::expected<void, std::string> check_filter(const std::optional<std::string>& filter) {
    if (!filter || mqtt::is_valid_topic_filter(*filter)) return {};
    return std::unexpected(fmt::format("\"{}\" is not a topic filter", *filter));
}

struct DropQuery {
    std::optional<std::string> client;
    std::optional<std::string> topic;  // A topic filter.
    std::optional<std::string> reason;
    std::optional<std::size_t> count;  // The newest.

    [[nodiscard]] bool wants(const broker::Drop& drop) const {
        if (client && drop.client_id != *client) return false;
        if (reason && to_string(drop.reason) != *reason) return false;
        return !topic || mqtt::matches(*topic, drop.topic);
    }
};

std::expected<DropQuery, std::string> drop_query(const Json& request) {
    TRY(check_members(request, {"client", "topic", "reason", "count"}));
    DropQuery query;
    query.client = TRY(text_member(request, "client"));
    query.topic = TRY(text_member(request, "topic"));
    query.reason = TRY(text_member(request, "reason"));
    query.count = TRY(count_member(request, "count"));
    TRY(check_filter(query.topic));
    if (!query.reason) return query;
    std::vector<std::string_view> reasons;
    for (std::size_t reason = 0; reason != broker::drop_reason_count; ++reason) {
        reasons.push_back(to_string(static_cast<broker::DropReason>(reason)));
    }
    if (std::ranges::find(reasons, *query.reason) != reasons.end()) return query;
    return std::unexpected(
        fmt::format("unknown reason \"{}\"; there are: {}", *query.reason, fmt::join(reasons, ", ")));
}

// What one shard has found, the newest first.
struct FoundDrops {
    std::vector<broker::Drop> drops;
    std::size_t count_max = 0;
};

std::string to_text(WallTime time) {
    const auto then = std::chrono::floor<std::chrono::milliseconds>(time);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(then);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", seconds, (then - seconds).count());
}

// Each shard keeps as many as all together may list, since it does not know how many of the last are its own.
FoundDrops find_drops(const Shard& shard, const DropQuery& query) {
    const auto kept_max = shard.drop_log().kept_max();
    FoundDrops found{.drops = {}, .count_max = std::min(query.count.value_or(kept_max), kept_max)};
    const auto& drops = shard.drop_log().drops();
    for (auto index = drops.size(); index != 0 && found.drops.size() != found.count_max; --index) {
        if (query.wants(drops[index - 1])) found.drops.push_back(drops[index - 1]);
    }
    return found;
}

// The newest of all shards, and those of them that one answer has room for.
Json to_json(std::vector<FoundDrops> found, Instant now) {
    std::vector<broker::Drop> all;
    for (auto& some : found) std::ranges::move(some.drops, std::back_inserter(all));
    std::ranges::stable_sort(all, std::ranges::greater{}, &broker::Drop::at);
    all.resize(std::min(all.size(), found.front().count_max));
    const auto wall_now = std::chrono::system_clock::now();
    std::vector<Json> newest_first;
    std::size_t bytes = 0;
    for (const auto& drop : all) {
        bytes += drop.client_id.size() + drop.topic.size();
        if (bytes > names_bytes_max) break;
        newest_first.push_back(
            {{"time", to_text(wall_now - std::chrono::duration_cast<WallTime::duration>(now - drop.at))},
             {"client", drop.client_id},
             {"topic", drop.topic},
             {"reason", to_string(drop.reason)}});
    }
    std::ranges::reverse(newest_first);
    const auto left_out = all.size() - newest_first.size();
    return {{"drops", std::move(newest_first)}, {"left_out", left_out}};
}

std::expected<RefusalQuery, std::string> refusal_query(const Json& request) {
    TRY(check_members(request, {"what", "client", "user", "topic", "count"}));
    RefusalQuery query;
    query.what = TRY(text_member(request, "what"));
    query.client = TRY(text_member(request, "client"));
    query.user = TRY(text_member(request, "user"));
    query.topic = TRY(text_member(request, "topic"));
    TRY(check_filter(query.topic));
    const auto kinds = RefusalLog::kinds();
    if (!query.what || std::ranges::find(kinds, *query.what) != kinds.end()) return query;
    return std::unexpected(fmt::format("what cannot be \"{}\"; there are: {}", *query.what, fmt::join(kinds, ", ")));
}

// Members that say nothing are left out.
Json to_json(const Refusal& refusal) {
    Json json{{"time", to_text(refusal.at)}, {"what", refusal.what}, {"client", refusal.client_id}};
    const auto add = [&](const char* name, std::string_view value) {
        if (!value.empty()) json[name] = value;
    };
    add("user", refusal.user_name);
    add("address", refusal.address);
    add("topic", refusal.topic);
    add("code", refusal.code);
    add("reason", refusal.reason);
    return json;
}

// The newest, and of them those that one answer has room for.
Json to_json(const std::vector<Refusal>& refusals) {
    std::vector<Json> newest_first;
    std::size_t bytes = 0;
    for (auto at = refusals.rbegin(); at != refusals.rend(); ++at) {
        bytes += at->client_id.size() + at->user_name.size() + at->topic.size() + at->reason.size();
        if (bytes > names_bytes_max) break;
        newest_first.push_back(to_json(*at));
    }
    std::ranges::reverse(newest_first);
    const auto left_out = refusals.size() - newest_first.size();
    return {{"refusals", std::move(newest_first)}, {"left_out", left_out}};
}

// Asks each shard on its own thread and, when the last has answered, hands all answers to `done` on the main thread.
template <class Answer>
void ask_shards(net::EventLoop& loop, const std::vector<std::unique_ptr<ShardThread>>& shards,
                std::function<Answer(Shard&, Instant)> ask, std::function<void(std::vector<Answer>)> done) {
    struct Gathered {
        std::vector<Answer> answers;
        std::size_t missing;
    };
    auto gathered = std::make_shared<Gathered>(Gathered{.answers = {}, .missing = shards.size()});
    for (const auto& thread : shards) {
        thread->with_shard([&loop, ask, done, gathered](Shard& shard, Instant now) {
            loop.post([answer = ask(shard, now), done, gathered]() mutable {
                gathered->answers.push_back(std::move(answer));
                if (--gathered->missing == 0) done(std::move(gathered->answers));
            });
        });
    }
}

struct RedirectRequest {
    broker::Redirect redirect;
    std::optional<std::string> client;
    bool new_clients = false;
    bool stop = false;
};

std::expected<RedirectRequest, std::string> redirect_request(const Json& request) {
    TRY(check_members(request, {"to", "permanent", "client", "new_clients", "stop"}));
    RedirectRequest wanted;
    wanted.client = TRY(text_member(request, "client"));
    wanted.new_clients = TRY(flag_member(request, "new_clients"));
    wanted.stop = TRY(flag_member(request, "stop"));
    wanted.redirect.permanent = TRY(flag_member(request, "permanent"));
    wanted.redirect.server_reference = TRY(text_member(request, "to")).value_or("");
    if (!wanted.stop && wanted.redirect.server_reference.empty()) {
        return std::unexpected("\"to\" must name the other server, as in \"broker2.example.org:1883\"");
    }
    const auto& to = wanted.redirect.server_reference;  // 1.5.4 says what a text is that clients can be sent.
    if (to.size() > server_reference_length_max || !mqtt::is_valid_utf8(to)) {
        return std::unexpected(
            fmt::format("\"to\" must be a text of at most {} bytes that MQTT can carry", server_reference_length_max));
    }
    return wanted;
}

}  // namespace

// Where an answer goes. Empty: nobody asked for one.
struct Control::Reply {
    std::string topic;
    std::string correlation_data;
    bool has_correlation_data = false;
};

Control::Control(net::EventLoop& loop, const std::vector<std::unique_ptr<ShardThread>>& shards,
                 const RefusalLog& refusals, BanDesk& bans, Publish publish)
    : loop_(loop), shards_(shards), refusals_(refusals), bans_(bans), publish_(std::move(publish)) {}

void Control::deliver(const broker::MessagePtr& message) {
    loop_.post([this, message] { perform(message); });
}

void Control::perform(const broker::MessagePtr& message) {
    const auto properties = mqtt::decode_forwarded_properties(message->properties());
    ASSERT(properties);  // The broker encoded them itself.
    Reply reply;
    reply.topic = properties->response_topic.value_or("");
    reply.has_correlation_data = properties->correlation_data.has_value();
    reply.correlation_data = as_text(properties->correlation_data.value_or(Bytes{}));

    const auto command = message->topic().substr(std::min(control_prefix.size(), message->topic().size()));
    const auto payload = as_text(message->payload());
    const auto request = payload.empty() ? Json::object() : Json::parse(payload, nullptr, false);
    if (!request.is_object()) return answer(reply, failure("the request must be a JSON object"));

    if (command == "drops") return list_drops(request, reply);
    if (command == "redirect") return redirect(request, reply);
    if (command == "disconnect") return disconnect(request, reply);
    if (command == "refusals") return list_refusals(request, reply);
    if (is_ban_command(command))
        return answer(reply, answer_ban_command(command, request, bans_, accounts::seconds_since_1970()));
    answer(reply,
           failure(fmt::format(
               "unknown command \"{}\"; there are: ban, bans, disconnect, drops, redirect, refusals, unban", command)));
}

void Control::list_drops(const Json& request, const Reply& reply) {
    const auto query = drop_query(request);
    if (!query) return answer(reply, failure(query.error()));
    ask_shards<FoundDrops>(
        loop_, shards_, [query = *query](Shard& shard, Instant) { return find_drops(shard, query); },
        [this, reply](std::vector<FoundDrops> found) { answer(reply, dump(to_json(std::move(found), loop_.now()))); });
}

void Control::list_refusals(const Json& request, const Reply& reply) {
    const auto query = refusal_query(request);
    if (!query) return answer(reply, failure(query.error()));
    const auto count = count_member(request, "count");
    if (!count) return answer(reply, failure(count.error()));
    answer(reply, dump(to_json(refusals_.find(*query, count->value_or(std::numeric_limits<std::size_t>::max())))));
}

void Control::redirect(const Json& request, const Reply& reply) {
    const auto wanted = redirect_request(request);
    if (!wanted) return answer(reply, failure(wanted.error()));
    ask_shards<std::size_t>(
        loop_, shards_,
        [wanted = *wanted](Shard& shard, Instant now) -> std::size_t {
            if (wanted.stop) {
                shard.redirect_new_clients({});
                return 0;
            }
            if (wanted.new_clients) shard.redirect_new_clients(wanted.redirect);
            return shard.redirect_clients(wanted.client, wanted.redirect, now);
        },
        [this, reply](const std::vector<std::size_t>& counts) {
            std::size_t redirected = 0;
            for (const auto count : counts) redirected += count;
            answer(reply, dump({{"redirected", redirected}}));
        });
}

void Control::disconnect(const Json& request, const Reply& reply) {
    const auto client = text_member(request, "client");
    if (!client || !*client) return answer(reply, failure("\"client\" must be the client identifier"));
    ask_shards<bool>(
        loop_, shards_,
        [client = **client](Shard& shard, Instant now) {
            return shard.disconnect_client(client, mqtt::ReasonCode::AdministrativeAction, now);
        },
        [this, reply](const std::vector<bool>& found) {
            answer(reply, dump({{"disconnected", std::ranges::find(found, true) != found.end()}}));
        });
}

void Control::answer(const Reply& reply, std::string_view json) {
    if (!mqtt::is_valid_topic_name(reply.topic)) return;
    mqtt::MessageProperties properties{.payload_format_indicator = 1, .content_type = "application/json"};
    if (reply.has_correlation_data) properties.correlation_data = as_bytes(reply.correlation_data);
    Buffer encoded;
    mqtt::encode_forwarded_properties(properties, encoded);
    publish_(broker::Message::create({.topic = reply.topic,
                                      .payload = as_bytes(json),
                                      .properties = encoded.bytes(),
                                      .qos = mqtt::QoS::AtLeastOnce}));
}

}  // namespace chappe::server
