#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "client/event.h"
#include "client/packet_ids.h"
#include "client/server_limits.h"

namespace chappe::client {

// SUBSCRIBE and UNSUBSCRIBE that wait for their answer, and the subscriptions that the server has granted. Both outlive
// the connection: what was not answered is asked again, and what the server has forgotten is subscribed again.
class Requests {
public:
    RequestToken subscribe(std::vector<Subscription> subscriptions, OwnedUserProperties user_properties);
    RequestToken unsubscribe(std::vector<std::string> filters, OwnedUserProperties user_properties);

    // A connection begins. Without a session the granted subscriptions are asked for again, before anything else.
    void resume(bool session_present, PacketIds& ids);

    // Appends what has not been sent on this connection. Requests that the server's limits forbid are not sent but
    // answered in `events`.
    void send(mqtt::ProtocolVersion version, const ServerLimits& limits, PacketIds& ids, Buffer& out, Events& events);

    // The answers. Fail where nothing waits for them, or with the wrong number of reason codes ([MQTT-3.8.4-6]).
    [[nodiscard]] mqtt::Result<event::Subscribed> on_suback(const mqtt::SubAck& packet, PacketIds& ids);
    [[nodiscard]] mqtt::Result<event::Unsubscribed> on_unsuback(const mqtt::UnsubAck& packet, PacketIds& ids);

    [[nodiscard]] bool idle() const noexcept { return requests_.empty(); }
    [[nodiscard]] bool unsent() const noexcept;

private:
    using Filters = std::vector<std::string>;

    struct Request {
        RequestToken token;
        mqtt::PacketId packet_id;  // 0 until it is sent.
        std::variant<std::vector<Subscription>, Filters> what;
        OwnedUserProperties user_properties;
    };
    using Entry = std::deque<Request>::iterator;

    void subscribe_again();
    [[nodiscard]] Entry find(mqtt::PacketId id);
    template <class Use>
    static void with_packet(const Request& request, mqtt::PacketId id, Use use);
    [[nodiscard]] static std::optional<mqtt::Error> refusal_of(const Request& request, mqtt::ProtocolVersion version,
                                                               const ServerLimits& limits);
    static void answer(Request& request, const mqtt::Error& refusal, Events& events);
    void granted(const Subscription& subscription);
    void forgotten(std::string_view filter);

    std::uint64_t last_token_ = 0;
    std::deque<Request> requests_;
    std::vector<Subscription> granted_;
};

}  // namespace chappe::client
