#include "sim/session_book.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <variant>

namespace chappe::sim {
namespace {

Duration session_expiry(std::uint32_t seconds) {
    return seconds == mqtt::session_never_expires ? Duration::max() : Duration{std::chrono::seconds{seconds}};
}

Duration session_expiry(const mqtt::Connect& connect) {
    if (connect.version == mqtt::ProtocolVersion::V5) {
        return session_expiry(connect.session_expiry_interval_seconds.value_or(0));
    }
    return connect.clean_start ? Duration{} : Duration::max();
}

Instant after(Instant now, Duration time) { return time == Duration::max() ? Instant::max() : now + time; }

std::uint64_t number_of(std::string_view address) {
    std::uint64_t number = 0;
    std::from_chars(address.data(), address.data() + address.size(), number);
    return number;
}

}  // namespace

void SessionBook::sent(std::uint64_t connection, const mqtt::Packet& packet) {
    auto& known = connections_[connection];
    if (const auto* disconnect = std::get_if<mqtt::Disconnect>(&packet)) {
        if (const auto seconds = disconnect->session_expiry_interval_seconds) {
            known.session_expiry_of_disconnect = session_expiry(*seconds);
        }
    }
    if (const auto* connect = std::get_if<mqtt::Connect>(&packet)) {
        known.clean_start = connect->clean_start;
        known.session_expiry = session_expiry(*connect);
        if (!connect->will) return;
        const auto& will = *connect->will;
        known.will = wills_.size();
        wills_.push_back({.topic = std::string(will.topic),
                          .payload = std::string(as_text(will.payload)),
                          .qos = will.qos,
                          .retain = will.retain,
                          .delay = std::chrono::seconds{will.delay_interval_seconds},
                          .message_expiry_seconds = will.properties.message_expiry_interval_seconds,
                          .due = {},
                          .published = {}});
    }
}

void SessionBook::received(std::uint64_t connection, const mqtt::ConnAck& packet) {
    const auto expected = connections_[connection].session_present;
    if (packet.reason_code != mqtt::ReasonCode::Success || packet.session_present == expected) return;
    faults_.push_back("connection " + std::to_string(connection) + " was told that its session is " +
                      (expected ? "new, and it is not" : "there, and it had ended"));
}

void SessionBook::on_event(const broker::Event& event, Instant now) {
    const auto number = number_of(event.address);
    auto& session = sessions_[std::string(event.client_id)];
    if (event.kind == broker::EventKind::ClientConnected) begin(session, number, now);
    if (event.kind == broker::EventKind::ClientDisconnected && session.connection == number) {
        end(session, connections_[number], event.code, now);
    }
}

void SessionBook::begin(Session& session, std::uint64_t number, Instant now) {
    auto& connection = connections_[number];
    if (session.connection) faults_.emplace_back("one client has two connections");
    connection.session_present = !connection.clean_start && session.ends_at > now;
    session.connection = number;
    if (!session.will) return;
    auto& due = wills_[*session.will].due;
    session.will.reset();
    if (due <= now) return;  // Or never.
    if (connection.session_present) {
        due.reset();  // [MQTT-3.1.3-9]
    } else {
        due = now;  // With the session that has just ended.
    }
}

void SessionBook::end(Session& session, Connection& connection, mqtt::ReasonCode code, Instant now) {
    session.connection.reset();
    const bool disconnected = !is_error(code);  // By the client, whose DISCONNECT has arrived.
    if (disconnected)
        connection.session_expiry = connection.session_expiry_of_disconnect.value_or(connection.session_expiry);
    session.ends_at = after(now, connection.session_expiry);
    if (!connection.will) return;
    session.will = connection.will;
    auto& will = wills_[*connection.will];
    if (code == mqtt::ReasonCode::Success) return;  // [MQTT-3.14.4-3]
    will.due = std::min(now + will.delay, session.ends_at);
}

void SessionBook::on_will(const broker::Message& message, Instant now) {
    const auto payload = as_text(message.payload());
    const auto will = std::ranges::find(wills_, payload, &Will::payload);
    if (will == wills_.end()) return faults_.push_back("the broker published a will that nobody has");
    will->published.push_back(now);
    will->order = ++published_;
    const bool same = message.topic() == will->topic && message.qos() == will->qos && message.retain() == will->retain;
    if (!same) faults_.push_back("the will " + will->payload + " has another topic, QoS or RETAIN than in CONNECT");
}

std::optional<std::uint64_t> SessionBook::connection(const std::string& client_id) const {
    const auto session = sessions_.find(client_id);
    return session == sessions_.end() ? std::nullopt : session->second.connection;
}

bool SessionBook::settled(Instant now) const {
    return std::ranges::none_of(wills_, [&](const Will& will) { return will.due && *will.due + lateness_max_ > now; });
}

std::vector<SessionBook::Will> SessionBook::wills_due() const {
    std::vector<Will> due;
    std::ranges::copy_if(wills_, std::back_inserter(due), [](const Will& will) { return will.due.has_value(); });
    std::ranges::sort(due, {}, &Will::order);
    return due;
}

std::vector<std::string> SessionBook::faults() const {
    auto found = faults_;
    for (const auto& will : wills_) {
        const auto times = will.published.size();
        if (!will.due && times != 0) found.push_back("the will " + will.payload + " was published, and was not due");
        if (!will.due) continue;
        if (times != 1)
            found.push_back("the will " + will.payload + " was published " + std::to_string(times) + " times");
        if (times == 0) continue;
        if (will.published.front() < *will.due)
            found.push_back("the will " + will.payload + " was published too early");
        if (will.published.front() > *will.due + lateness_max_) {
            found.push_back("the will " + will.payload + " was published too late");
        }
    }
    return found;
}

}  // namespace chappe::sim
