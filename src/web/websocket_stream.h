#pragma once

// The server's side of a WebSocket (RFC 6455) as a Stream: what is read and written is the content of binary frames,
// whose bounds mean nothing to MQTT [MQTT-6.0.0-2].
//
// A frame says how long it is before its content is sent. Where the stream below takes only a part, nothing is copied:
// the rest of the frame is what is written next, and no frame of ours comes between. So Pings are answered after it,
// and of several that wait only the last, which is what RFC 6455, 5.5.3 asks for.

#include <memory>
#include <optional>

#include "net/stream.h"
#include "net/unread.h"
#include "web/frame.h"

namespace chappe::web {

class WebSocketStream final : public net::Stream, private net::Handler {
public:
    // `greeting` is what is to be sent before any frame: the answer to the request for this WebSocket.
    explicit WebSocketStream(std::unique_ptr<net::Stream> below, Buffer greeting = {});
    ~WebSocketStream() override { close(); }

    [[nodiscard]] net::Result<void> attach(net::EventLoop& loop, net::Handler& handler) override;
    void detach() noexcept override;
    // After the peer has closed the WebSocket it is at its end. An error of the protocol (EPROTO) is told once; who
    // goes on reading then waits for the peer's end.
    [[nodiscard]] net::Result<net::ReadOutcome> read(std::span<std::uint8_t> into) override;
    void unread(Bytes bytes) override;
    // When our Close frame has been sent, all is taken and goes nowhere.
    [[nodiscard]] net::Result<std::size_t> write(std::span<const iovec> pieces) override;
    // Sends a Close frame first.
    [[nodiscard]] net::Result<void> finish_writing() override;
    void going_away() noexcept override { ending_ = CloseCode::GoingAway; }
    void close() noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return below_->is_open(); }
    [[nodiscard]] const net::Peer& peer() const noexcept override { return below_->peer(); }

private:
    // What is to be said in a Close frame.
    struct Goodbye {
        CloseCode code;
        std::string_view why;
    };

    void on_ready(net::Readiness readiness) override;
    [[nodiscard]] bool has_something_to_send() const noexcept;
    [[nodiscard]] net::Result<void> flush();
    [[nodiscard]] bool next_own_frame();
    [[nodiscard]] net::Result<std::size_t> write_rest_of_frame(std::span<const iovec> pieces);
    [[nodiscard]] net::Result<std::size_t> write_frame(std::span<const iovec> pieces, std::size_t skip);
    [[nodiscard]] net::Result<net::ReadOutcome> decode(std::span<std::uint8_t> bytes, net::ReadOutcome::Next next);
    [[nodiscard]] net::Result<net::ReadOutcome> end_of_reading();

    std::unique_ptr<net::Stream> below_;
    net::EventLoop* loop_ = nullptr;
    net::Handler* handler_ = nullptr;
    net::Unread unread_;
    FrameReader reader_;
    Buffer unsent_;               // Of ours: the rest of a head, or of a control frame.
    std::size_t promised_ = 0;    // What the frame that has been begun still has to contain, behind `unsent_`.
    std::optional<Buffer> pong_;  // Its payload, until it can be sent.
    CloseCode ending_ = CloseCode::Normal;  // What is said where it is our owner who ends the WebSocket.
    std::optional<Goodbye> goodbye_;
    std::optional<net::IoError> below_failed_;  // When something of ours was sent.
    std::string_view violation_;                // Empty: none.
    bool violation_told_ = false;
    bool goodbye_begun_ = false;   // Our Close frame is in `unsent_`, or has been sent.
    bool closed_by_peer_ = false;  // Its Close frame has come.
    bool finish_follows_ = false;  // The stream below is to finish writing when all is sent.
    bool finished_ = false;        // It has.
};

}  // namespace chappe::web
