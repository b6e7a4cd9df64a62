#pragma once

// A connection that a proxy has made for a client: a Stream that takes the PROXY header off the front of the one below,
// and from then on is the client's. Whether the proxy may be believed is for its owner to know.

#include <functional>
#include <memory>

#include "net/stream.h"
#include "proxy/header.h"

namespace chappe::proxy {

class Stream final : public net::Stream, private net::Handler {
public:
    // Asked once, when the header has told for whom the proxy connects, before anything behind it is read. An error is
    // handed to the reader.
    using Admit = std::move_only_function<net::Result<void>(const net::Endpoint& client)>;

    explicit Stream(std::unique_ptr<net::Stream> below, Admit admit = {})
        : below_(std::move(below)), admit_(std::move(admit)) {}
    ~Stream() override { close(); }

    [[nodiscard]] net::Result<void> attach(net::EventLoop& loop, net::Handler& handler) override;
    void detach() noexcept override;
    // Nothing of the header is handed out. What is wrong with it is told once, as an error of the protocol (EPROTO);
    // who goes on reading then waits for the peer's end.
    [[nodiscard]] net::Result<net::ReadOutcome> read(std::span<std::uint8_t> into) override;
    void unread(Bytes bytes) override { below_->unread(bytes); }
    [[nodiscard]] net::Result<std::size_t> write(std::span<const iovec> pieces) override {
        return below_->write(pieces);
    }
    [[nodiscard]] net::Result<void> finish_writing() override { return below_->finish_writing(); }
    void close() noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return below_->is_open(); }
    // That of the client, once the header has been read and where it names one; before, of the proxy.
    [[nodiscard]] const net::Peer& peer() const noexcept override { return client_ ? *client_ : below_->peer(); }

private:
    enum class State : std::uint8_t {
        Header,  // It is coming.
        Client,  // It has come, and the stream below is the client's.
        Refused,
    };

    void on_ready(net::Readiness readiness) override;
    [[nodiscard]] net::Result<void> take_header(std::span<std::uint8_t> into, net::ReadOutcome& outcome);
    [[nodiscard]] net::Result<void> take_client(Header header);

    std::unique_ptr<net::Stream> below_;
    Admit admit_;
    net::EventLoop* loop_ = nullptr;
    net::Handler* handler_ = nullptr;
    std::unique_ptr<const net::Peer> client_;  // Null: the peer is that of the stream below.
    Buffer header_;                            // What has come of it.
    State state_ = State::Header;
};

}  // namespace chappe::proxy
