#include "access/decision_record.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <nlohmann/json.hpp>

#include "accounts/utc.h"

namespace chappe::access {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> access_names{"publish", "subscribe", "receive"};  // As Access counts.

std::int64_t day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count(); }

std::shared_ptr<const broker::Attributes> attributes_in(const json& line) {
    auto attributes = std::make_shared<broker::Attributes>();
    attributes->roles = line.value("roles", std::vector<std::string>());
    attributes->certificate_name = line.value("certificate_name", "");
    const auto claims = line.value("claims", json::object());  // Of its own: g++ 12 would end it before the loop.
    for (const auto& [name, value] : claims.items()) {
        attributes->claims.emplace_back(name, value.get<std::string>());
    }
    return attributes;
}

RecordedDecision decision_in(const json& line) {
    RecordedDecision made;
    made.who.user_name = line.value("user", "");
    made.who.client_id = line.value("client", "");
    made.who.attributes = attributes_in(line);
    made.topic = line.at("topic").get<std::string>();
    made.qos = static_cast<mqtt::QoS>(std::min(line.value("qos", 0U), 2U));
    made.retain = line.value("retain", false);
    made.shared = line.value("shared", false);
    made.allowed = line.at("allowed").get<bool>();
    const auto* access = std::ranges::find(access_names, line.at("action").get<std::string>());
    if (access == access_names.end()) throw json::other_error::create(501, "there is no such action", &line);
    made.access = static_cast<broker::Access>(access - access_names.begin());
    return made;
}

}  // namespace

std::string line_of(const broker::Question& question, bool allowed, WallTime at) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
    json line = {{"time", accounts::utc(seconds)},
                 {"user", question.who.user_name},
                 {"client", question.who.client_id},
                 {"action", access_names[static_cast<std::size_t>(question.access)]},
                 {"topic", question.topic},
                 {"qos", static_cast<unsigned>(question.qos)},
                 {"allowed", allowed}};
    if (question.retain) line["retain"] = true;
    if (question.shared) line["shared"] = true;
    if (const auto& attributes = question.who.attributes) {
        if (!attributes->roles.empty()) line["roles"] = attributes->roles;
        if (!attributes->certificate_name.empty()) line["certificate_name"] = attributes->certificate_name;
        for (const auto& [name, value] : attributes->claims) line["claims"][name] = value;
    }
    return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::expected<RecordedDecision, std::string> parse_decision(std::string_view line) {
    const auto parsed = json::parse(line, nullptr, false);
    if (!parsed.is_object()) return std::unexpected("is not an object of JSON");
    try {
        return decision_in(parsed);
    } catch (const json::exception&) {
        return std::unexpected("is not a decision: it has no action, topic and allowed, or not as they should be");
    }
}

void DecisionRecord::enable(Sink sink, std::function<void()> full) {
    const std::scoped_lock lock(mutex_);
    sink_ = std::move(sink);
    full_ = std::move(full);
    is_enabled_ = sink_ != nullptr;
    kinds_ = {};
}

void DecisionRecord::record(const broker::Question& question, bool allowed, WallTime now) {
    const auto kind = kind_of(question, allowed);
    const std::scoped_lock lock(mutex_);
    if (!sink_) return;
    if (std::exchange(day_, day_of(now)) != day_) kinds_.clear();
    if (kinds_.size() >= per_day_max || !kinds_.insert(kind).second) return;
    sink_(line_of(question, allowed, now));
    if (kinds_.size() == per_day_max && full_) full_();
}

// Clients that choose a new identifier each time would make all of their decisions different ones, so it counts only
// where the topic has it.
std::uint64_t DecisionRecord::kind_of(const broker::Question& question, bool allowed) const {
    const auto& who = question.who;
    const bool names_client = !who.client_id.empty() && question.topic.contains(who.client_id);
    const auto flags = static_cast<std::uint32_t>(question.access) << 8 |
                       static_cast<std::uint32_t>(question.qos) << 4 | std::uint32_t{question.retain} << 2 |
                       std::uint32_t{question.shared} << 1 | std::uint32_t{allowed};
    auto kind = TextHash::combine(hash_(question.topic), flags);
    const auto add = [&](std::string_view text) { kind = hash_.of_numbers(kind, hash_(text)); };
    add(who.user_name);
    add(names_client ? std::string_view(who.client_id) : std::string_view());
    if (!who.attributes) return kind;
    for (const auto& role : who.attributes->roles) add(role);
    add(who.attributes->certificate_name);
    return kind;
}

}  // namespace chappe::access
