#pragma once

// TLS over another Stream. The handshake happens as the stream is read or written; when the first byte has been read,
// peer() tells what it has found out.

#include <memory>
#include <optional>

#include "net/stream.h"
#include "net/unread.h"
#include "tls/handles.h"

namespace chappe::tls {

class Stream final : public net::Stream, private net::Handler {
public:
    // `keeps` is what the SSL object refers to.
    Stream(std::unique_ptr<net::Stream> below, SslHandle ssl, std::shared_ptr<const void> keeps = {});
    ~Stream() override { close(); }

    [[nodiscard]] net::Result<void> attach(net::EventLoop& loop, net::Handler& handler) override;
    void detach() noexcept override;
    [[nodiscard]] net::Result<net::ReadOutcome> read(std::span<std::uint8_t> into) override;
    void unread(Bytes bytes) override;
    [[nodiscard]] net::Result<std::size_t> write(std::span<const iovec> pieces) override;
    [[nodiscard]] net::Result<void> finish_writing() override;
    void close() noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return below_->is_open(); }
    [[nodiscard]] const net::Peer& peer() const noexcept override { return established_ ? peer_ : below_->peer(); }

    // --- For the BIO through which OpenSSL reads and writes.
    int read_below(std::span<std::uint8_t> into);  // -1: nothing now, or failed; 0: the end.
    void write_below(Bytes bytes);
    [[nodiscard]] bool at_end() const noexcept { return at_end_; }

private:
    void on_ready(net::Readiness readiness) override;
    [[nodiscard]] net::Result<void> flush();
    [[nodiscard]] net::Result<void> write_record(Bytes plain);
    // OpenSSL does not go on; from now on every call says why.
    [[nodiscard]] std::unexpected<net::IoError> fail(int ssl_error);
    void note_handshake();
    void say_goodbye() noexcept;

    std::unique_ptr<net::Stream> below_;
    std::shared_ptr<const void> keeps_;
    SslHandle ssl_;
    net::EventLoop* loop_ = nullptr;
    net::Handler* handler_ = nullptr;
    net::Unread unread_;
    Buffer unsent_;                        // Encrypted, and not yet taken by the stream below.
    net::Peer peer_;                       // Once the handshake is over.
    net::Result<void> below_works_;        // Or why not any more.
    std::optional<net::IoError> failure_;  // No more can be read and written.
    std::size_t read_without_data_ = 0;    // Bytes from below since data was last read.
    bool at_end_ = false;
    bool established_ = false;
    bool write_waits_ = false;     // For the handshake, and so for what the peer says.
    bool finish_follows_ = false;  // The stream below is to finish writing when `unsent_` is empty.
};

}  // namespace chappe::tls
