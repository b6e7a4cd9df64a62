#include "server/sys_topics.h"

#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/version.h"

namespace chappe::server {

void Totals::add(const broker::Counters& counters) {
    bytes_received += counters.bytes_received.value();
    bytes_sent += counters.bytes_sent.value();
    packets_received += counters.packets_received.value();
    packets_sent += counters.packets_sent.value();
    publish_received += counters.publish_received.value();
    publish_sent += counters.publish_sent.value();
    publish_bytes_received += counters.publish_bytes_received.value();
    publish_bytes_sent += counters.publish_bytes_sent.value();
    sockets_accepted += counters.sockets_accepted.value();
    connects_received += counters.connects_received.value();
    connects_refused += counters.connects_refused.value();
    connections += counters.connections.value();
    clients_connected += counters.clients_connected.value();
    sessions += counters.sessions.value();
    sessions_expired += counters.sessions_expired.value();
    inflight_messages += counters.inflight_messages.value();
    inflight_bytes += counters.inflight_bytes.value();
    queued_messages += counters.queued_messages.value();
    queued_bytes += counters.queued_bytes.value();
    queued_payload_bytes += counters.queued_payload_bytes.value();
    shared_subscriptions += counters.shared_subscriptions.value();
    for (std::size_t bound = 0; bound != bounds_reached.size(); ++bound) {
        bounds_reached[bound] += counters.bounds_reached[bound].value();
    }
    for (std::size_t reason = 0; reason != drops.size(); ++reason) {
        drops[reason] += counters.drops[reason].value();
    }
}

// What Mosquitto counts as dropped: for want of room with the subscriber.
std::uint64_t Totals::publish_dropped() const noexcept {
    using enum broker::DropReason;
    std::uint64_t sum = 0;
    for (const auto reason : {QueueFull, QueuesFull, Rejected, UnsentFull}) {
        sum += drops[static_cast<std::size_t>(reason)];
    }
    return sum;
}

void LoadAverages::update(std::uint64_t total, Duration elapsed) {
    const auto elapsed_minutes = std::chrono::duration<double, std::ratio<60>>(elapsed).count();
    if (elapsed_minutes <= 0) return;
    const auto per_minute = static_cast<double>(total - std::exchange(last_total_, total)) / elapsed_minutes;
    for (std::size_t index = 0; index != minutes.size(); ++index) {
        const auto weight = std::exp(-elapsed_minutes / minutes[index]);
        averages_[index] = per_minute + weight * (averages_[index] - per_minute);
    }
}

SysTopics::SysTopics(const broker::Commons& commons, Publish publish, Instant started_at)
    : commons_(commons), publish_(std::move(publish)), started_at_(started_at), updated_at_(started_at) {}

void SysTopics::set(std::string_view topic, std::string_view value) {
    auto [found, is_new] = published_.try_emplace(fmt::format("$SYS/broker/{}", topic));
    if (!is_new && found->second == value) return;
    found->second = value;
    publish_(found->first, value);
}

void SysTopics::set(std::string_view topic, std::uint64_t value) { set(topic, std::to_string(value)); }

void SysTopics::set_load(std::string_view name, LoadAverages& averages, std::uint64_t total, Duration elapsed) {
    averages.update(total, elapsed);
    for (std::size_t index = 0; index != LoadAverages::minutes.size(); ++index) {
        set(fmt::format("load/{}/{}min", name, LoadAverages::minutes[index]),
            fmt::format("{:.2f}", averages.average(index)));
    }
}

void SysTopics::update(const Totals& totals, Instant now) {
    const auto uptime = std::chrono::floor<std::chrono::seconds>(now - started_at_);
    set("version", fmt::format("chappe version {}", version()));
    set("uptime", fmt::format("{} seconds", uptime.count()));
    update_clients(totals);
    update_messages(totals);
    update_loads(totals, now - std::exchange(updated_at_, now));
    update_own(totals);
}

void SysTopics::update_clients(const Totals& totals) {
    clients_maximum_ = std::max(clients_maximum_, totals.clients_connected);
    const auto disconnected = totals.sessions - std::min(totals.sessions, totals.clients_connected);
    set("clients/connected", totals.clients_connected);
    set("clients/active", totals.clients_connected);
    set("clients/disconnected", disconnected);
    set("clients/inactive", disconnected);
    set("clients/total", totals.sessions);
    set("clients/maximum", clients_maximum_);
    set("clients/expired", totals.sessions_expired);
    // The broker's own, one for each feature that subscribes, are nobody's business.
    const auto others = commons_.local_subscribers.size() + totals.shared_subscriptions;
    const auto all = commons_.tree.subscription_count();
    set("subscriptions/count", all - std::min(others, all));
    set("shared_subscriptions/count", totals.shared_subscriptions);
}

void SysTopics::update_messages(const Totals& totals) {
    const auto stored = commons_.retained.count() + totals.queued_messages + totals.inflight_messages;
    set("messages/received", totals.packets_received);
    set("messages/sent", totals.packets_sent);
    set("messages/stored", stored);
    set("store/messages/count", stored);
    set("store/messages/bytes", commons_.retained.payload_bytes() + totals.queued_payload_bytes);
    set("messages/inflight", totals.inflight_messages);
    set("retained messages/count", commons_.retained.count());
    set("publish/messages/received", totals.publish_received);
    set("publish/messages/sent", totals.publish_sent);
    set("publish/messages/dropped", totals.publish_dropped());
    set("publish/bytes/received", totals.publish_bytes_received);
    set("publish/bytes/sent", totals.publish_bytes_sent);
    set("bytes/received", totals.bytes_received);
    set("bytes/sent", totals.bytes_sent);
    const auto heap = mallinfo2().uordblks;
    heap_maximum_ = std::max<std::uint64_t>(heap_maximum_, heap);
    set("heap/current", heap);
    set("heap/maximum", heap_maximum_);
}

void SysTopics::update_loads(const Totals& totals, Duration elapsed) {
    set_load("messages/received", messages_received_, totals.packets_received, elapsed);
    set_load("messages/sent", messages_sent_, totals.packets_sent, elapsed);
    set_load("publish/received", publish_received_, totals.publish_received, elapsed);
    set_load("publish/sent", publish_sent_, totals.publish_sent, elapsed);
    set_load("publish/dropped", publish_dropped_, totals.publish_dropped(), elapsed);
    set_load("bytes/received", bytes_received_, totals.bytes_received, elapsed);
    set_load("bytes/sent", bytes_sent_, totals.bytes_sent, elapsed);
    set_load("sockets", sockets_, totals.sockets_accepted, elapsed);
    set_load("connections", connections_, totals.connects_received, elapsed);
}

void SysTopics::update_own(const Totals& totals) {
    for (std::size_t reason = 0; reason != totals.drops.size(); ++reason) {
        set(fmt::format("chappe/drops/{}", to_string(static_cast<broker::DropReason>(reason))), totals.drops[reason]);
    }
    set("chappe/connections", totals.connections);
    set("chappe/connects/refused", totals.connects_refused);
    set("chappe/connects/banned", totals.banned);
    set("chappe/connections/before_login", commons_.connections_before_login.load(std::memory_order_relaxed));
    set("chappe/queued/messages", totals.queued_messages);
    set("chappe/queued/bytes", totals.queued_bytes);
    set("chappe/inflight/messages", totals.inflight_messages);
    set("chappe/inflight/bytes", totals.inflight_bytes);
    set("chappe/unsent/bytes", commons_.unsent_bytes.value());
    set("chappe/unfinished/bytes", commons_.unfinished_bytes.load(std::memory_order_relaxed));
    set("chappe/subscriptions/bytes", commons_.subscription_bytes());
    set("chappe/sessions/bytes", commons_.session_bytes.load(std::memory_order_relaxed));
    set("chappe/retained/bytes", commons_.retained.bytes());
    set("chappe/log/lines/lost", totals.log_lines_lost);
    for (std::size_t bound = 0; bound != totals.bounds_reached.size(); ++bound) {
        set(fmt::format("chappe/limits/{}", to_string(static_cast<broker::Bound>(bound))),
            totals.bounds_reached[bound]);
    }
    set("chappe/limits/listener_connections_max", totals.refused_by_listeners);
}

}  // namespace chappe::server
