#pragma once

// A stream whose other end is the test, and frames as clients send them.

#include <algorithm>
#include <deque>
#include <limits>
#include <string>
#include <string_view>

#include "net/stream.h"
#include "net/test_support.h"
#include "net/unread.h"
#include "web/frame.h"

namespace chappe::web::test {

// What the test and the stream share: the stream itself belongs to what is tested.
struct Wire {
    std::deque<std::string> incoming;  // One element is read at a time.
    bool ended = false;                // After `incoming`.
    std::string sent;
    std::size_t room = std::numeric_limits<std::size_t>::max();  // How much is taken before it is full.
    bool broken = false;                                         // Writing fails.
    bool finished = false;
    bool open = true;
    net::Handler* handler = nullptr;
    net::Peer peer{net::IpEndpoint{*net::IpAddress::parse("127.0.0.1"), 4000}, {}, {}};
};

class WireStream final : public net::Stream {
public:
    explicit WireStream(Wire& wire) : wire_(wire) {}

    net::Result<void> attach(net::EventLoop&, net::Handler& handler) override {
        wire_.handler = &handler;
        return {};
    }
    void detach() noexcept override { wire_.handler = nullptr; }
    net::Result<net::ReadOutcome> read(std::span<std::uint8_t> into) override {
        if (!unread_.empty()) return net::ReadOutcome{unread_.take(into), net::ReadOutcome::Next::More};
        if (wire_.incoming.empty()) {
            return net::ReadOutcome{0, wire_.ended ? net::ReadOutcome::Next::End : net::ReadOutcome::Next::Later};
        }
        auto& next = wire_.incoming.front();
        const auto size = std::min(next.size(), into.size());
        std::ranges::copy_n(next.begin(), static_cast<std::ptrdiff_t>(size), into.begin());
        next.erase(0, size);
        if (next.empty()) wire_.incoming.pop_front();
        return net::ReadOutcome{size, net::ReadOutcome::Next::More};
    }
    void unread(Bytes bytes) override { unread_.put_back(bytes); }
    net::Result<std::size_t> write(std::span<const iovec> pieces) override {
        if (wire_.broken) return net::io_error("write", EPIPE);
        std::size_t total = 0;
        for (const auto& piece : pieces) {
            const auto size = std::min(piece.iov_len, wire_.room);
            wire_.sent.append(static_cast<const char*>(piece.iov_base), size);
            wire_.room -= size;
            total += size;
        }
        return total;
    }
    net::Result<void> finish_writing() override {
        wire_.finished = true;
        return {};
    }
    void close() noexcept override { wire_.open = false; }
    [[nodiscard]] bool is_open() const noexcept override { return wire_.open; }
    [[nodiscard]] const net::Peer& peer() const noexcept override { return wire_.peer; }

private:
    Wire& wire_;
    net::Unread unread_;
};

inline constexpr std::string_view mask = "\x12\x34\x56\x78";

[[nodiscard]] inline std::string masked(std::string_view payload) {
    std::string text(payload);
    for (std::size_t at = 0; at != text.size(); ++at) text[at] = static_cast<char>(text[at] ^ mask[at % 4]);
    return text;
}

// The first byte of a frame, then its length, mask and payload.
[[nodiscard]] inline std::string client_frame(int first, std::string_view payload) {
    std::string text(1, static_cast<char>(first));
    const auto size = payload.size();
    int bytes = 0;
    if (size < 126) {
        text += static_cast<char>(0x80 | size);
    } else {
        bytes = size <= 0xFFFF ? 2 : 8;
        text += static_cast<char>(0x80 | (bytes == 2 ? 126 : 127));
    }
    for (int at = bytes - 1; at >= 0; --at) text += static_cast<char>(size >> (8 * at));
    text += mask;
    return text + masked(payload);
}

[[nodiscard]] inline std::string binary(std::string_view payload) { return client_frame(0x82, payload); }

// A frame of the server's.
[[nodiscard]] inline std::string server_frame(int first, std::string_view payload) {
    std::string text(1, static_cast<char>(first));
    if (payload.size() < 126) {
        text += static_cast<char>(payload.size());
    } else {
        text += {126, static_cast<char>(payload.size() >> 8), static_cast<char>(payload.size())};
    }
    return text.append(payload);
}

}  // namespace chappe::web::test
