#pragma once

// A client in the simulated world: the real client protocol over a World's network. It comes back when its connection
// broke, and writes down what became of its messages.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/protocol.h"
#include "sim/session_book.h"
#include "sim/wire_check.h"
#include "sim/world.h"

namespace chappe::sim {

// A message as some device got it.
struct Received {
    std::string topic;
    std::string payload;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    std::optional<std::uint32_t> expiry_seconds_left;
    Instant at;
    bool refused = false;  // Answered with a reason code of 0x80 or more.
};

// A message that a device published.
struct Sent {
    std::string topic;
    std::string payload;
    mqtt::QoS qos = mqtt::QoS::AtMostOnce;
    bool retain = false;
    std::optional<std::uint32_t> expiry_seconds;
    Instant at;
    std::optional<Instant> acknowledged_at;
    mqtt::ReasonCode code = mqtt::ReasonCode::Success;
};

// What a device does beyond what its client::Options say.
struct Habits {
    Duration acknowledges_within{};    // With Acknowledge::ByCaller.
    std::uint64_t refuses_one_in = 0;  // Of what it acknowledges itself; 0: nothing.
    std::uint16_t receive_maximum_max =
        0;                   // Another Receive Maximum up to this on each connection; 0: always the same.
    bool comes_back = true;  // Connects again whenever the connection breaks.
    bool shares = false;     // Is a member of a shared subscription.
};

class Device final : private Endpoint {
public:
    Device(World& world, SessionBook& book, client::Options options, const Habits& habits);
    ~Device() override;

    void start();
    // From now on it does not come back when its connection breaks.
    void resign() noexcept { wanted_ = false; }
    // Says goodbye and stays away; the broker ends the session if it is told so.
    void leave(const mqtt::Disconnect& packet);
    // Breaks the connection. The device stays away for so long.
    void lose_connection(Cut how, Duration stays_away);
    void stall(Duration time);

    void subscribe(const std::string& filter, mqtt::SubscriptionOptions options);
    // False: it has too much to publish already.
    bool publish(Sent message);

    [[nodiscard]] bool connected() const noexcept { return protocol_.connected(); }
    // Its number in the World.
    [[nodiscard]] std::optional<std::uint64_t> connection() const;
    [[nodiscard]] bool gone() const noexcept { return !wanted_ && !link_; }
    [[nodiscard]] std::optional<Instant> subscribed_at() const noexcept { return subscribed_at_; }
    [[nodiscard]] bool idle() const noexcept { return protocol_.unfinished() == 0 && unacknowledged_ == 0; }
    [[nodiscard]] const std::vector<Received>& received() const noexcept { return received_; }
    [[nodiscard]] const std::map<client::PublishToken, Sent>& sent() const noexcept { return sent_; }
    // What the broker did that no broker may do.
    [[nodiscard]] std::vector<std::string> complaints() const;
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
    void acknowledge(client::DeliveryToken token, std::size_t index);
    void note_sent(Bytes packets);
    void note_received(Bytes packet);
    void set_timer();

    World& world_;
    SessionBook& book_;
    client::Protocol protocol_;
    Habits habits_;
    WireCheck wire_;
    World::LinkPtr link_;
    Buffer input_;
    bool wanted_ = false;
    std::optional<Instant> subscribed_at_;
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
