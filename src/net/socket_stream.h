#pragma once

// A Stream over a connected TCP or Unix socket.

#include <memory>

#include "net/file_descriptor.h"
#include "net/stream.h"
#include "net/unread.h"

namespace chappe::net {

class SocketStream final : public Stream, private Handler {
public:
    // Takes a connected, non-blocking socket.
    SocketStream(FileDescriptor socket, Peer peer) noexcept : socket_(std::move(socket)), peer_(std::move(peer)) {}
    ~SocketStream() override { close(); }

    [[nodiscard]] Result<void> attach(EventLoop& loop, Handler& handler) override;
    void detach() noexcept override;
    [[nodiscard]] Result<ReadOutcome> read(std::span<std::uint8_t> into) override;
    void unread(Bytes bytes) override;
    [[nodiscard]] Result<std::size_t> write(std::span<const iovec> pieces) override;
    [[nodiscard]] Result<void> finish_writing() override;
    void close() noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return socket_.is_open(); }
    [[nodiscard]] const Peer& peer() const noexcept override { return peer_; }

    // The socket, for its options. It stays the stream's.
    [[nodiscard]] int socket() const noexcept { return socket_.get(); }

private:
    void on_ready(Readiness readiness) override;

    FileDescriptor socket_;
    Watch watch_;
    Handler* handler_ = nullptr;
    bool hung_up_ = false;  // The peer has finished or failed: read to the end, no event will follow.
    Unread unread_;
    Peer peer_;
};

}  // namespace chappe::net
