#include "server/event_recorder.h"

#include <algorithm>
#include <string>

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

}  // namespace

void EventRecorder::record(const Event& event) {
    const auto name = to_string(event.kind);
    std::string text(name);
    std::ranges::replace(text, '_', ' ');
    const bool has_code = event.code != mqtt::ReasonCode::Success;
    logger_.write(level_of(event), name, text,
                  {{"client", event.client_id},
                   {"user", event.user_name},
                   {"address", event.address},
                   {"topic", event.topic},
                   {"code", has_code ? to_string(event.code) : std::string_view{}},
                   {"reason", event.reason},
                   {"method", event.method}});
}

}  // namespace chappe::server
