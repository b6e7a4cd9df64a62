// chappe pub: publish one message, or standard input line by line.

#include <unistd.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "apps/chappe/clients/line_reader.h"
#include "apps/chappe/clients/options.h"
#include "apps/chappe/clients/payload_options.h"
#include "apps/chappe/clients/run.h"
#include "apps/chappe/command.h"
#include "base/result.h"
#include "mqtt/topic.h"

namespace chappe::app {
namespace {

constexpr auto pub_examples = R"(Examples:
  chappe pub -t sensors/kitchen/temperature -m 21.5
  chappe pub -h broker.example -u ada --password-file secret -t a/b -q 1 -r -f photo.jpg
  read_meter | chappe pub -t meters/1 -q 1 -l
  chappe pub -L mqtt://ada:secret@broker.example/a/b -m hello
  chappe pub -t a/b -m '{"on":true}' -D publish content-type application/json -D publish user-property room 12)";

struct PubArguments {
    ClientArguments client;
    PayloadArguments payload;
    bool lines = false;
    bool retain = false;
    std::string repeat = "1";
    std::string repeat_delay = "0";
    bool json = false;
};

struct PubSetup {
    ClientSetup client;
    std::string payload;
    bool lines = false;
    bool retain = false;
    std::uint32_t repeat = 1;
    Duration repeat_delay{};
    bool json = false;
};

Checked<PubSetup> check(const PubArguments& from) {
    PubSetup to;
    to.client = TRY(check_arguments(from.client, "pub", Surroundings::of_this_process()));
    if (to.client.topics.size() != 1) return std::unexpected("it needs one topic, with -t or in the URL");
    const auto& topic = to.client.topics.front();
    if (!mqtt::is_valid_utf8(topic) || !mqtt::is_valid_topic_name(topic)) {
        return std::unexpected("\"" + topic + "\" is not a topic to publish to: it must not be empty or have # or +");
    }
    const auto repeat = parse_number(from.repeat, 1, std::numeric_limits<std::uint32_t>::max());
    if (!repeat) return std::unexpected("--repeat: " + repeat.error());
    const auto delay = parse_seconds(from.repeat_delay);
    if (!delay) return std::unexpected("--repeat-delay: " + delay.error());
    if (from.lines && *repeat != 1) return std::unexpected("--repeat does not go with -l");
    to.lines = from.lines;
    if (from.lines && from.payload.given() > 0) return std::unexpected("give only one of -m, -f, -s, -l and -n");
    if (!from.lines) to.payload = TRY(read_payload(from.payload, "-m, -f, -s, -l or -n"));
    to.retain = from.retain;
    to.repeat = *repeat;
    to.repeat_delay = *delay;
    to.json = from.json;
    return to;
}

class Publisher final : public ClientRun {
public:
    explicit Publisher(PubSetup setup)
        : ClientRun("pub", setup.client),
          setup_(std::move(setup)),
          with_properties_(setup_.client.properties.publish) {}

private:
    void on_connected(const mqtt::ConnAck&, bool first) override {
        if (!first) return;
        if (setup_.lines) {
            read_lines();
        } else {
            pause_.emplace(loop(), [] {});  // on_round_end goes on.
        }
    }

    void on_published(const client::event::Published& event) override {
        if (mqtt::is_error(event.reason_code)) {
            refused("the broker refused a message: " + reason_text(event.reason_code, event.reason));
        } else if (event.reason_code == mqtt::ReasonCode::NoMatchingSubscribers) {
            debug("nobody is subscribed to the topic");
        }
    }

    void on_drained() override {
        if (lines_) lines_->resume();
    }

    void on_connection_lost() override {
        lost_at_qos_0_ = lost_at_qos_0_ || (setup().qos == mqtt::QoS::AtMostOnce && published_ > 0);
    }

    void on_round_end() override {
        if (pause_ && !finishing()) publish_repeatedly();
        if (all_published_ && client().unfinished() == 0) finish(exit_success);
    }

