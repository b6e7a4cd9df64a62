#include "web/entrance.h"

#include <algorithm>
#include <cerrno>
#include <tuple>
#include <utility>

#include "base/assert.h"
#include "web/websocket_stream.h"

namespace chappe::web {

namespace {

using net::ReadOutcome;
using Next = ReadOutcome::Next;

constexpr std::uint8_t connect_packet = 0x10;  // What MQTT begins with, and no HTTP.

bool is_upper_case(std::uint8_t byte) noexcept { return byte >= 'A' && byte <= 'Z'; }

}  // namespace

Entrance::Entrance(std::unique_ptr<net::Stream> below, std::shared_ptr<const Rules> rules)
    : below_(std::move(below)), rules_(std::move(rules)) {}

net::Result<void> Entrance::attach(net::EventLoop& loop, net::Handler& handler) {
    // Once MQTT is spoken, the stream below can do without us in between.
    TRY(below_->attach(loop, state_ == State::Mqtt ? handler : *this));
    loop_ = &loop;
    handler_ = &handler;
    return {};
}

void Entrance::detach() noexcept {
    if (handler_ != nullptr) loop_->cancel_again(*handler_);
    handler_ = nullptr;
    below_->detach();
}

void Entrance::on_ready(net::Readiness readiness) {
    if (state_ == State::Refused && readiness.writable && !flush()) readiness.readable = true;  // It is told why.
    loop_->call(*handler_, readiness);
}

net::Result<ReadOutcome> Entrance::read(std::span<std::uint8_t> into) {
    if (state_ == State::Mqtt) return below_->read(into);
    const auto outcome = TRY(below_->read(into));
    if (state_ == State::Refused) return ReadOutcome{0, outcome.next};
    if (outcome.size == 0) return outcome;
    if (state_ == State::Unknown) {
        if (is_mqtt(into.front())) {
            state_ = State::Mqtt;
            rules_.reset();
            return outcome;
        }
        state_ = State::Request;
        if (!is_upper_case(into.front())) return refuse(refusal(bad_request, "This is neither MQTT nor HTTP."));
    }
    return read_head(into.first(outcome.size), outcome.next);
}

bool Entrance::is_mqtt(std::uint8_t first) const noexcept {
    const auto& tls = below_->peer().tls;
    return first == connect_packet || (tls && tls->application_protocol == "mqtt");
}

net::Result<ReadOutcome> Entrance::read_head(Bytes bytes, Next next) {
    const auto before = bytes_.size();
    const auto part = bytes.first(std::min(bytes.size(), request_head_max - before));
    if (!keep_head(part)) return refuse(refusal(unavailable, "Too many requests wait to be completed."));
    const auto size = head_size(as_text(bytes_.bytes()), before < 3 ? 0 : before - 3);
    if (size) return take_request(as_text(bytes_.bytes()).substr(0, *size), bytes.subspan(*size - before));
    if (bytes_.size() == request_head_max) {
        return refuse(refusal(head_too_large, "The head of a request may have 16 KiB."));
    }
    return ReadOutcome{0, next};
}

net::Result<ReadOutcome> Entrance::take_request(std::string_view head, Bytes rest) {
    const auto request = parse_request_head(head);
    if (!request) return refuse(refusal(bad_request, "This is not a request of HTTP."));
    if (const auto client = forwarded_for(*request, below_->peer().endpoint, *rules_)) {
        forwarded_ = std::make_unique<net::Peer>(below_->peer());
        forwarded_->endpoint = net::IpEndpoint{.address = *client, .port = 0};
    }
    auto answered = answer(*request, *rules_, below_->peer().tls != nullptr);
    if (!answered.is_websocket()) return refuse(std::move(answered));
    Buffer greeting;
    greeting.append(answered.text);
    below_->unread(rest);
    return become_websocket(std::move(greeting));
}

// The stream below is attached anew, which tells what is ready by then.
net::Result<ReadOutcome> Entrance::become_websocket(Buffer greeting) {
    ASSERT(handler_ != nullptr);
    forget_head();
    rules_.reset();
    state_ = State::Mqtt;
    below_->detach();
    below_ = std::make_unique<WebSocketStream>(std::move(below_), std::move(greeting));
    TRY(below_->attach(*loop_, *this));
    return ReadOutcome{0, Next::Later};
}

std::unexpected<net::IoError> Entrance::refuse(Answer answer) {
    forget_head();
    rules_.reset();
    state_ = State::Refused;
    bytes_.append(answer.text);
    std::ignore = flush();  // A failure shows when the peer's end is waited for.
    return std::unexpected(net::IoError{EPROTO, "read from " + peer().text() + ": HTTP " +
                                                    std::to_string(answer.status.code) + ": " +
                                                    std::string(answer.why)});
}

bool Entrance::keep_head(Bytes bytes) {
    if (rules_->heads_bytes.fetch_add(bytes.size()) + bytes.size() > rules_->heads_bytes_max) {
        rules_->heads_bytes.fetch_sub(bytes.size());
        return false;
    }
    bytes_.append(bytes);
    return true;
}

void Entrance::forget_head() noexcept {
    if (rules_) rules_->heads_bytes.fetch_sub(bytes_.size());
    bytes_.release();
}

// What is left of a refusal.
net::Result<void> Entrance::flush() {
    if (!bytes_.empty()) {
        const iovec piece{.iov_base = const_cast<std::uint8_t*>(bytes_.data()), .iov_len = bytes_.size()};
        bytes_.consume(TRY(below_->write({&piece, 1})));
        if (!bytes_.empty()) return {};
        bytes_.release();
    }
    if (!finish_follows_ || finished_) return {};
    finished_ = true;
    return below_->finish_writing();
}

net::Result<std::size_t> Entrance::write(std::span<const iovec> pieces) {
    if (state_ == State::Mqtt) return below_->write(pieces);
    std::size_t total = 0;
    for (const auto& piece : pieces) total += piece.iov_len;
    return total;
}

// Who ends a connection that has not said what it wants gets no answer any more.
net::Result<void> Entrance::finish_writing() {
    if (state_ == State::Mqtt) return below_->finish_writing();
    if (state_ != State::Refused) {
        forget_head();
        rules_.reset();
        state_ = State::Refused;
    }
    finish_follows_ = true;
    return flush();
}

void Entrance::close() noexcept {
    forget_head();
    rules_.reset();
    detach();
    below_->close();
}

const net::Peer& Entrance::peer() const noexcept { return forwarded_ ? *forwarded_ : below_->peer(); }

}  // namespace chappe::web
