// Paho's C++ client (libpaho-mqttpp3).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mqtt/async_client.h>

#include "driver.h"
#include "properties.h"

namespace {

using paho::Fields;
using paho::report;

mqtt::properties properties(const Fields& fields, std::string_view prefix = "") {
    paho::Properties list(fields, prefix);
    return mqtt::properties(*list.get());
}

// Reports the outcome of one request. It lives as long as the client: the library tells of a successful connection
// twice.
class Listener final : public mqtt::iaction_listener {
public:
    Listener(std::string success, std::string failure, std::string tag)
        : success_(std::move(success)), failure_(std::move(failure)), tag_(std::move(tag)) {}

private:
    void on_success(const mqtt::token& token) override {
        if (std::exchange(done_, true)) {
            return;
        }
        Fields fields;
        if (token.get_type() == mqtt::token::Type::CONNECT) {
            const auto response = token.get_connect_response();
            fields.add("session_present", static_cast<long>(response.is_session_present()));
            paho::add_properties(fields, response.get_properties().c_struct());
        }
        report(success_, fields.add("tag", tag_).add("code", code(token)));
    }

    void on_failure(const mqtt::token& token) override {
        const long reason = token.get_reason_code();
        // This answers a release that was sent again because its first answer was lost: the message has been delivered.
        const bool delivered = reason == MQTTREASONCODE_PACKET_IDENTIFIER_NOT_FOUND;
        report(delivered ? success_ : failure_,
               Fields{}.add("tag", tag_).add("code", reason != 0 ? reason : token.get_return_code()));
    }

    static long code(const mqtt::token& token) {
        if (token.get_type() == mqtt::token::Type::SUBSCRIBE) {
            return token.get_subscribe_response().get_reason_codes().at(0);
        }
        // The response to an unsubscription has no code that 1.2.0 has set, when it was for one filter.
        return token.get_reason_code();
    }

    std::string success_;
    std::string failure_;
    std::string tag_;
    bool done_ = false;
};

class CppClient final : public paho::Client, mqtt::callback {
public:
    explicit CppClient(std::string folder) : folder_(std::move(folder)) {}

    void connect(const Fields& command) override {
        const int version = command.number("version", MQTTVERSION_5);
        if (client_ == nullptr) {
            create(command, version);
        }
        mqtt::connect_options options;
        options.set_mqtt_version(version);
        options.set_keep_alive_interval(command.number("keep_alive", 60));
        options.set_max_inflight(100);
        if (version == MQTTVERSION_5) {
            options.set_clean_start(command.number("clean", 1) != 0);
            options.set_properties(properties(command));
        } else {
            options.set_clean_session(command.number("clean", 1) != 0);
        }
        if (command.number("automatic_reconnect") != 0) {
            options.set_automatic_reconnect(1, 1);
        }
        if (command.has("will_topic")) {
            options.set_will_message(mqtt::message(command.text("will_topic"), command.text("will_payload"),
                                                   command.number("will_qos"), command.number("will_retain") != 0,
                                                   properties(command, "will.")));
        }
        attempt("connected", "failed", command,
                [&](Listener& listener) { client_->connect(options, nullptr, listener); });
    }

    void subscribe(const Fields& command) override {
        const mqtt::subscribe_options options(
            command.number("no_local") != 0, command.number("retain_as_published") != 0,
            static_cast<mqtt::subscribe_options::RetainHandling>(command.number("retain_handling")));
        attempt("subscribed", "subscribed", command, [&](Listener& listener) {
            client_->subscribe(command.text("filter"), command.number("qos"), nullptr, listener, options,
                               properties(command));
        });
    }

    void unsubscribe(const Fields& command) override {
        attempt("unsubscribed", "unsubscribed", command,
                [&](Listener& listener) { client_->unsubscribe(command.text("filter"), nullptr, listener); });
    }

    void publish(const Fields& command) override {
        const auto message =
            mqtt::message::create(command.text("topic"), command.text("payload"), command.number("qos"),
                                  command.number("retain") != 0, properties(command));
        attempt("published", "refused", command,
                [&](Listener& listener) { client_->publish(message, nullptr, listener); });
    }

    void disconnect(const Fields& command) override {
        mqtt::disconnect_options options;
        options.set_timeout(std::chrono::milliseconds(command.number("timeout_milliseconds", 1000)));
        options.set_reason_code(static_cast<mqtt::ReasonCode>(command.number("code")));
        options.set_properties(properties(command));
        try {
            client_->disconnect(options)->wait();
        } catch (const mqtt::exception&) {
            // It was not connected any more, which is what is wanted.
        }
        report("disconnected");
    }

private:
    void create(const Fields& command, int version) {
        mqtt::create_options options(version, 100'000);
        options.set_send_while_disconnected(true, true);
        const std::string uri = "tcp://" + command.text("host") + ":" + command.text("port");
        client_ = std::make_unique<mqtt::async_client>(uri, command.text("id"), options, folder_);
        client_->set_callback(*this);
        client_->set_disconnected_handler([](const mqtt::properties& list, mqtt::ReasonCode code) {
            Fields fields;
            fields.add("code", static_cast<long>(code));
            paho::add_properties(fields, list.c_struct());
            report("ended", fields);
        });
    }

    template <typename Request>
    void attempt(std::string success, std::string failure, const Fields& command, Request request) {
        auto& listener =
            *listeners_.emplace_back(std::make_unique<Listener>(std::move(success), failure, command.text("tag")));
        try {
            request(listener);
        } catch (const mqtt::exception& error) {
            report(failure, Fields{}.add("tag", command.text("tag")).add("code", error.get_return_code()));
        }
    }

    void connected(const mqtt::string& cause) override {
        if (cause.starts_with("automatic reconnect")) {
            report("reconnected");
        }
    }

    void connection_lost(const mqtt::string&) override { report("lost"); }

    void message_arrived(mqtt::const_message_ptr message) override {
        Fields fields;
        fields.add("topic", message->get_topic());
        fields.add("qos", message->get_qos()).add("retain", static_cast<long>(message->is_retained()));
        fields.add("dup", static_cast<long>(message->is_duplicate())).add("payload", message->get_payload_str());
        paho::add_properties(fields, message->get_properties().c_struct());
        report("message", fields);
    }

    std::vector<std::unique_ptr<Listener>> listeners_;
    std::unique_ptr<mqtt::async_client> client_;
    std::string folder_;
};

}  // namespace

int main(int, char** argv) {
    CppClient client(argv[1]);
    return paho::serve(client);
}
