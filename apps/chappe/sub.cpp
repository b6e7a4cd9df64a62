// chappe sub: subscribe, and print what comes.

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/chappe/clients/options.h"
#include "apps/chappe/clients/output.h"
#include "apps/chappe/clients/run.h"
#include "apps/chappe/command.h"
#include "base/random.h"
#include "base/result.h"
#include "mqtt/topic.h"

namespace chappe::app {
namespace {

constexpr auto sub_examples = R"(Examples:
  chappe sub -t 'sensors/#' -v
  chappe sub -t 'sensors/+/temperature' --json
  chappe sub -t sensors/kitchen/temperature -C 1 -W 5
  chappe sub -t 'alarms/#' -q 1 -c -i night-shift
  chappe sub -t 'old/#' --remove-retained --retained-only
  chappe sub -t '#' -F '%I %t %x'

When the connection is lost, sub says why and connects again, waiting longer each time, and subscribes again; with
--no-reconnect it ends. When there is no first connection it ends with exit code 3.)";

struct SubArguments {
    ClientArguments client;
    OutputArguments output;
    std::vector<std::string> unsubscribe;
    std::vector<std::string> filter_out;
    std::string count;
    std::string random_filter;
    std::string retain_handling;
    bool exit_after_subscribe = false;
    bool no_retained = false;
    bool retained_only = false;
    bool remove_retained = false;
    bool no_local = false;
    bool retain_as_published = false;
};

struct SubSetup {
    ClientSetup client;
    std::vector<client::Subscription> subscriptions;
    std::vector<std::string> unsubscribe;
    std::vector<mqtt::TopicFilter> filter_out;
    std::optional<std::uint32_t> count;
    double percent = 100;
    bool exit_after_subscribe = false;
    bool no_retained = false;
    bool retained_only = false;
    bool remove_retained = false;
};

// --- The command line

Checked<mqtt::TopicFilter> check_filter(const std::string& text, const char* option) {
    auto filter = mqtt::TopicFilter::parse(text);
    if (filter) return std::move(*filter);
    return std::unexpected(std::string(option) + ": \"" + text +
                           "\" is not a topic filter: # stands alone in the last level, + alone in its level");
}

Checked<mqtt::RetainHandling> parse_retain_handling(const std::string& text) {
    if (text.empty() || text == "always") return mqtt::RetainHandling::Send;
    if (text == "new") return mqtt::RetainHandling::SendIfNew;
    if (text == "never") return mqtt::RetainHandling::DoNotSend;
    return std::unexpected("--retain-handling: \"" + text + "\" is not known; there are always, new and never");
}

Checked<double> parse_percent(const std::string& text) {
    if (text.empty()) return 100.0;
    const auto percent = parse_seconds(text);  // A number with a fraction, not negative.
    const auto value = percent ? std::chrono::duration<double>(*percent).count() : 0;
    if (value < 0.1 || value > 100) return std::unexpected("--random-filter: it takes a number from 0.1 to 100");
    return value;
}

Checked<std::vector<client::Subscription>> check_subscriptions(const SubArguments& from, const ClientSetup& setup) {
    const bool v5 = setup.options.version == mqtt::ProtocolVersion::V5;
    if (!v5 && (from.no_local || from.retain_as_published || !from.retain_handling.empty())) {
        return std::unexpected("--no-local, --retain-as-published and --retain-handling need MQTT 5 (-V 5)");
    }
    const mqtt::SubscriptionOptions options{.qos = setup.qos,
                                            .no_local = from.no_local,
                                            .retain_as_published = from.retain_as_published,
                                            .retain_handling = TRY(parse_retain_handling(from.retain_handling))};
    std::vector<client::Subscription> subscriptions;
    for (const auto& topic : setup.topics) {
        const auto filter = TRY(check_filter(topic, "--topic"));
        if (filter.shared() && from.no_local) {
            return std::unexpected("--no-local does not go with the shared subscription " + topic);
        }
        subscriptions.push_back({topic, options, setup.properties.subscription_identifier});
    }
    return subscriptions;
}

Checked<SubSetup> check(const SubArguments& from) {
    SubSetup to;
    to.client = TRY(check_arguments(from.client, "sub", Surroundings::of_this_process()));
    to.client.options.acknowledge = client::Acknowledge::ByCaller;
    to.subscriptions = TRY(check_subscriptions(from, to.client));
    for (const auto& text : from.unsubscribe) {
        TRY(check_filter(text, "--unsubscribe"));
        to.unsubscribe.push_back(text);
    }
    for (const auto& text : from.filter_out) to.filter_out.push_back(TRY(check_filter(text, "--filter-out")));
    if (to.subscriptions.empty() && to.unsubscribe.empty()) {
        return std::unexpected("it needs a topic, with -t or in the URL");
    }
    if (!from.count.empty()) {
        const auto count = parse_number(from.count, 1, 0xFFFF'FFFF);
        if (!count) return std::unexpected("-C: " + count.error());
        to.count = *count;
    }
    if (from.no_retained && from.retained_only) return std::unexpected("give only one of -R and --retained-only");
    to.percent = TRY(parse_percent(from.random_filter));
    to.exit_after_subscribe = from.exit_after_subscribe;
    to.no_retained = from.no_retained;
    to.retained_only = from.retained_only;
    to.remove_retained = from.remove_retained;
    return to;
}

// --- At work

class Subscriber final : public ClientRun {
public:
    Subscriber(SubSetup setup, MessageOutput output)
        : ClientRun("sub", setup.client),
          setup_(std::move(setup)),
          output_(std::move(output)),
          random_(Surroundings::of_this_process().random) {}

private:
    void on_connected(const mqtt::ConnAck&, bool first) override {
        if (!first) return;  // The client renews the subscriptions where the broker has lost them.
        const auto& properties = setup().properties;
        if (!setup_.subscriptions.empty()) {
            ++unanswered_;
            client().subscribe(setup_.subscriptions, properties.subscribe);
        }
        if (!setup_.unsubscribe.empty()) {
            ++unanswered_;
            client().unsubscribe(setup_.unsubscribe, properties.unsubscribe);
        }
    }

    void on_subscribed(const client::event::Subscribed& event) override {
        std::size_t granted = 0;
        for (std::size_t i = 0; i < event.reason_codes.size(); ++i) {
            const auto code = event.reason_codes[i];
            const auto& filter = event.subscriptions[i].filter;
            if (mqtt::is_error(code)) {
                say("the broker refused the subscription to " + filter + ": " + reason_text(code, event.reason));
            } else {
                ++granted;
                debug("subscribed to " + filter + ", QoS " + std::to_string(static_cast<int>(code)));
            }
        }
        refused_ = refused_ || granted < event.reason_codes.size();
        if (granted == 0) return finish(exit_refused);
        answered();
    }

    void on_unsubscribed(const client::event::Unsubscribed& event) override {
        for (std::size_t i = 0; i < event.filters.size(); ++i) {
            const auto code = event.reason_codes.empty() ? mqtt::ReasonCode::Success : event.reason_codes[i];
            if (mqtt::is_error(code)) {
                say("the broker did not end the subscription to " + event.filters[i] + ": " +
                    reason_text(code, event.reason));
                refused_ = true;
            } else {
                debug("unsubscribed from " + event.filters[i]);
            }
        }
        answered();
    }

    void answered() {
        if (unanswered_ > 0) --unanswered_;
        const bool nothing_to_wait_for = setup_.exit_after_subscribe || setup_.subscriptions.empty();
        if (unanswered_ == 0 && nothing_to_wait_for) finish(refused_ ? int{exit_refused} : int{exit_success});
    }

    // What comes after the last one is not acknowledged: a kept session still has it next time.
    void on_message(const client::event::Message& event) override {
        if (done_ || finishing()) return;
        take(event.packet);
        if (event.token.value != 0 && !finishing()) client().acknowledge(event.token);
    }

    void take(const mqtt::Publish& message) {
        if (setup_.retained_only && !message.retain) {
            done_ = true;
            return;
        }
        if (is_filtered_out(message)) return;
        if (setup_.remove_retained && message.retain) remove_retained(message.topic);
        if (setup_.no_retained && message.retain) return;
        if (!print(message)) return end_of_output();
        done_ = ++count_ == setup_.count;
    }

    void end_of_output() { finish(output_.failure() ? int{exit_failure} : int{exit_success}); }

    void on_published(const client::event::Published& event) override {
        if (!mqtt::is_error(event.reason_code)) return;
        say("the broker did not remove a retained message: " + reason_text(event.reason_code, event.reason));
        refused_ = true;
    }

    void on_round_end() override {
        if (!output_.flush() && !finishing()) end_of_output();
        // What is removed is to be gone when we say that we are done.
        if (done_ && client().unfinished() == 0) finish(refused_ ? int{exit_refused} : int{exit_success});
    }

    int interrupted(int signal) override {
        const bool has_an_end = setup_.count || setup_.retained_only || setup_.exit_after_subscribe;
        return has_an_end ? ClientRun::interrupted(signal) : int{exit_success};
    }

    int on_end(int exit_code) override {
        if (output_.failure()) say(*output_.failure());
        return exit_code;
    }

    bool is_filtered_out(const mqtt::Publish& message) {
        for (const auto& filter : setup_.filter_out) {
            if (mqtt::matches(filter.filter(), message.topic)) return true;
        }
        return setup_.percent < 100 && static_cast<double>(random_.below(1'000'000)) >= setup_.percent * 10'000;
    }

    // A message of QoS 1 or 2 is flushed before it is acknowledged, those of QoS 0 once a round.
    bool print(const mqtt::Publish& message) {
        const auto text = output_.text_of(message, std::chrono::system_clock::now());
        if (!text) {
            say(text.error());
            return true;
        }
        return output_.write(*text) && (message.qos == mqtt::QoS::AtMostOnce || output_.flush());
    }

    void remove_retained(std::string_view topic) {
        mqtt::Publish packet;
        packet.topic = topic;
        packet.retain = true;
        packet.qos = mqtt::QoS::AtLeastOnce;
        const auto token = client().publish(packet);
        if (token) return;
        say("cannot remove the retained message of " + std::string(topic) + ": " +
            reason_text(token.error().code, token.error().reason));
        refused_ = true;
    }

    SubSetup setup_;
    MessageOutput output_;
    Random random_;
    std::uint32_t count_ = 0;
    int unanswered_ = 0;
    bool refused_ = false;
    bool done_ = false;  // The last message has been printed.
};

void add_options(CLI::App& command, SubArguments& to) {
    add_topic_option(command, to.client, "A topic filter to subscribe to; repeatable");
    add_qos_option(command, to.client);
    const auto list = [&](const char* names, std::vector<std::string>& value, const char* text) {
        command.add_option(names, value, text)->option_text("TOPIC")->allow_extra_args(false);
    };
    list("-U,--unsubscribe", to.unsubscribe, "Unsubscribe from a filter (of a kept session); repeatable");
    list("-T,--filter-out", to.filter_out, "Do not print what this filter matches; repeatable");
    command.add_option("-C,--count", to.count, "End after so many messages")->type_name("COUNT");
    command.add_flag("-E,--exit-after-subscribe", to.exit_after_subscribe, "End when the subscriptions are confirmed");
    command.add_flag("-R,--no-retained", to.no_retained, "Do not print retained messages");
    command.add_flag("--retained-only", to.retained_only, "Print retained messages, and end at the first other one");
    command.add_flag("--remove-retained", to.remove_retained, "Remove each retained message that comes at the broker");
    command.add_option("--random-filter", to.random_filter, "Print only so many percent of the messages, by chance")
        ->type_name("PERCENT");
    command.add_flag("--no-local", to.no_local, "Not what this client publishes itself");
    command.add_flag("--retain-as-published", to.retain_as_published, "Keep the retain flag as the publisher set it");
    command
        .add_option("--retain-handling", to.retain_handling,
                    "Retained messages: always, new (when the subscription is new) or never (always)")
        ->type_name("WHEN");
    add_output_options(command, to.output);
    add_client_options(command, to.client);
}

}  // namespace

Run define_sub(CLI::App& command) {
    const auto arguments = std::make_shared<SubArguments>();
    add_options(command, *arguments);
    command.footer(client_footer(sub_examples));
    return [arguments] {
        auto setup = check(*arguments);
        if (!setup) return refuse_arguments("sub", setup.error());
        auto output = MessageOutput::create(arguments->output);
        if (!output) return refuse_arguments("sub", output.error());
        return Subscriber(std::move(*setup), std::move(*output)).run();
    };
}

}  // namespace chappe::app
