#include "sim/device.h"

#include <utility>
#include <variant>

namespace chappe::sim {

Device::Device(World& world, client::Options options, Duration acknowledges_within)
    : world_(world), protocol_(std::move(options)), acknowledges_within_(acknowledges_within) {}

Device::~Device() {
    *alive_ = false;
    if (link_) world_.close(link_);
}

void Device::start() {
    wanted_ = true;
    if (!link_) connect();
}

void Device::connect() {
    link_ = world_.connect(*this);
    protocol_.open(world_.now());
    after_call();
}

void Device::leave(const mqtt::Disconnect& packet) {
    wanted_ = false;
    if (link_) protocol_.disconnect(packet, world_.now());
    after_call();
}

void Device::lose_connection(Cut how, Duration stays_away) {
    if (!link_ || !world_.open(link_)) return;
    stays_away_ = stays_away;
    world_.cut(link_, how);
}

void Device::stall(Duration time) {
    if (link_) world_.stall(link_, time);
}

void Device::subscribe(const std::string& filter, mqtt::SubscriptionOptions options) {
    protocol_.subscribe({{.filter = filter, .options = options, .identifier = {}}}, world_.now());
    after_call();
}

void Device::publish(const std::string& topic, const std::string& payload, mqtt::QoS qos, bool retain) {
    mqtt::Publish message;
    message.topic = topic;
    message.payload = as_bytes(payload);
    message.qos = qos;
    message.retain = retain;
    if (!protocol_.can_publish()) return;
    const auto token = protocol_.publish(message, world_.now());
    if (!token) return;
    world_.trace(name() + " publishes " + topic + " " + payload.substr(0, 20));
    sent_[*token] = {.topic = topic, .payload = payload, .qos = qos};
    after_call();
}

void Device::on_bytes(Bytes bytes) {
    input_.append(bytes);
    while (link_) {
        const auto used = protocol_.received(input_.bytes(), world_.now(), events_);
        if (used == 0) break;
        // The events' views point into the input, so they are handled before it moves on.
        for (const auto& event : std::exchange(events_, {})) handle(event);
        input_.consume(used);
        if (protocol_.ending()) break;
    }
    after_call();
}

void Device::on_closed() { connection_ended("the network connection was closed"); }

void Device::connection_ended(std::string_view why) {
    link_.reset();
    input_.clear();
    protocol_.output().clear();
    protocol_.closed(why, events_);
    for (const auto& event : std::exchange(events_, {})) handle(event);
    if (!wanted_) return;
    const auto away = std::exchange(stays_away_, Duration{}) + world_.random_time(200ms);
    world_.after(away, [this, alive = alive_] {
        if (*alive && wanted_ && !link_) connect();
    });
}

void Device::after_call() {
    for (const auto& event : std::exchange(events_, {})) handle(event);
    if (link_) {
        auto& output = protocol_.output();
        if (!output.empty()) {
            world_.send(link_, output.bytes());
            output.clear();
            protocol_.drained(world_.now(), events_);
        }
        if (protocol_.ending()) {
            world_.close(link_);
            connection_ended("");
        }
    }
    set_timer();
}

void Device::set_timer() {
    const auto due = protocol_.deadline();
    if (due == Instant::max() || due == timer_set_) return;
    timer_set_ = due;
    world_.at(due, [this, due, alive = alive_] {
        if (!*alive || timer_set_ != due) return;
        timer_set_ = Instant::max();
        protocol_.tick(world_.now(), events_);
        after_call();
    });
}

void Device::handle(const client::Event& event) {
    if (const auto* message = std::get_if<client::event::Message>(&event)) on_message(*message);
    if (const auto* published = std::get_if<client::event::Published>(&event)) {
        auto& sent = sent_[published->token];
        sent.acknowledged = true;
        sent.code = published->reason_code;
    }
    if (const auto* answer = std::get_if<client::event::Subscribed>(&event)) {
        subscribed_ = true;
        for (const auto code : answer->reason_codes) {
            if (is_error(code)) complaints_.push_back("a subscription was refused");
        }
    }
    if (const auto* ended = std::get_if<client::event::Disconnected>(&event)) {
        const auto& how = ended->disconnection;
        world_.trace(name() + " lost its connection: " + how.reason);
        if (how.cause == client::Cause::ProtocolError)
            complaints_.push_back("the broker broke the protocol: " + how.reason);
        if (how.cause == client::Cause::Refused) complaints_.push_back("refused: " + how.reason);
    }
}

void Device::on_message(const client::event::Message& message) {
    const auto& packet = message.packet;
    received_.push_back({.topic = std::string(packet.topic),
                         .payload = std::string(as_text(packet.payload)),
                         .qos = packet.qos,
                         .retain = packet.retain,
                         .at = world_.now()});
    world_.trace(name() + " got " + received_.back().payload.substr(0, 20));
    if (packet.qos == mqtt::QoS::AtMostOnce || options().acknowledge == client::Acknowledge::Automatically) return;
    ++unacknowledged_;
    world_.after(world_.random_time(acknowledges_within_), [this, token = message.token, alive = alive_] {
        if (!*alive) return;
        --unacknowledged_;
        protocol_.acknowledge(token, mqtt::ReasonCode::Success, world_.now());
        after_call();
    });
}

}  // namespace chappe::sim
