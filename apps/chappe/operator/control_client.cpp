#include "apps/chappe/operator/control_client.h"

#include <chrono>
#include <memory>
#include <optional>
#include <random>

#include "base/result.h"
#include "client/client.h"
#include "net/event_loop.h"
#include "net/worker_pool.h"
#include "server/control.h"
#include "server/settings/settings.h"

namespace chappe::app {
namespace {

constexpr auto time_limit = std::chrono::seconds{10};

std::string socket_path(const ControlOptions& options) {
    if (!options.socket.empty()) return options.socket;
    auto settings = server::default_settings(server::Environment::of_this_process());
    if (!options.data_directory.empty()) settings.data_directory = options.data_directory;
    return server::control_socket(settings);
}

// One question and its answer, over a connection of its own.
class Conversation {
public:
    Conversation(net::EventLoop& loop, std::string_view request, std::string_view json)
        : loop_(loop),
          topic_(std::string(server::control_prefix) + std::string(request)),
          response_topic_(std::string(server::control_prefix) + "response/" + std::to_string(std::random_device{}())),
          json_(json),
          timer_(loop, [this] { end("the broker did not answer in time"); }),
          client_(loop, pool_, client::Options{}, callbacks()) {}

    std::expected<std::string, std::string> run(const std::string& path) {
        net::Url url;
        url.scheme = net::Scheme::Unix;
        url.path = path;
        client_.start(url);
        timer_.set(std::chrono::steady_clock::now() + time_limit);
        loop_.run();
        if (answer_) return *answer_;
        return std::unexpected(error_ + " (asked by " + path + ")");
    }

private:
    client::Callbacks callbacks() {
        client::Callbacks told;
        told.on_connected = [this](const mqtt::ConnAck&) {
            client_.subscribe({{.filter = response_topic_, .options = {.qos = mqtt::QoS::AtLeastOnce}}});
        };
        told.on_subscribed = [this](const client::event::Subscribed& subscribed) {
            if (is_error(subscribed.reason_codes.front())) return end("the broker does not take us for its operator");
            publish();
        };
        told.on_published = [this](const client::event::Published& published) {
            if (is_error(published.reason_code)) end("the broker does not take us for its operator");
        };
        told.on_message = [this](const client::event::Message& message) {
            answer_ = as_text(message.packet.payload);
            end("");
        };
        told.on_disconnected = [this](const client::Disconnection& disconnection, std::optional<Duration>) {
            if (!ended_) error_ = "no broker answers: " + disconnection.reason;
            loop_.stop();
        };
        return told;
    }

    void publish() {
        mqtt::Publish request;
        request.topic = topic_;
        request.qos = mqtt::QoS::AtLeastOnce;
        request.payload = as_bytes(json_);
        request.properties.response_topic = response_topic_;
        if (const auto sent = client_.publish(request); !sent) end(std::string(sent.error().reason));
    }

    void end(std::string error) {
        ended_ = true;
        error_ = std::move(error);
        client_.stop();
    }

    net::EventLoop& loop_;
    std::string topic_;
    std::string response_topic_;
    std::string json_;
    bool ended_ = false;
    std::string error_;
    std::optional<std::string> answer_;
    net::Timer timer_;
    net::WorkerPool pool_;
    client::Client client_;
};

}  // namespace

void add_control_options(CLI::App& command, ControlOptions& options) {
    command.add_option("--data", options.data_directory, "The data directory of the broker to ask")->type_name("DIR");
    command
        .add_option("--socket", options.socket, "Its control socket, if it is not the data directory's control.sock")
        ->type_name("PATH")
        ->excludes("--data");
}

std::expected<std::string, std::string> ask(const ControlOptions& options, std::string_view request,
                                            std::string_view json) {
    auto loop = net::EventLoop::create();
    if (!loop) return std::unexpected(loop.error().what);
    Conversation conversation(**loop, request, json);
    return conversation.run(socket_path(options));
}

}  // namespace chappe::app
