#include "web/websocket_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <tuple>
#include <utility>

#include "base/assert.h"

namespace chappe::web {

namespace {

using net::ReadOutcome;
using Next = ReadOutcome::Next;

constexpr std::size_t pieces_per_write = 64;

iovec piece_of(Bytes bytes) { return {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}; }

// A window of at most `size` bytes of the pieces, from `skip` on.
class Window {
public:
    // NOLINTNEXTLINE(*-member-init): those of `pieces_` that are used are set.
    Window(std::span<const iovec> pieces, std::size_t skip, std::size_t size_max) {
        for (const auto& piece : pieces) {
            if (skip >= piece.iov_len) {
                skip -= piece.iov_len;
                continue;
            }
            if (size_ == size_max || count_ == pieces_per_write) break;
            const Bytes rest(static_cast<const std::uint8_t*>(piece.iov_base) + skip, piece.iov_len - skip);
            const auto part = rest.first(std::min(rest.size(), size_max - size_));
            pieces_[1 + count_++] = piece_of(part);
            size_ += part.size();
            skip = 0;
        }
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::span<const iovec> pieces() const noexcept { return std::span(pieces_).subspan(1, count_); }
    [[nodiscard]] std::span<const iovec> pieces_after(Bytes head) noexcept {
        pieces_[0] = piece_of(head);
        return std::span(pieces_).first(1 + count_);
    }

private:
    std::array<iovec, 1 + pieces_per_write> pieces_;
    std::size_t count_ = 0;
    std::size_t size_ = 0;
};

std::size_t total_size(std::span<const iovec> pieces) {
    std::size_t total = 0;
    for (const auto& piece : pieces) total += piece.iov_len;
    return total;
}

}  // namespace

WebSocketStream::WebSocketStream(std::unique_ptr<net::Stream> below, Buffer greeting)
    : below_(std::move(below)), unsent_(std::move(greeting)) {}

net::Result<void> WebSocketStream::attach(net::EventLoop& loop, net::Handler& handler) {
    TRY(below_->attach(loop, *this));  // Which tells when it is writable, and so sends what is unsent.
    loop_ = &loop;
    handler_ = &handler;
    if (!unread_.empty() || closed_by_peer_ || below_failed_ || !violation_.empty()) loop.again(handler);
    return {};
}

void WebSocketStream::detach() noexcept {
    if (handler_ != nullptr) loop_->cancel_again(*handler_);
    handler_ = nullptr;
    below_->detach();
}

void WebSocketStream::on_ready(net::Readiness readiness) {
    if (readiness.writable && has_something_to_send()) {
        const bool finished_before = finished_;
        const bool failed = !flush();  // Who reads or writes next is told why.
        readiness.writable = failed || unsent_.empty();
        readiness.readable |= failed || finished_ != finished_before;  // The end was not told before.
    }
    if (readiness.readable || readiness.writable || readiness.hung_up) loop_->call(*handler_, readiness);
}

bool WebSocketStream::has_something_to_send() const noexcept {
    return !unsent_.empty() || pong_ || (goodbye_ && !goodbye_begun_) || (finish_follows_ && !finished_);
}

// Sends what is ours, as far as the stream below takes it and the frame that has been begun allows.
net::Result<void> WebSocketStream::flush() {
    if (below_failed_) return std::unexpected(*below_failed_);
    while (!unsent_.empty() || next_own_frame()) {
        const auto piece = piece_of(unsent_.bytes());
        const auto taken = below_->write({&piece, 1});
        if (!taken) {
            below_failed_ = taken.error();
            return std::unexpected(*below_failed_);
        }
        if (*taken == 0) return {};
        unsent_.consume(*taken);
        if (unsent_.empty()) unsent_.release();
    }
    if (!finish_follows_ || finished_) return {};
    finished_ = true;
    return below_->finish_writing();
}

// Puts it into `unsent_`, if there is one whose time has come.
bool WebSocketStream::next_own_frame() {
    if (promised_ != 0 || goodbye_begun_) return false;
    if (pong_) {
        append_frame(Opcode::Pong, pong_->bytes(), unsent_);
        pong_.reset();
    } else if (goodbye_) {
        append_close(goodbye_->code, goodbye_->why, unsent_);
        goodbye_begun_ = true;
    }
    return !unsent_.empty();
}

net::Result<ReadOutcome> WebSocketStream::read(std::span<std::uint8_t> into) {
    ASSERT(is_open() && !into.empty());
    if (!unread_.empty()) return ReadOutcome{unread_.take(into), Next::More};
    if (below_failed_) return std::unexpected(*below_failed_);
    if (closed_by_peer_) return end_of_reading();
    if (!violation_.empty() && !std::exchange(violation_told_, true)) {
        return std::unexpected(
            net::IoError{EPROTO, "read from " + peer().text() + ": WebSocket: " + std::string(violation_)});
    }
    const auto outcome = TRY(below_->read(into));
    if (violation_told_) return ReadOutcome{0, outcome.next};
    if (outcome.size == 0) return outcome;
    return decode(into.first(outcome.size), outcome.next);
}

net::Result<ReadOutcome> WebSocketStream::decode(std::span<std::uint8_t> bytes, Next next) {
    auto found = reader_.decode(bytes);
    if (found.ping) pong_ = std::move(found.ping);
    if (found.close) {
        closed_by_peer_ = true;
        if (!goodbye_) goodbye_ = Goodbye{*found.close, ""};
    } else if (found.violation) {
        violation_ = found.violation->why;
        goodbye_ = Goodbye{found.violation->code, violation_};
    }
    if (has_something_to_send()) std::ignore = flush();  // A failure is told with what comes next.
    if (found.close && found.size == 0) return end_of_reading();
    if (found.close || found.violation || below_failed_) return ReadOutcome{found.size, Next::More};
    return ReadOutcome{found.size, next};
}

// The stream below ends its direction when all is sent; to be told of the end before would end it earlier.
net::Result<ReadOutcome> WebSocketStream::end_of_reading() {
    return ReadOutcome{0, finish_follows_ && !finished_ ? Next::Later : Next::End};
}

void WebSocketStream::unread(Bytes bytes) {
    if (bytes.empty()) return;
    unread_.put_back(bytes);
    if (handler_ != nullptr) loop_->again(*handler_);
}

net::Result<std::size_t> WebSocketStream::write(std::span<const iovec> pieces) {
    ASSERT(is_open());
    TRY(flush());
    if (goodbye_begun_) return total_size(pieces);
    std::size_t total = unsent_.empty() ? TRY(write_rest_of_frame(pieces)) : 0;
    while (unsent_.empty() && promised_ == 0) {
        TRY(flush());  // What of ours has waited for the end of a frame.
        if (goodbye_begun_) return total_size(pieces);
        if (!unsent_.empty()) break;
        const auto written = TRY(write_frame(pieces, total));
        if (written == 0) break;
        total += written;
    }
    return total;
}

net::Result<std::size_t> WebSocketStream::write_rest_of_frame(std::span<const iovec> pieces) {
    std::size_t total = 0;
    while (promised_ != 0) {
        const Window window(pieces, total, promised_);
        if (window.size() == 0) break;
        const auto taken = TRY(below_->write(window.pieces()));
        promised_ -= taken;
        total += taken;
        if (taken < window.size()) break;
    }
    return total;
}

// Begins a frame with what there is from `skip` on, and returns how much of that was taken.
net::Result<std::size_t> WebSocketStream::write_frame(std::span<const iovec> pieces, std::size_t skip) {
    Window window(pieces, skip, frame_payload_max);
    if (window.size() == 0) return 0;
    const FrameHead head(Opcode::Binary, window.size());
    const auto taken = TRY(below_->write(window.pieces_after(head.bytes())));
    if (taken == 0) return 0;
    const auto of_head = std::min(taken, head.bytes().size());
    unsent_.append(head.bytes().subspan(of_head));
    promised_ = window.size() - (taken - of_head);
    return taken - of_head;
}

// Where the owner breaks off within a frame, no Close frame can follow it.
net::Result<void> WebSocketStream::finish_writing() {
    if (!goodbye_) goodbye_ = Goodbye{ending_, ""};
    finish_follows_ = true;
    return flush();
}

void WebSocketStream::close() noexcept {
    if (is_open() && has_something_to_send()) std::ignore = flush();
    detach();
    below_->close();
    unread_.clear();
    unsent_.release();
    pong_.reset();
}

}  // namespace chappe::web
