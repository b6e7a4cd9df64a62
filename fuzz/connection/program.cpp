#include "fuzz/connection/program.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "fuzz/connection/packets.h"
#include "mqtt/encoder.h"
#include "mqtt/topic.h"

namespace chappe::fuzz {

using mqtt::ReasonCode;

namespace {

constexpr int steps_max = 250;
constexpr std::array<Duration, 8> durations = {1s, 10ms, 2s, 8s, 61s, 1h, 2h, 100s};
constexpr std::array<std::uint16_t, 4> window_sizes = {0, 1, 10, 100};

constexpr std::array<std::string_view, step_count> names = {"Connect",
                                                            "Subscribe",
                                                            "Publish",
                                                            "Acknowledge",
                                                            "Release",
                                                            "Unsubscribe",
                                                            "Disconnect",
                                                            "Cut",
                                                            "Advance",
                                                            "AcknowledgeAnything",
                                                            "Ping",
                                                            "Authenticate",
                                                            "Raw",
                                                            "Piece",
                                                            "Window",
                                                            "Round",
                                                            "Verdict",
                                                            "Commit",
                                                            "CommitFails",
                                                            "BrokerPublishes",
                                                            "OperatorDisconnects",
                                                            "OperatorRedirects",
                                                            "OperatorRedirectsNew",
                                                            "Configure",
                                                            "ShutDown",
                                                            "Open"};

std::string_view to_string(Step step) noexcept { return names[static_cast<std::size_t>(step)]; }

// Each bound as it is wide, or as narrow as it makes sense.
broker::Limits read_limits(Input& input) {
    const auto choose = [&input](auto wide, auto narrow) { return input.flag() ? narrow : wide; };
    broker::Limits limits;
    limits.packet_size_max = choose(1'000'000U, 60U);
    limits.connect_packet_size_max = choose(100'000U, 100U);
    limits.topic_length_max = choose(4096U, 8U);
    limits.topic_levels_max = choose(128U, 2U);
    limits.connections_max = choose(1000U, 2U);
    limits.keep_alive_max_seconds = choose(std::uint16_t{65'535}, std::uint16_t{4});
    limits.unsent_bytes_max = choose(std::size_t{1'000'000}, std::size_t{60});
    limits.topic_alias_max = choose(std::uint16_t{32}, std::uint16_t{2});
    limits.sessions_max = choose(1000U, 2U);
    limits.session_expiry_max_seconds = choose(7200U, 5U);
    limits.will_delay_max_seconds = choose(7200U, 2U);
    limits.subscriptions_per_session_max = choose(1000U, 2U);
    limits.subscriptions_max = choose(1000U, 3U);
    limits.subscription_bytes_max = choose(std::size_t{1'000'000}, std::size_t{2000});
    limits.receive_maximum = choose(std::uint16_t{100}, std::uint16_t{2});
    limits.inflight_max = choose(std::uint16_t{100}, std::uint16_t{2});
    limits.queue_messages_max = choose(1000U, 2U);
    limits.queue_bytes_max = choose(std::size_t{1'000'000}, std::size_t{500});
    limits.queued_bytes_total_max = choose(std::size_t{1'000'000}, std::size_t{700});
    limits.mailbox_bytes_max = choose(std::size_t{1'000'000}, std::size_t{100});
    limits.retained_messages_max = choose(1000U, 2U);
    limits.retained_bytes_max = choose(std::size_t{1'000'000}, std::size_t{300});
    limits.client_id_length_max = choose(1024U, 23U);
    limits.unfinished_bytes_total_max = choose(std::size_t{1'000'000}, std::size_t{0});
    input.end_flags();
    return limits;
}

broker::Policy read_policy(Input& input) {
    broker::Policy policy;
    policy.when_full = static_cast<broker::WhenFull>(input.below(4));
    policy.shared_strategy = static_cast<broker::SharedStrategy>(input.below(5));
    return policy;
}

Setup read_setup(Input& input) {
    Setup setup{.limits = read_limits(input), .policy = read_policy(input)};
    const auto rest = input.byte();
    setup.journaling = static_cast<Journaling>(rest % 3);
    setup.restricted = (rest & 0x80) != 0;
    return setup;
}

}  // namespace

Program::Program(Bytes bytes, const Trace& trace) : input_(bytes), trace_(trace), broker_(read_setup(input_), trace) {}

void Program::run() {
    for (int steps = 0; steps != steps_max && !input_.empty(); ++steps) step();
    broker_.catch_up();
    broker_.end_everything();
}

void Program::step() {
    const auto code = input_.byte();
    const auto step = static_cast<Step>((code & ~unsettled) % step_count);
    const auto index = input_.byte();
    trace_([&] { return fmt::format("-- {} {}{}", to_string(step), index, (code & unsettled) != 0 ? "..." : ""); });
    act(step, index);
    if ((code & unsettled) == 0) broker_.settle();
    broker_.check_bounds();
}

void Program::act(Step step, std::size_t index) {
    const auto shard = static_cast<std::uint16_t>(index % Broker::shard_count);
    switch (step) {
        case Step::Open:
        case Step::Connect:
            broker_.open(index % Broker::links_max, static_cast<std::uint16_t>(index / 16 % Broker::shard_count));
            if (step == Step::Connect) append_connect(input_, broker_.link(index % Broker::links_max)->unread);
            return;
        case Step::Advance:
            return broker_.advance(durations[index % durations.size()]);
        case Step::Round:
            return broker_.round(shard);
        case Step::Verdict:
            return broker_.authenticate("ync"[index % 3]);
        case Step::Commit:
            return broker_.commit(shard, true);
        case Step::CommitFails:
            return broker_.commit(shard, false);
        case Step::BrokerPublishes:
            return publish(shard);
        case Step::OperatorDisconnects:
        case Step::OperatorRedirects:
        case Step::OperatorRedirectsNew:
        case Step::Configure:
        case Step::ShutDown:
            return operate(step, shard);
        default:
            if (auto* link = broker_.link(index % Broker::links_max)) act_on(step, *link);
    }
}

void Program::act_on(Step step, Link& link) {
    switch (step) {
        case Step::Cut:
            return broker_.cut(link);
        case Step::Piece:
            link.piece = input_.byte();
            if (link.piece == 0) link.piece = Link::unlimited;
            return;
        case Step::Window:
            link.window = input_.one_of(window_sizes);
            if (link.window == 0) link.window = Link::unlimited;
            return broker_.write(link);
        case Step::Raw:
            return link.unread.append(input_.take(input_.byte()));
        case Step::Acknowledge:
            return acknowledge_first(link);
        default:
            return append_packet(step, link);
    }
}

void Program::append_packet(Step step, Link& link) {
    const auto version = link.conversation.version();
    switch (step) {
        case Step::Subscribe:
            return append_subscribe(input_, version, link.unread);
        case Step::Unsubscribe:
            return append_unsubscribe(input_, version, link.unread);
        case Step::Publish:
            return append_publish(input_, version, link.unread);
        case Step::Release:
            return append_release(input_, version, link.unread);
        case Step::AcknowledgeAnything:
            return append_acknowledgement(input_, version, link.unread);
        case Step::Disconnect:
            return append_disconnect(input_, version, link.unread);
        case Step::Authenticate:
            return append_auth(input_, link.unread);
        default:
            return mqtt::encode(mqtt::PingReq{}, version, link.unread);
    }
}

void Program::acknowledge_first(Link& link) {
    const auto& unacknowledged = link.conversation.unacknowledged();
    if (unacknowledged.empty()) return;
    const auto version = link.conversation.version();
    const auto& [packet_id, message] = *unacknowledged.begin();
    if (message.qos == mqtt::QoS::AtLeastOnce) {
        mqtt::encode(mqtt::PubAck{.packet_id = packet_id}, version, link.unread);
    } else if (message.released) {
        mqtt::encode(mqtt::PubComp{.packet_id = packet_id}, version, link.unread);
    } else {
        mqtt::encode(mqtt::PubRec{.packet_id = packet_id}, version, link.unread);
    }
}

void Program::publish(std::uint16_t shard) {
    broker::Message::Fields fields{.topic = any_topic(input_), .payload = any_payload(input_), .qos = any_qos(input_)};
    if (!mqtt::is_valid_topic_name(fields.topic)) fields.topic = "$SYS/up";
    fields.retain = input_.flag();
    if (input_.flag()) fields.expires_at = broker_.now() + 5s;
    input_.end_flags();
    broker_.publish(shard, fields);
}

void Program::operate(Step step, std::uint16_t index) {
    auto& shard = broker_.shard(index);
    const broker::Redirect redirect{.server_reference = "mqtt://another.example:1883", .permanent = input_.flag()};
    const bool all = input_.flag();
    input_.end_flags();
    switch (step) {
        case Step::OperatorDisconnects:
            static_cast<void>(
                shard.disconnect_client(any_client_id(input_), ReasonCode::AdministrativeAction, broker_.now()));
            return;
        case Step::OperatorRedirects:
            static_cast<void>(shard.redirect_clients(all ? std::nullopt : std::optional(any_client_id(input_)),
                                                     redirect, broker_.now()));
            return;
        case Step::OperatorRedirectsNew:
            return shard.redirect_new_clients(all ? std::nullopt : std::optional(redirect));
        case Step::Configure: {
            const auto limits = read_limits(input_);
            return broker_.configure(limits, read_policy(input_));
        }
        default:
            return broker_.shut_down();
    }
}

}  // namespace chappe::fuzz
