// chappe request: publish a request, wait for the response, print it.

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "apps/chappe/clients/options.h"
#include "apps/chappe/clients/output.h"
#include "apps/chappe/clients/payload_options.h"
#include "apps/chappe/clients/run.h"
#include "apps/chappe/command.h"
#include "base/result.h"
#include "mqtt/topic.h"

namespace chappe::app {
namespace {

constexpr auto request_examples = R"(Examples:
  chappe request -t lamps/1/get -m state -W 5
  chappe request -t lamps/1/get -e answers/me -m state --json
  chappe request -t discover -n -C 10 -W 3
  chappe request -V 311 -t lamps/1/get -e lamps/1/state -m state

Without -e the response topic is made up, below what the broker names as Response Information if it does. The request
carries correlation data, and a response with other correlation data is not taken for ours.)";

struct RequestArguments {
    ClientArguments client;
    PayloadArguments payload;
    OutputArguments output;
    std::string response_topic;
    std::string count = "1";
    bool retain = false;
    bool no_retained = false;
};

struct RequestSetup {
    ClientSetup client;
    std::string payload;
    std::string response_topic;  // Empty: to be made up.
    std::string unique;          // For what is made up.
    std::uint32_t count = 1;
    bool retain = false;
};

Checked<> check_topics(const RequestSetup& setup, bool v5) {
    if (setup.client.topics.size() != 1) {
        return std::unexpected("it needs one topic for the request, with -t or in the URL");
    }
    const auto& topic = setup.client.topics.front();
    if (!mqtt::is_valid_utf8(topic) || !mqtt::is_valid_topic_name(topic)) {
        return std::unexpected("\"" + topic + "\" is not a topic to publish to: it must not be empty or have # or +");
    }
    const auto& response = setup.response_topic;
    if (response.empty()) {
        if (v5) return {};
        return std::unexpected("before MQTT 5 it needs the topic of the response, with -e");
    }
    // 5.0 tells the responder the topic; before, the responder knows where to answer, and a filter may be needed.
    const bool valid = mqtt::is_valid_utf8(response) &&
                       (v5 ? mqtt::is_valid_topic_name(response) : mqtt::is_valid_topic_filter(response));
    if (!valid) return std::unexpected("-e: \"" + response + "\" is not a topic to respond to");
    return {};
}

Checked<RequestSetup> check(const RequestArguments& from) {
    RequestSetup to;
    const auto surroundings = Surroundings::of_this_process();
    to.client = TRY(check_arguments(from.client, "request", surroundings));
    const bool v5 = to.client.options.version == mqtt::ProtocolVersion::V5;
    auto& response_topic = to.client.properties.publish.response_topic;
    if (!from.response_topic.empty() && response_topic) {
        return std::unexpected("give the response topic once, with -e or with -D");
    }
    to.response_topic = from.response_topic.empty() ? response_topic.value_or("") : from.response_topic;
    TRY(check_topics(to, v5));
    to.client.options.request_response_information |= v5 && to.response_topic.empty();
    to.unique = to_hex(as_bytes({reinterpret_cast<const char*>(&surroundings.random), sizeof surroundings.random}),
                       HexCase::Lower);
    if (v5 && !to.client.properties.publish.correlation_data) {
        to.client.properties.publish.correlation_data = to.unique;
    }
    const auto count = parse_number(from.count, 1, 0xFFFF'FFFF);
    if (!count) return std::unexpected("-C: " + count.error());
    to.count = *count;
    to.payload = TRY(read_payload(from.payload, "-m, -f, -s or -n"));
    to.retain = from.retain;
    return to;
}

class Requester final : public ClientRun {
public:
    Requester(RequestSetup setup, MessageOutput output)
        : ClientRun("request", setup.client), setup_(std::move(setup)), output_(std::move(output)) {}

private:
    void on_connected(const mqtt::ConnAck& packet, bool first) override {
        if (!first) return;
        if (setup_.response_topic.empty()) {
            auto prefix = std::string(packet.response_information.value_or("response"));
            if (!prefix.ends_with('/')) prefix += '/';
            setup_.response_topic = prefix + setup_.unique;
        }
        client::Subscription subscription{.filter = setup_.response_topic,
                                          .options = {.qos = setup().qos},
                                          .identifier = setup().properties.subscription_identifier};
        // What was retained before is no answer.
        if (v5()) subscription.options.retain_handling = mqtt::RetainHandling::DoNotSend;
        client().subscribe({subscription}, setup().properties.subscribe);
    }

    void on_subscribed(const client::event::Subscribed& event) override {
        if (mqtt::is_error(event.reason_codes.front())) {
            say("the broker refused the subscription to " + setup_.response_topic + ": " +
                reason_text(event.reason_codes.front(), event.reason));
            return finish(exit_refused);
        }
        debug("waiting for responses on " + setup_.response_topic);
        if (!std::exchange(requested_, true)) publish();
    }

    void publish() {
        mqtt::Publish packet;
        packet.topic = setup().topics.front();
        packet.qos = setup().qos;
        packet.retain = setup_.retain;
        packet.payload = as_bytes(setup_.payload);
        packet.properties = client::view(setup().properties.publish);
        if (v5()) packet.properties.response_topic = setup_.response_topic;
        const auto token = client().publish(packet);
        if (token) return;
        say("the request was not published: " + reason_text(token.error().code, token.error().reason));
        finish(exit_refused);
    }

    void on_published(const client::event::Published& event) override {
        if (mqtt::is_error(event.reason_code)) {
            say("the broker refused the request: " + reason_text(event.reason_code, event.reason));
            finish(exit_refused);
        } else if (event.reason_code == mqtt::ReasonCode::NoMatchingSubscribers) {
            say("nobody is subscribed to " + setup().topics.front() + "; waiting nevertheless");
        }
    }

    void on_message(const client::event::Message& event) override {
        const auto& message = event.packet;
        if (finishing() || message.retain) return;
        const auto& correlation_data = message.properties.correlation_data;
        if (correlation_data && as_text(*correlation_data) != setup().properties.publish.correlation_data) {
            debug("a response to another request came on " + std::string(message.topic));
            return;
        }
        const auto text = output_.text_of(message, std::chrono::system_clock::now());
        if (!text) say(text.error());
        if (text && !(output_.write(*text) && output_.flush())) {
            return finish(output_.failure() ? int{exit_failure} : int{exit_success});
        }
        if (++count_ == setup_.count) finish(exit_success);
    }

    int on_end(int exit_code) override {
        if (output_.failure()) say(*output_.failure());
        return exit_code;
    }

    [[nodiscard]] bool v5() const noexcept { return setup().options.version == mqtt::ProtocolVersion::V5; }

    RequestSetup setup_;
    MessageOutput output_;
    bool requested_ = false;
    std::uint32_t count_ = 0;
};

}  // namespace

Run define_request(CLI::App& command) {
    const auto arguments = std::make_shared<RequestArguments>();
    add_topic_option(command, arguments->client, "The topic of the request");
    command.add_option("-e,--response-topic", arguments->response_topic, "The topic of the response")
        ->type_name("TOPIC");
    add_qos_option(command, arguments->client);
    add_payload_options(command, arguments->payload);
    command.add_flag("-r,--retain", arguments->retain, "The broker keeps the request for later subscribers");
    command.add_option("-C,--count", arguments->count, "Wait for so many responses (1)")->type_name("COUNT");
    command.add_flag("-R,--no-retained", arguments->no_retained, "Does nothing: retained messages are no responses")
        ->group("");
    add_output_options(command, arguments->output);
    add_client_options(command, arguments->client);
    command.footer(client_footer(request_examples));
    return [arguments] {
        auto setup = check(*arguments);
        if (!setup) return refuse_arguments("request", setup.error());
        auto output = MessageOutput::create(arguments->output);
        if (!output) return refuse_arguments("request", output.error());
        return Requester(std::move(*setup), std::move(*output)).run();
    };
}

}  // namespace chappe::app
