#pragma once

// A client in the simulated world: the real client protocol over a World's network. It comes back when its connection
// broke, and writes down what became of its messages.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "client/protocol.h"
#include "sim/world.h"

namespace chappe::sim {

// A message as some device got it.
struct Received {
    std::string topic;
    std::string payload;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    Instant at;
};

// A message that a device published.
struct Sent {
    std::string topic;
    std::string payload;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool acknowledged = false;
    mqtt::ReasonCode code = mqtt::ReasonCode::Success;
};

class Device final : private Endpoint {
public:
    Device(World& world, client::Options options, Duration acknowledges_within);
    ~Device() override;

    // Connects, and does so again whenever the connection breaks.
    void start();
    // Says goodbye and stays away; the broker ends the session if it is told so.
    void leave(const mqtt::Disconnect& packet);
    // Breaks the connection. The device stays away for so long.
    void lose_connection(Cut how, Duration stays_away);
    void stall(Duration time);

    void subscribe(const std::string& filter, mqtt::SubscriptionOptions options);
    void publish(const std::string& topic, const std::string& payload, mqtt::QoS qos, bool retain = false);

    [[nodiscard]] bool connected() const noexcept { return protocol_.connected(); }
    [[nodiscard]] bool gone() const noexcept { return !wanted_ && !link_; }
    [[nodiscard]] bool subscribed() const noexcept { return subscribed_; }
    [[nodiscard]] bool idle() const noexcept { return protocol_.unfinished() == 0 && unacknowledged_ == 0; }
    [[nodiscard]] const std::vector<Received>& received() const noexcept { return received_; }
    [[nodiscard]] const std::map<client::PublishToken, Sent>& sent() const noexcept { return sent_; }
    // What the broker did that no broker may do.
    [[nodiscard]] const std::vector<std::string>& complaints() const noexcept { return complaints_; }
    [[nodiscard]] const std::string& name() const noexcept { return protocol_.options().client_id; }
    [[nodiscard]] const client::Options& options() const noexcept { return protocol_.options(); }

private:
    void on_bytes(Bytes bytes) override;
    void on_closed() override;

    void connect();
    void connection_ended(std::string_view why);
    void after_call();
    void handle(const client::Event& event);
    void on_message(const client::event::Message& message);
    void set_timer();

    World& world_;
    client::Protocol protocol_;
    Duration acknowledges_within_;
    World::LinkPtr link_;
    Buffer input_;
    bool wanted_ = false;
    bool subscribed_ = false;
    Duration stays_away_{};
    Instant timer_set_ = Instant::max();
    std::size_t unacknowledged_ = 0;
    client::Events events_;
    std::vector<Received> received_;
    std::map<client::PublishToken, Sent> sent_;
    std::vector<std::string> complaints_;
    // Tasks that are still under way when the device goes find this gone.
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace chappe::sim
