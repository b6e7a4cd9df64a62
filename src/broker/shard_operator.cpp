// What an operator asks of a shard.

#include <utility>

#include "broker/shard.h"

namespace chappe::broker {

using mqtt::ReasonCode;

void Shard::configure(ShardConfig config) {
    config_ = std::move(config);
    drop_log_.keep(config_.drops_kept);
    if (id_.value == 0)
        commons_.retained.limits(config_.limits.retained_messages_max, config_.limits.retained_bytes_max);
}

bool Shard::disconnect_client(std::string_view client_id, ReasonCode code, Instant now) {
    const auto* session = find_session(client_id);
    if (session == nullptr || !session->connected()) return false;
    close(*session->connection(), code, "the operator ended the connection", now);
    return true;
}

std::size_t Shard::redirect_clients(std::optional<std::string_view> client_id, const Redirect& redirect, Instant now) {
    std::size_t redirected = 0;
    const auto code = redirect.permanent ? ReasonCode::ServerMoved : ReasonCode::UseAnotherServer;
    connections_.for_each([&](Connection& connection) {
        if (connection.state != Connection::State::Connected || !connection.v5()) return;
        if (connection.peer.is_operator) return;  // Who else should send them back?
        if (client_id && connection.identity.client_id != *client_id) return;
        close(connection, code, "the operator sends clients to another server", now, SessionFate::AsAgreed, &redirect);
        ++redirected;
    });
    return redirected;
}

// A server that is about to stop has no later time to publish these wills, and after shut_down() nobody would be there
// to get them. A will with a delay is due where the session ends with the connection ([MQTT-3.1.2-8]).
void Shard::begin_shutdown(Instant now) {
    shutting_down_ = true;
    connections_.for_each([&](Connection& connection) {
        auto* session = session_of(connection);
        if (session == nullptr || !session->will) return;
        const bool is_due = session->will->delay_interval_seconds == 0 || session->expiry_interval_seconds == 0;
        if (is_due) publish_will(*session, now);
    });
}

void Shard::shut_down(Instant now) {
    ASSERT(shutting_down_);
    connections_.for_each([&](Connection& connection) {
        close(connection, ReasonCode::ServerShuttingDown, "the server is shutting down", now);
    });
}

}  // namespace chappe::broker
