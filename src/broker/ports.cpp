#include "broker/ports.h"

#include <array>

namespace chappe::broker {

std::string_view to_string(EventKind kind) noexcept {
    static constexpr std::array<std::string_view, 9> names = {
        "client_connected",  "client_disconnected", "connect_refused",      "session_taken_over", "session_expired",
        "subscribe_refused", "publish_refused",     "subscription_revoked", "message_dropped"};
    return names[static_cast<std::size_t>(kind)];
}

std::size_t Attributes::size_bytes() const noexcept {
    auto bytes = sizeof(Attributes) + certificate_name.size();
    for (const auto& role : roles) bytes += sizeof(std::string) + role.size();
    for (const auto& claim : claims)
        bytes += sizeof(std::pair<std::string, std::string>) + claim.first.size() + claim.second.size();
    return bytes;
}

bool Permissions::restricts_receiving_of(const Identity&) const noexcept { return true; }

bool may_receive(const Permissions& permissions, const Identity& who, const Message& message) {
    if (!permissions.restricts_receiving()) return true;
    return permissions
        .decide({.who = who,
                 .access = Access::Receive,
                 .topic = message.topic(),
                 .qos = message.qos(),
                 .retain = message.retain()})
        .allowed;
}

}  // namespace chappe::broker
