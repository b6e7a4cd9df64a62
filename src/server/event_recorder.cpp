#include "server/event_recorder.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <utility>

namespace chappe::server {
namespace {

using broker::Event;
using broker::EventKind;

LogLevel level_of(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::ClientConnected:
        case EventKind::SessionTakenOver:
        case EventKind::SessionExpired:
            return LogLevel::Info;
        case EventKind::ClientDisconnected:
            return event.code == mqtt::ReasonCode::Success || event.code == mqtt::ReasonCode::SessionTakenOver ||
                           event.code == mqtt::ReasonCode::ServerShuttingDown
                       ? LogLevel::Info
                       : LogLevel::Warning;
        case EventKind::ConnectRefused:
        case EventKind::SubscribeRefused:
        case EventKind::PublishRefused:
        case EventKind::SubscriptionRevoked:
        case EventKind::MessageDropped:
            return LogLevel::Warning;
    }
    return LogLevel::Info;
}

bool is_logged(EventKind kind, LoginsLogged which) noexcept {
    switch (which) {
        case LoginsLogged::Off:
            return false;
        case LoginsLogged::Refused:
            return is_refusal(kind);
        case LoginsLogged::All:
            return is_refusal(kind) || kind == EventKind::ClientConnected;
    }
    std::unreachable();
}

}  // namespace

void EventRecorder::write_logins(std::unique_ptr<RollingLog> logins, LoginsLogged which) noexcept {
    logins_ = std::move(logins);
    logins_logged_ = which;
}

void EventRecorder::record(const Event& event) {
    const auto name = to_string(event.kind);
    std::string text(name);
    std::ranges::replace(text, '_', ' ');
    const bool has_code = event.code != mqtt::ReasonCode::Success;
    const std::array fields{Field{"client", event.client_id},
                            Field{"user", event.user_name},
                            Field{"address", event.address},
                            Field{"topic", event.topic},
                            Field{"code", has_code ? to_string(event.code) : std::string_view{}},
                            Field{"reason", event.reason},
                            Field{"method", event.method}};
    const auto level = level_of(event);
    logger_.write(level, name, text, fields);
    if (event.kind == EventKind::MessageDropped) return;  // The only ones that may be many.
    const auto now = std::chrono::system_clock::now();
    refusals_.add(event, now);
    if (!logins_ || !is_logged(event.kind, logins_logged_)) return;
    logins_->write(format_line(LogFormat::Json, now, level, name, text, fields));
}

}  // namespace chappe::server
