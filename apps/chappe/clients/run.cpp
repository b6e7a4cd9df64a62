#include "apps/chappe/clients/run.h"

#include <csignal>
#include <cstdio>
#include <utility>

#include "apps/chappe/command.h"
#include "net/process.h"

namespace chappe::app {
namespace {

using client::Cause;

std::string describe(const client::Disconnection& disconnection, const net::Url& server) {
    auto text = [&]() -> std::string {
        switch (disconnection.cause) {
            case Cause::Requested:
                return "disconnected";
            case Cause::Unreachable:
                return "cannot connect: " + disconnection.reason;
            case Cause::Refused:
                return server.text() +
                       " refused the connection: " + reason_text(disconnection.reason_code, disconnection.reason);
            case Cause::Ended:
                return "the broker ended the connection: " +
                       reason_text(disconnection.reason_code, disconnection.reason);
            case Cause::Lost:
                return "connection lost: " + disconnection.reason;
            case Cause::Silent:
                return "connection lost: " + disconnection.reason;
            case Cause::ProtocolError:
                return "the broker broke the protocol: " + reason_text(disconnection.reason_code, disconnection.reason);
        }
        return {};
    }();
    if (!disconnection.server_reference.empty()) {
        text += "; it names another server: " + without_control_characters(disconnection.server_reference);
    }
    return text;
}

}  // namespace

ClientRun::ClientRun(std::string_view command, ClientSetup setup) : command_(command), setup_(std::move(setup)) {}

int ClientRun::run() {
    if (!prepare()) return exit_failure;
    client_->start(setup_.server);
    while (!client_->stopped() || !exit_code_) loop_->run_once(std::nullopt);
    on_round_end();
    const int exit_code = on_end(*exit_code_);
    time_limit_.reset();
    client_.reset();
    return exit_code;
}

bool ClientRun::prepare() {
    net::ignore_broken_pipes();
    auto loop = net::EventLoop::create();
    if (!loop) {
        say(loop.error().what);
        return false;
    }
    loop_ = std::move(*loop);
    auto signals = net::SignalWatch::create(*loop_, {SIGINT, SIGTERM}, [this](int signal) { on_signal(signal); });
    if (!signals) {
        say(signals.error().what);
        return false;
    }
    signals_ = std::move(*signals);
    pool_.emplace();
    client_ = std::make_unique<client::Client>(*loop_, *pool_, setup_.options, callbacks(), setup_.reconnect);
    if (setup_.server.scheme == net::Scheme::Mqtts) {
        auto context = tls::ClientContext::load(setup_.tls);
        if (!context) {
            say(context.error());
            return false;
        }
        client_->use_tls(*std::move(context));
    }
    loop_->on_round_end([this] { on_round_end(); });
    if (setup_.time_limit) {
        time_limit_.emplace(*loop_, [this] {
            say("timed out after " + seconds_text(*setup_.time_limit) + " (-W)");
            finish(exit_time_limit);
        });
        time_limit_->set(loop_->now() + *setup_.time_limit);
    }
    return true;
}

client::Callbacks ClientRun::callbacks() {
    return {
        .on_connected = [this](const auto& packet) { connected(packet); },
        .on_message = [this](const auto& event) { on_message(event); },
        .on_published = [this](const auto& event) { on_published(event); },
        .on_subscribed = [this](const auto& event) { on_subscribed(event); },
        .on_unsubscribed = [this](const auto& event) { on_unsubscribed(event); },
        .on_challenged =
            [this](const auto&) {
                say("the broker asks for an authentication exchange, which this command does not have");
                finish(exit_not_connected);
            },
        .on_drained = [this] { on_drained(); },
        .on_disconnected = [this](const auto& disconnection, auto retry_in) { disconnected(disconnection, retry_in); },
    };
}

void ClientRun::connected(const mqtt::ConnAck& packet) {
    const auto& id = client_->protocol().options().client_id;
    debug("connected to " + setup_.server.text() + " as \"" + without_control_characters(id) + "\"" +
          (packet.session_present ? ", session present" : ", new session"));
    on_connected(packet, !std::exchange(was_connected_, true));
}

// The first attempt decides: whoever typed a wrong address wants to know. A connection that was there is made again.
void ClientRun::disconnected(const client::Disconnection& disconnection, std::optional<Duration> retry_in) {
    if (disconnection.cause == Cause::Requested) {
        debug("disconnected");
        if (disconnection.unsent_bytes > 0 && exit_code_ == exit_success) {
            say("connection lost before all was sent");
            exit_code_ = exit_connection_lost;
        }
        return;
    }
    if (disconnection.was_connected) on_connection_lost();
    if (!was_connected_) {
        say(describe(disconnection, setup_.server));
        finish(exit_not_connected);
    } else if (retry_in) {
        say(describe(disconnection, setup_.server) + "; trying again in " + seconds_text(*retry_in));
    } else {
        say(describe(disconnection, setup_.server));
        finish(exit_connection_lost);
    }
}

void ClientRun::on_signal(int signal) {
    if (std::exchange(interrupted_, true)) std::_Exit(exit_signal + signal);  // Asked twice: at once.
    finish(interrupted(signal));
}

void ClientRun::finish(int exit_code) {
    if (exit_code_) return;
    exit_code_ = exit_code;
    client_->stop(farewell());
}

mqtt::Disconnect ClientRun::farewell() const {
    mqtt::Disconnect packet;
    if (setup_.options.version != mqtt::ProtocolVersion::V5) return packet;
    packet.session_expiry_interval_seconds = setup_.properties.disconnect_session_expiry_seconds;
    packet.user_properties = client::view(setup_.properties.disconnect);
    return packet;
}

void ClientRun::say(const std::string& line) const {
    if (setup_.verbosity != Verbosity::Quiet) std::fprintf(stderr, "chappe %s: %s\n", command_.c_str(), line.c_str());
}

void ClientRun::debug(const std::string& line) const {
    if (setup_.verbosity == Verbosity::Debug) say(line);
}

}  // namespace chappe::app
