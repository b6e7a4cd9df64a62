#include "sim/device.h"

#include <utility>
#include <variant>

#include "mqtt/decoder.h"

namespace chappe::sim {

Device::Device(World& world, SessionBook& book, client::Options options, const Habits& habits)
    : world_(world), book_(book), protocol_(std::move(options)), habits_(habits), wire_(habits.shares) {}

Device::~Device() {
    *alive_ = false;
    if (link_) world_.close(link_);
}

void Device::start() {
    wanted_ = habits_.comes_back;
    if (!link_) connect();
}

void Device::connect() {
    link_ = world_.connect(*this);
    if (habits_.receive_maximum_max != 0) {
        const auto maximum = 1 + world_.random().below(habits_.receive_maximum_max);
        protocol_.receive_maximum(static_cast<std::uint16_t>(maximum));
    }
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

bool Device::publish(Sent message) {
    if (!protocol_.can_publish()) return false;
    mqtt::Publish packet;
    packet.topic = message.topic;
    packet.payload = as_bytes(message.payload);
    packet.qos = message.qos;
    packet.retain = message.retain;
    packet.properties.message_expiry_interval_seconds = message.expiry_seconds;
    const auto token = protocol_.publish(packet, world_.now());
    if (!token) return false;
    world_.trace(name() + " publishes " + message.topic + " " + message.payload.substr(0, 20));
    message.at = world_.now();
    sent_[*token] = std::move(message);
    after_call();
    return true;
}

std::optional<std::uint64_t> Device::connection() const {
    return link_ ? std::optional(World::number(link_)) : std::nullopt;
}

std::vector<std::string> Device::complaints() const {
    auto all = complaints_;
    all.insert(all.end(), wire_.complaints().begin(), wire_.complaints().end());
    return all;
}

void Device::on_bytes(Bytes bytes) {
    input_.append(bytes);
    while (link_) {
        note_received(input_.bytes());
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
            note_sent(output.bytes());
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

// The first packet in it, if it is complete.
void Device::note_received(Bytes packet) {
    const auto frame = mqtt::frame(packet, mqtt::packet_size_limit);
    if (!frame || !*frame) return;
    const auto read = mqtt::decode(**frame, options().version, mqtt::Sender::Server);
    if (!read) return;  // The protocol will complain.
    if (const auto* accepted = std::get_if<mqtt::ConnAck>(&*read)) book_.received(World::number(link_), *accepted);
    wire_.received(*read);
}

void Device::note_sent(Bytes packets) {
    while (!packets.empty()) {
        const auto frame = mqtt::frame(packets, mqtt::packet_size_limit);
        ASSERT(frame && *frame);
        const auto packet = mqtt::decode(**frame, options().version, mqtt::Sender::Client);
        ASSERT(packet);
        book_.sent(World::number(link_), *packet);
        wire_.sent(*packet);
        packets = packets.subspan((*frame)->size);
    }
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
        sent.acknowledged_at = world_.now();
        sent.code = published->reason_code;
    }
    if (const auto* answer = std::get_if<client::event::Subscribed>(&event)) {
        if (!subscribed_at_) subscribed_at_ = world_.now();
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
                         .expiry_seconds_left = packet.properties.message_expiry_interval_seconds,
                         .at = world_.now()});
    world_.trace(name() + " got " + received_.back().payload.substr(0, 20));
    if (packet.qos == mqtt::QoS::AtMostOnce || options().acknowledge == client::Acknowledge::Automatically) return;
    ++unacknowledged_;
    const auto index = received_.size() - 1;
    world_.after(world_.random_time(habits_.acknowledges_within), [this, token = message.token, index, alive = alive_] {
        if (*alive) acknowledge(token, index);
    });
}

void Device::acknowledge(client::DeliveryToken token, std::size_t index) {
    --unacknowledged_;
    const bool refused = habits_.refuses_one_in != 0 && world_.chance(habits_.refuses_one_in);
    received_[index].refused = refused;
    const auto code = refused ? mqtt::ReasonCode::ImplementationSpecificError : mqtt::ReasonCode::Success;
    protocol_.acknowledge(token, code, world_.now());
    after_call();
}

}  // namespace chappe::sim
