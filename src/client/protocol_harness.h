#pragma once

// For the tests: plays the network and the server against a Protocol, on virtual time.

#include <deque>
#include <string>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "client/protocol.h"
#include "mqtt/decoder.h"
#include "mqtt/encoder.h"

namespace chappe::client {

class ProtocolHarness {
public:
    explicit ProtocolHarness(Options options = {}) : protocol(std::move(options)) {}

    // --- What the server does

    template <class Packet>
    void send(const Packet& packet) {
        auto& bytes = kept_.emplace_back();
        mqtt::encode(packet, protocol.options().version, bytes);
        receive(bytes.bytes());
    }
    // Bytes that arrive together: as many packets as they hold.
    void receive(Bytes bytes) {
        while (!bytes.empty()) {
            const auto used = protocol.received(bytes, now, events);
            if (used == 0) return;
            bytes = bytes.subspan(used);
        }
    }
    mqtt::Connect accept(const mqtt::ConnAck& packet = {}) {
        protocol.open(now);
        auto connect = expect<mqtt::Connect>();
        send(packet);
        expect_event<event::Connected>();
        return connect;
    }
    event::Disconnected lose_connection(std::string_view reason = "reset") {
        protocol.closed(reason, events);
        return expect_event<event::Disconnected>();
    }
    void advance(Duration time) {
        now += time;
        if (now >= protocol.deadline()) protocol.tick(now, events);
    }

    // --- What the client has sent

    // The next packet; its views live as long as the harness.
    template <class Packet>
    Packet expect() {
        const auto frame = mqtt::frame(protocol.output().bytes(), mqtt::packet_size_limit);
        if (!frame || !*frame) {
            ADD_FAILURE() << "The client has sent nothing";
            return {};
        }
        auto& bytes = kept_.emplace_back();
        bytes.append(protocol.output().bytes().first((*frame)->size));
        protocol.output().consume((*frame)->size);
        const auto kept = mqtt::frame(bytes.bytes(), mqtt::packet_size_limit);
        const auto packet = mqtt::decode(**kept, protocol.options().version, mqtt::Sender::Client);
        if (!packet || !std::holds_alternative<Packet>(*packet)) {
            ADD_FAILURE() << "Another packet, of type " << to_string((*kept)->type)
                          << (packet ? "" : std::string(": ") + std::string(packet.error().reason));
            return {};
        }
        return std::get<Packet>(*packet);
    }
    [[nodiscard]] bool sent_nothing() { return protocol.output().empty(); }

    // --- What the caller was told

    template <class Kind>
    Kind expect_event() {
        if (next_event_ >= events.size() || !std::holds_alternative<Kind>(events[next_event_])) {
            ADD_FAILURE() << "Another event or none, of index "
                          << (next_event_ < events.size() ? static_cast<int>(events[next_event_].index()) : -1);
            return {};
        }
        return std::get<Kind>(events[next_event_++]);
    }
    [[nodiscard]] bool told_nothing() const { return next_event_ == events.size(); }

    PublishToken publish(std::string_view topic, std::string_view payload, mqtt::QoS qos = mqtt::QoS::AtMostOnce) {
        mqtt::Publish packet;
        packet.topic = topic;
        packet.payload = as_bytes(payload);
        packet.qos = qos;
        const auto token = protocol.publish(packet, now);
        EXPECT_TRUE(token.has_value());
        return token.value_or(PublishToken{});
    }

    Protocol protocol;
    Instant now = Instant(std::chrono::hours(1));
    Events events;

private:
    std::size_t next_event_ = 0;
    std::deque<Buffer> kept_;
};

// A PUBLISH of the server.
inline mqtt::Publish message(std::string_view topic, std::string_view payload, mqtt::QoS qos = mqtt::QoS::AtMostOnce,
                             std::uint16_t packet_id = 0) {
    mqtt::Publish packet;
    packet.topic = topic;
    packet.payload = as_bytes(payload);
    packet.qos = qos;
    packet.packet_id = {packet_id};
    return packet;
}

}  // namespace chappe::client