    int on_end(int exit_code) override {
        const auto unfinished = client().unfinished();
        if (refused_ > shown_max) say(std::to_string(refused_) + " messages were refused");
        if (unfinished > 0) {
            say(std::to_string(unfinished) + " of " + std::to_string(published_) + " messages were not acknowledged");
        }
        if (lost_at_qos_0_)
            say("messages of QoS 0 were on their way when the connection was lost; they may be missing");
        if (setup_.json) print_report(unfinished);
        if (exit_code != exit_success) return exit_code;
        if (refused_ > 0 || unfinished > 0) return exit_refused;
        return lost_at_qos_0_ ? int{exit_connection_lost} : int{exit_success};
    }

    void read_lines() {
        lines_.emplace(loop(), STDIN_FILENO, mqtt::remaining_length_max,
                       LineReader::Callbacks{
                           .wanted = [this] { return client().can_publish() && !finishing(); },
                           .on_line = [this](std::string_view line) { publish(line); },
                           .on_end =
                               [this](const std::optional<std::string>& failure) {
                                   all_published_ = true;
                                   if (!failure) return;
                                   say(*failure);
                                   finish(exit_failure);
                               },
                       });
        lines_->start();
    }

    // Without a delay as fast as the broker takes them; with one, each time after the message before is done.
    void publish_repeatedly() {
        while (times_ < setup_.repeat && client().can_publish() && !pause_->is_set()) {
            if (setup_.repeat_delay > Duration::zero() && times_ > 0 && !std::exchange(paused_, false)) {
                if (client().unfinished() > 0) return;
                paused_ = true;
                pause_->set(loop().now() + setup_.repeat_delay);
                return;
            }
            ++times_;
            publish(setup_.payload);
        }
        all_published_ = times_ == setup_.repeat;
    }

    void publish(std::string_view payload) {
        mqtt::Publish packet;
        packet.qos = setup().qos;
        packet.retain = setup_.retain;
        packet.topic = setup().topics.front();
        packet.topic_alias = setup().properties.topic_alias;
        packet.properties = client::view(with_properties_);
        packet.payload = as_bytes(payload);
        ++published_;
        const auto token = client().publish(packet);
        if (!token) refused("a message was not published: " + reason_text(token.error().code, token.error().reason));
    }

    void refused(const std::string& why) {
        if (++refused_ <= shown_max) say(why);
    }

    void print_report(std::size_t unfinished) const {
        const bool acknowledged = setup().qos != mqtt::QoS::AtMostOnce;
        std::printf(R"({"published":%zu,"%s":%zu,"refused":%zu,"unfinished":%zu})"
                    "\n",
                    published_, acknowledged ? "acknowledged" : "sent", published_ - refused_ - unfinished, refused_,
                    unfinished);
    }

    static constexpr std::size_t shown_max = 10;  // Refusals; the others are only counted.

    PubSetup setup_;
    client::OwnedProperties with_properties_;
    std::optional<LineReader> lines_;
    std::optional<net::Timer> pause_;
    bool paused_ = false;  // The delay before the next message is over.
    std::uint32_t times_ = 0;
    bool all_published_ = false;
    bool lost_at_qos_0_ = false;
    std::size_t published_ = 0;
    std::size_t refused_ = 0;
};

}  // namespace

Run define_pub(CLI::App& command) {
    const auto arguments = std::make_shared<PubArguments>();
    add_topic_option(command, arguments->client, "The topic to publish to");
    add_qos_option(command, arguments->client);
    add_inflight_option(command, arguments->client);
    add_payload_options(command, arguments->payload);
    command.add_flag("-l,--stdin-line", arguments->lines, "Each line of standard input is a message");
    command.add_flag("-r,--retain", arguments->retain, "The broker keeps the message for later subscribers");
    command.add_option("--repeat", arguments->repeat, "Publish it so many times (1)")->type_name("COUNT");
    command.add_option("--repeat-delay", arguments->repeat_delay, "Wait between two, after the first is done (0)")
        ->type_name("SECONDS");
    command.add_flag("--json", arguments->json, "Print a report as one JSON object");
    add_client_options(command, arguments->client);
    command.footer(client_footer(pub_examples));
    return [arguments] {
        auto setup = check(*arguments);
        if (!setup) return refuse_arguments("pub", setup.error());
        return Publisher(std::move(*setup)).run();
    };
}

}  // namespace chappe::app
