#include "net/socket_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <climits>

#include "base/assert.h"

namespace chappe::net {

namespace {

std::size_t total_size(std::span<const iovec> pieces) {
    std::size_t total = 0;
    for (const auto& piece : pieces) total += piece.iov_len;
    return total;
}

// At most IOV_MAX pieces. Not writev: it would raise SIGPIPE when the peer has gone.
ssize_t send_pieces(int socket, std::span<const iovec> pieces) {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    for (;;) {
        const auto sent = sendmsg(socket, &message, MSG_NOSIGNAL);
        if (sent >= 0 || errno != EINTR) return sent;
    }
}

ssize_t receive(int socket, std::span<std::uint8_t> into) {
    for (;;) {
        const auto received = recv(socket, into.data(), into.size(), 0);
        if (received >= 0 || errno != EINTR) return received;
    }
}

bool would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK; }

}  // namespace

Result<void> SocketStream::attach(EventLoop& loop, Handler& handler) {
    ASSERT(is_open() && !watch_.active());
    watch_ = TRY(loop.watch(socket_.get(), *this));
    handler_ = &handler;
    if (!unread_.empty()) loop.again(handler);
    return {};
}

void SocketStream::detach() noexcept {
    if (!watch_.active()) return;
    watch_.loop()->cancel_again(*handler_);
    watch_.reset();
    handler_ = nullptr;
}

void SocketStream::on_ready(Readiness readiness) {
    hung_up_ |= readiness.hung_up;
    watch_.loop()->call(*handler_, readiness);
}

Result<ReadOutcome> SocketStream::read(std::span<std::uint8_t> into) {
    using enum ReadOutcome::Next;
    ASSERT(is_open() && !into.empty());
    if (!unread_.empty()) return ReadOutcome{unread_.take(into), More};

    const auto received = receive(socket_.get(), into);
    if (received > 0) {
        const auto size = static_cast<std::size_t>(received);
        // Less than there was room for means that the socket is empty, so that asking once more would be wasted. The
        // exception is a peer that has finished: its end is still to be read, and no event will tell again.
        return ReadOutcome{size, size < into.size() && !hung_up_ ? Later : More};
    }
    if (received == 0) return ReadOutcome{0, End};
    if (would_block(errno)) return ReadOutcome{0, Later};
    return io_error("read from " + peer_.text(), errno);
}

void SocketStream::unread(Bytes bytes) {
    if (bytes.empty()) return;
    unread_.put_back(bytes);
    if (watch_.active()) watch_.loop()->again(*handler_);
}

Result<std::size_t> SocketStream::write(std::span<const iovec> pieces) {
    ASSERT(is_open());
    std::size_t total = 0;
    while (!pieces.empty()) {
        const auto chunk = pieces.first(std::min<std::size_t>(pieces.size(), IOV_MAX));
        const auto sent = send_pieces(socket_.get(), chunk);
        if (sent < 0 && would_block(errno)) break;
        if (sent < 0) return io_error("write to " + peer_.text(), errno);
        total += static_cast<std::size_t>(sent);
        pieces = pieces.subspan(chunk.size());
        // The kernel takes less only when its buffer is full, and has then noted to tell when there is room again.
        if (!pieces.empty() && static_cast<std::size_t>(sent) < total_size(chunk)) break;
    }
    return total;
}

Result<void> SocketStream::finish_writing() {
    ASSERT(is_open());
    if (shutdown(socket_.get(), SHUT_WR) != 0) return io_error("finish writing to " + peer_.text(), errno);
    return {};
}

void SocketStream::close() noexcept {
    detach();
    socket_.close();
    unread_.clear();
}

}  // namespace chappe::net
