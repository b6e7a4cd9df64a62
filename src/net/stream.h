#pragma once

// A connection as a stream of bytes that never blocks. SocketStream is one; TLS, WebSocket and PROXY wrap one, by being
// the Handler of the stream below and calling the owner's Handler for what they have made of it.

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "net/endpoint.h"
#include "net/event_loop.h"
#include "net/io_error.h"

namespace chappe::net {

struct ReadOutcome {
    enum class Next : std::uint8_t {
        More,   // There may be more to read: read on, or ask the loop to call again().
        Later,  // Nothing more now; on_ready will tell.
        End,    // The peer has finished sending; nothing will follow.
    };

    std::size_t size = 0;  // Bytes that were read, which come before what `next` says.
    Next next = Next::Later;
};

// Used by one thread at a time: that of the loop it is attached to, or whoever holds it while it is not attached.
class Stream {
public:
    Stream() = default;
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    virtual ~Stream() = default;

    // From now on the handler is told when to read and write, beginning with what is ready now. It must stay until the
    // stream is detached, closed or destroyed.
    [[nodiscard]] virtual Result<void> attach(EventLoop& loop, Handler& handler) = 0;

    // The handler is not called any more (also not one that asked for again()), and the stream can be moved to another
    // thread and attached to its loop.
    virtual void detach() noexcept = 0;

    [[nodiscard]] virtual Result<ReadOutcome> read(std::span<std::uint8_t> into) = 0;

    // Puts bytes back that were read too far, for the next read: they travel along when the stream changes threads.
    virtual void unread(Bytes bytes) = 0;

    // Writes the pieces in order and returns how many bytes were taken, 0 included. When that is less than all,
    // on_ready will tell with `writable` when to go on.
    [[nodiscard]] virtual Result<std::size_t> write(std::span<const iovec> pieces) = 0;

    // Ends our direction, after what was written so far; reading goes on.
    [[nodiscard]] virtual Result<void> finish_writing() = 0;

    // The server stops: where the protocol can say so, it is what the peer is told at the end.
    virtual void going_away() noexcept {}

    // Detaches and closes. What was written is still delivered, unless the peer keeps sending (see LingeringClose).
    virtual void close() noexcept = 0;
    [[nodiscard]] virtual bool is_open() const noexcept = 0;

    [[nodiscard]] virtual const Peer& peer() const noexcept = 0;
    [[nodiscard]] bool is_local() const noexcept { return peer().is_local(); }
};

}  // namespace chappe::net
