#include "client/client.h"

#include <sys/uio.h>

#include <random>
#include <type_traits>
#include <utility>
#include <variant>

namespace chappe::client {
namespace {

constexpr Duration linger_time_limit = 2s;

std::uint64_t random_seed() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

// The same CONNECT would be refused again, or would only take the session back from whoever has it now.
bool is_lasting(mqtt::ReasonCode code) noexcept {
    using enum mqtt::ReasonCode;
    switch (code) {
        case UnsupportedProtocolVersion:
        case ClientIdentifierNotValid:
        case BadUserNameOrPassword:
        case NotAuthorized:
        case Banned:
        case BadAuthenticationMethod:
        case SessionTakenOver:
        case UseAnotherServer:
        case ServerMoved:
            return true;
        default:
            return false;
    }
}

}  // namespace

Client::Client(net::EventLoop& loop, net::WorkerPool& pool, Options options, Callbacks callbacks,
               const Reconnect& reconnect)
    : loop_(loop),
      protocol_(std::move(options)),
      callbacks_(std::move(callbacks)),
      reconnect_(reconnect),
      backoff_(reconnect, random_seed()),
      dialer_(loop, pool),
      timer_(loop, [this] { on_timer(); }) {}

Client::~Client() {
    if (stream_) stream_->close();
}

// --- Commands

void Client::start(const net::Url& url) {
    ASSERT(phase_ == Phase::Stopped);
    url_ = url;
    wanted_ = true;
    dial();
}

void Client::stop(const mqtt::Disconnect& packet) {
    wanted_ = false;
    switch (phase_) {
        case Phase::Online:
            protocol_.disconnect(packet, loop_.now());
            after_command();
            return;
        case Phase::Dialing:
        case Phase::Waiting:
            dialer_.cancel();
            phase_ = Phase::Stopping;
            timer_.set(loop_.now());
            return;
        case Phase::Stopped:
        case Phase::Stopping:
        case Phase::Lingering:
            return;
    }
}

mqtt::Result<PublishToken> Client::publish(const mqtt::Publish& message) {
    auto token = protocol_.publish(message, loop_.now());
    after_command();
    return token;
}

RequestToken Client::subscribe(std::vector<Subscription> subscriptions, OwnedUserProperties user_properties) {
    const auto token = protocol_.subscribe(std::move(subscriptions), loop_.now(), std::move(user_properties));
    after_command();
    return token;
}

RequestToken Client::unsubscribe(std::vector<std::string> filters, OwnedUserProperties user_properties) {
    const auto token = protocol_.unsubscribe(std::move(filters), loop_.now(), std::move(user_properties));
    after_command();
    return token;
}

void Client::acknowledge(DeliveryToken token, mqtt::ReasonCode code) {
    protocol_.acknowledge(token, code, loop_.now());
    after_command();
}

void Client::authenticate(const mqtt::Auth& packet) {
    protocol_.authenticate(packet, loop_.now());
    after_command();
}

// Many commands may come in one round; what they put into the output is written once, at its end.
void Client::after_command() {
    if (phase_ == Phase::Online && !in_callback_) loop_.again(*this, {.readable = false, .writable = true});
}

// --- The network connection

void Client::dial() {
    phase_ = Phase::Dialing;
    dialer_.dial(url_, [this](net::Result<std::unique_ptr<net::Stream>> outcome) { on_dialed(std::move(outcome)); });
}

void Client::on_dialed(net::Result<std::unique_ptr<net::Stream>> outcome) {
    if (outcome && url_.scheme == net::Scheme::Mqtts) outcome = tls_->connect(*std::move(outcome), url_.host);
    auto attached = outcome ? (*outcome)->attach(loop_, *this) : net::Result<void>();
    if (!outcome || !attached) {
        ended({.cause = Cause::Unreachable, .reason = outcome ? attached.error().what : outcome.error().what});
        return;
    }
    phase_ = Phase::Online;
    stream_ = std::move(*outcome);
    read_paused_ = false;
    connected_at_ = loop_.now();
    protocol_.open(loop_.now());
    follow_up();
}

void Client::on_ready(net::Readiness readiness) {
    if (stream_ && (readiness.readable || readiness.hung_up)) read();
    if (stream_) follow_up();
}

void Client::on_timer() {
    switch (phase_) {
        case Phase::Online:
            protocol_.tick(loop_.now(), events_);
            follow_up();
            return;
        case Phase::Lingering:
            connection_gone("");
            return;
        case Phase::Waiting:
            dial();
            return;
        case Phase::Stopping:
            ended({.cause = Cause::Requested});
            return;
        case Phase::Stopped:
        case Phase::Dialing:
            return;
    }
}

void Client::read() {
    // Whoever sends without reading our answers is not read either, so that these do not pile up here.
    read_paused_ = protocol_.output().size() > 4 * protocol_.options().unsent_bytes_max;
    if (read_paused_) return;
    const auto buffer = loop_.read_buffer();
    const auto outcome = stream_->read(buffer);
    if (!outcome) {
        connection_gone(outcome.error().what);
        return;
    }
    take(Bytes(buffer.data(), outcome->size));
    if (!stream_) return;
    if (outcome->next == net::ReadOutcome::Next::More) loop_.again(*this);
    if (outcome->next == net::ReadOutcome::Next::End) connection_gone("The server closed the connection");
}

void Client::take(Bytes bytes) {
    if (input_.empty()) {
        const auto used = handle_packets(bytes);
        input_.append(bytes.subspan(used));
        return;
    }
    input_.append(bytes);
    input_.consume(handle_packets(input_.bytes()));
    if (input_.empty()) input_.release();
}

// Returns how many bytes were used. The callbacks for one packet are done before the next one is looked at.
std::size_t Client::handle_packets(Bytes bytes) {
    std::size_t used = 0;
    while (!bytes.empty()) {
        const auto size = protocol_.received(bytes, loop_.now(), events_);
        dispatch();
        if (size == 0) break;
        bytes = bytes.subspan(size);
        used += size;
    }
    return used;
}

// What is due after each call of the protocol.
void Client::follow_up() {
    dispatch();
    flush();
    if (!stream_) return;
    if (protocol_.ending()) {
        end_connection();
    } else if (const auto deadline = protocol_.deadline(); deadline != Instant::max()) {
        timer_.set(deadline);
    } else {
        timer_.cancel();
    }
}

void Client::flush() {
    auto& output = protocol_.output();
    while (!output.empty()) {
        const iovec piece{const_cast<std::uint8_t*>(output.data()), output.size()};
        const auto written = stream_->write({&piece, 1});
        if (!written) {
            connection_gone(written.error().what);
            return;
        }
        output.consume(*written);
        if (!output.empty()) return;  // on_ready tells when there is room.
        protocol_.drained(loop_.now(), events_);
        dispatch();
    }
    if (std::exchange(read_paused_, false)) loop_.again(*this);
}

// The protocol has ended the connection, and what it says to the server must arrive: closing while the server still
// sends would throw it away on the way, and a lost DISCONNECT makes the server publish the will. So our direction ends
// first, and the rest when the server has closed too.
void Client::end_connection() {
    if (phase_ == Phase::Online) {
        phase_ = Phase::Lingering;
        timer_.set(loop_.now() + linger_time_limit);
    }
    if (!protocol_.output().empty()) return;  // We come here again when it has been written.
    if (const auto finished = stream_->finish_writing(); !finished) connection_gone("");
}

void Client::connection_gone(std::string_view reason) {
    stream_->close();
    stream_.reset();
    timer_.cancel();
    loop_.cancel_again(*this);
    input_.clear();
    input_.release();
    protocol_.closed(reason, events_);
    dispatch();
}

// --- Events

void Client::dispatch() {
    in_callback_ = true;
    for (const auto& event : events_) {
        std::visit([this](const auto& it) { tell(it); }, event);
    }
    events_.clear();
    in_callback_ = false;
}

template <class Kind>
void Client::tell(const Kind& event) {
    const auto call = [&](const auto& callback) {
        if (callback) callback(event);
    };
    if constexpr (std::is_same_v<Kind, event::Connected>) {
        if (callbacks_.on_connected) callbacks_.on_connected(event.packet);
    } else if constexpr (std::is_same_v<Kind, event::Message>) {
        call(callbacks_.on_message);
    } else if constexpr (std::is_same_v<Kind, event::Published>) {
        call(callbacks_.on_published);
    } else if constexpr (std::is_same_v<Kind, event::Subscribed>) {
        call(callbacks_.on_subscribed);
    } else if constexpr (std::is_same_v<Kind, event::Unsubscribed>) {
        call(callbacks_.on_unsubscribed);
    } else if constexpr (std::is_same_v<Kind, event::Challenged>) {
        call(callbacks_.on_challenged);
    } else if constexpr (std::is_same_v<Kind, event::Drained>) {
        if (callbacks_.on_drained) callbacks_.on_drained();
    } else {
        ended(event.disconnection);
    }
}

void Client::ended(const Disconnection& disconnection) {
    if (disconnection.was_connected) backoff_.connection_lasted(loop_.now() - connected_at_);
    std::optional<Duration> retry_in;
    wanted_ = wanted_ && reconnect_.enabled && worth_retrying(disconnection);
    if (wanted_) {
        phase_ = Phase::Waiting;
        retry_in = backoff_.next();
        timer_.set(loop_.now() + *retry_in);
    } else {
        phase_ = Phase::Stopped;
    }
    if (callbacks_.on_disconnected) callbacks_.on_disconnected(disconnection, retry_in);
}

bool Client::worth_retrying(const Disconnection& disconnection) const noexcept {
    const bool said_by_server = disconnection.cause == Cause::Refused || disconnection.cause == Cause::Ended;
    return reconnect_.when_refused || !said_by_server || !is_lasting(disconnection.reason_code);
}

}  // namespace chappe::client
