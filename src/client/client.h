#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client/backoff.h"
#include "client/protocol.h"
#include "net/dialer.h"
#include "net/event_loop.h"
#include "net/stream.h"
#include "net/url.h"
#include "net/worker_pool.h"
#include "tls/context.h"

namespace chappe::client {

// Told on the loop's thread, never from within a command. Views live until the callback returns. A callback may give
// any command, and must not destroy the client.
struct Callbacks {
    std::function<void(const mqtt::ConnAck&)> on_connected;
    std::function<void(const event::Message&)> on_message;
    std::function<void(const event::Published&)> on_published;
    std::function<void(const event::Subscribed&)> on_subscribed;
    std::function<void(const event::Unsubscribed&)> on_unsubscribed;
    std::function<void(const event::Challenged&)> on_challenged;
    std::function<void()> on_drained;
    // A connection has ended or an attempt has failed. With the time until the next attempt, if there will be one.
    std::function<void(const Disconnection&, std::optional<Duration> retry_in)> on_disconnected;
};

// An asynchronous MQTT client on an event loop: Protocol with a network connection, which it makes again when it was
// lost. All of it is used on the loop's thread. The commands are those of Protocol.
class Client final : private net::Handler {
public:
    Client(net::EventLoop& loop, net::WorkerPool& pool, Options options, Callbacks callbacks,
           const Reconnect& reconnect = {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client();  // Closes without DISCONNECT, so that the server publishes the will.

    // For mqtts://, from the next connection on. Needed before start() with such a URL.
    void use_tls(std::shared_ptr<const tls::ClientContext> context) { tls_ = std::move(context); }
    // Connects, and keeps doing so. Not while it is started already.
    void start(const net::Url& url);
    // Sends what there is to send at once and DISCONNECT, waits for the server to close, at most two seconds.
    // on_disconnected tells when it is done, with Cause::Requested where there was a connection or an attempt to make
    // one; start() is possible again from then on. Messages that wait or are not acknowledged stay with the client.
    void stop(const mqtt::Disconnect& packet = {});
    [[nodiscard]] bool stopped() const noexcept { return phase_ == Phase::Stopped; }

    [[nodiscard]] bool connected() const noexcept { return protocol_.connected(); }
    [[nodiscard]] bool can_publish() const noexcept { return protocol_.can_publish(); }
    [[nodiscard]] mqtt::Result<PublishToken> publish(const mqtt::Publish& message);
    RequestToken subscribe(std::vector<Subscription> subscriptions, OwnedUserProperties user_properties = {});
    RequestToken unsubscribe(std::vector<std::string> filters, OwnedUserProperties user_properties = {});
    void acknowledge(DeliveryToken token, mqtt::ReasonCode code = mqtt::ReasonCode::Success);
    void authenticate(const mqtt::Auth& packet);

    // Published, and not sent to the network (QoS 0) or acknowledged (QoS 1 and 2) yet.
    [[nodiscard]] std::size_t unfinished() const noexcept { return protocol_.unfinished(); }
    [[nodiscard]] const Protocol& protocol() const noexcept { return protocol_; }

private:
    enum class Phase : std::uint8_t {
        Stopped,
        Dialing,
        Online,     // There is a network connection.
        Lingering,  // Our last bytes are out; until the server has closed too.
        Waiting,    // For the next attempt.
        Stopping,   // There was no connection; only on_disconnected is due.
    };

    void on_ready(net::Readiness readiness) override;
    void on_timer();

    void dial();
    void on_dialed(net::Result<std::unique_ptr<net::Stream>> outcome);
    void read();
    void take(Bytes bytes);
    [[nodiscard]] std::size_t handle_packets(Bytes bytes);
    void flush();
    void after_command();
    void follow_up();
    void end_connection();
    void connection_gone(std::string_view reason);
    void dispatch();
    template <class Kind>
    void tell(const Kind& event);
    void ended(const Disconnection& disconnection);
    [[nodiscard]] bool worth_retrying(const Disconnection& disconnection) const noexcept;

    net::EventLoop& loop_;
    Protocol protocol_;
    Callbacks callbacks_;
    Reconnect reconnect_;
    Backoff backoff_;
    net::Dialer dialer_;
    net::Timer timer_;  // Of whatever the phase waits for.
    net::Url url_;
    std::shared_ptr<const tls::ClientContext> tls_;
    Phase phase_ = Phase::Stopped;
    bool wanted_ = false;       // start() was called and stop() was not.
    bool in_callback_ = false;  // The events of a call are being told; what commands cause follows after them.
    bool read_paused_ = false;  // The server reads too slowly what we answer.
    Instant connected_at_{};
    std::unique_ptr<net::Stream> stream_;
    Buffer input_;  // The beginning of a packet that has not come whole yet.
    Events events_;
};

}  // namespace chappe::client
