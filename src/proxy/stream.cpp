#include "proxy/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace chappe::proxy {

using net::ReadOutcome;
using Next = ReadOutcome::Next;

net::Result<void> Stream::attach(net::EventLoop& loop, net::Handler& handler) {
    // Once the header has come, the stream below can do without us in between.
    TRY(below_->attach(loop, state_ == State::Client ? handler : *this));
    loop_ = &loop;
    handler_ = &handler;
    return {};
}

void Stream::detach() noexcept {
    if (handler_ != nullptr) loop_->cancel_again(*handler_);
    handler_ = nullptr;
    below_->detach();
}

void Stream::on_ready(net::Readiness readiness) { loop_->call(*handler_, readiness); }

net::Result<ReadOutcome> Stream::read(std::span<std::uint8_t> into) {
    while (state_ == State::Header) {
        auto outcome = TRY(below_->read(into));
        TRY(take_header(into, outcome));
        // Who reads a stream of TLS takes no data for nothing more to come, so "more" is looked for at once. It is not
        // much: a header has a bound.
        if (outcome.size != 0 || outcome.next != Next::More) return outcome;
    }
    if (state_ == State::Client) return below_->read(into);
    return ReadOutcome{0, TRY(below_->read(into)).next};
}

// Leaves in `into` and `outcome` what follows the header.
net::Result<void> Stream::take_header(std::span<std::uint8_t> into, ReadOutcome& outcome) {
    const auto before = header_.size();
    const auto part = into.first(std::min(outcome.size, header_size_max - before));
    header_.append(part);
    auto parsed = parse_header(header_.bytes());
    if (!parsed) {
        state_ = State::Refused;
        header_.release();
        return std::unexpected(net::IoError{
            EPROTO, "read from " + peer().text() + ": the PROXY header is wrong: " + std::string(parsed.error())});
    }
    const auto size = std::exchange(outcome.size, 0);
    if (!*parsed) return {};
    const auto used = (*parsed)->size - before;
    outcome.size = size - used;
    std::memmove(into.data(), into.data() + used, outcome.size);
    return take_client(*std::move(*parsed));
}

net::Result<void> Stream::take_client(Header header) {
    state_ = State::Client;
    header_.release();
    if (!header.client) return {};
    client_ = std::make_unique<const net::Peer>(
        net::Peer{.endpoint = *std::move(header.client), .credentials = {}, .tls = std::move(header.tls)});
    if (auto admit = std::exchange(admit_, {})) {
        auto admitted = admit(client_->endpoint);
        if (!admitted) state_ = State::Refused;
        return admitted;
    }
    return {};
}

void Stream::close() noexcept {
    detach();
    below_->close();
    header_.release();
}

}  // namespace chappe::proxy
