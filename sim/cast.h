#pragma once

// Who takes part in a story.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/device.h"

namespace chappe::sim {

struct Publisher {
    struct Topic {
        std::string name;
        mqtt::QoS qos;  // One for each topic, since order holds between messages of the same QoS only.
    };

    std::unique_ptr<Device> device;
    std::vector<Topic> topics;
    std::uint64_t next = 0;
};

// A client from one clean start to the next: it has one session.
struct Life {
    std::unique_ptr<Device> device;
    std::optional<Instant> ended_at;  // Its successor set out to connect.
};

struct Subscriber {
    std::string filter;  // As subscribed.
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    std::vector<Life> lives;

    [[nodiscard]] Device& device() const { return *lives.back().device; }
};

// A client with a will, which is another one for each of its connections. Each connection is a Device that does not
// come back; the next may set out before the last one is gone.
struct Testator {
    std::string name;
    mqtt::QoS qos;
    std::vector<std::unique_ptr<Device>> connections;

    [[nodiscard]] std::string topic() const { return "t/" + name + "/will"; }
    [[nodiscard]] Device& device() const { return *connections.back(); }
    // Whether it believes what the broker does, which is connected to it by this connection or by none: a CONNECT that
    // was sent before another may arrive after it, and either end may not know yet that a connection is broken.
    [[nodiscard]] bool agrees(std::optional<std::uint64_t> connection) const {
        std::size_t believed = 0;
        for (const auto& device : connections) {
            if (!device->connected()) continue;
            if (device->connection() != connection) return false;
            ++believed;
        }
        return believed == (connection ? 1U : 0U);
    }
};

struct Cast {
    std::vector<Publisher> publishers;
    std::vector<Subscriber> subscribers;
    std::vector<Subscriber> members;  // Of one shared subscription.
    std::vector<Testator> testators;

    // All that come back when their connection breaks.
    template <class Visit>
    void for_each_lasting(Visit visit) const {
        for (const auto& publisher : publishers) visit(*publisher.device);
        for (const auto& subscriber : subscribers) visit(subscriber.device());
        for (const auto& member : members) visit(member.device());
    }

    // Those of the past included.
    template <class Visit>
    void for_each_device(Visit visit) const {
        for (const auto& publisher : publishers) visit(*publisher.device);
        for (const auto* group : {&subscribers, &members}) {
            for (const auto& subscriber : *group) {
                for (const auto& life : subscriber.lives) visit(*life.device);
            }
        }
        for (const auto& testator : testators) {
            for (const auto& connection : testator.connections) visit(*connection);
        }
    }
};

}  // namespace chappe::sim
