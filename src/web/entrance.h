#pragma once

// One port for everything: a Stream that finds out from the first bytes, or from what TLS has settled (ALPN), what the
// client speaks. MQTT goes through as it is; a request for a WebSocket at /mqtt becomes one; every other request is
// refused with a text for people, and told to the owner as an error of the protocol (EPROTO), once.

#include <memory>
#include <string>

#include "net/stream.h"
#include "web/upgrade.h"

namespace chappe::web {

class Entrance final : public net::Stream, private net::Handler {
public:
    Entrance(std::unique_ptr<net::Stream> below, std::shared_ptr<const Rules> rules);
    ~Entrance() override { close(); }

    [[nodiscard]] net::Result<void> attach(net::EventLoop& loop, net::Handler& handler) override;
    void detach() noexcept override;
    // Before the first byte of MQTT nothing is handed out. After a refusal it waits for the peer's end.
    [[nodiscard]] net::Result<net::ReadOutcome> read(std::span<std::uint8_t> into) override;
    void unread(Bytes bytes) override { below_->unread(bytes); }
    // Where MQTT is not spoken, all is taken and goes nowhere.
    [[nodiscard]] net::Result<std::size_t> write(std::span<const iovec> pieces) override;
    [[nodiscard]] net::Result<void> finish_writing() override;
    void going_away() noexcept override { below_->going_away(); }
    void close() noexcept override;
    [[nodiscard]] bool is_open() const noexcept override { return below_->is_open(); }
    // With the address that a trusted proxy has told.
    [[nodiscard]] const net::Peer& peer() const noexcept override;

private:
    enum class State : std::uint8_t {
        Unknown,  // Nothing has come.
        Request,  // The head of an HTTP request is coming.
        Refused,  // It has been answered, and is over.
        Mqtt,     // The stream below is MQTT.
    };

    void on_ready(net::Readiness readiness) override;
    [[nodiscard]] bool is_mqtt(std::uint8_t first) const noexcept;
    [[nodiscard]] net::Result<net::ReadOutcome> read_head(Bytes bytes, net::ReadOutcome::Next next);
    [[nodiscard]] net::Result<net::ReadOutcome> take_request(std::string_view head, Bytes rest);
    [[nodiscard]] net::Result<net::ReadOutcome> become_websocket(Buffer greeting);
    [[nodiscard]] std::unexpected<net::IoError> refuse(Answer answer);
    [[nodiscard]] bool keep_head(Bytes bytes);
    void forget_head() noexcept;
    [[nodiscard]] net::Result<void> flush();

    std::unique_ptr<net::Stream> below_;
    std::shared_ptr<const Rules> rules_;  // Null once they have been applied.
    net::EventLoop* loop_ = nullptr;
    net::Handler* handler_ = nullptr;
    std::unique_ptr<net::Peer> forwarded_;  // Null: the peer is that of the stream below.
    Buffer bytes_;                          // The head so far; or what is left of a refusal.
    State state_ = State::Unknown;
    bool finish_follows_ = false;  // After the refusal.
    bool finished_ = false;
};

}  // namespace chappe::web
