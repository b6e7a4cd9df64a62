#pragma once

// What the tests of this folder share.

#include <sys/socket.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "net/event_loop.h"
#include "net/socket_stream.h"

namespace chappe::net::test {

[[nodiscard]] inline std::unique_ptr<EventLoop> make_loop(const LoopOptions& options = {}) {
    auto loop = EventLoop::create(options);
    EXPECT_TRUE(loop.has_value());
    return std::move(*loop);
}

// Runs rounds until it is so. Fails, instead of hanging, when it never comes to be.
[[nodiscard]] inline bool run_until(EventLoop& loop, const std::function<bool()>& reached) {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!reached()) {
        if (std::chrono::steady_clock::now() > give_up) return false;
        loop.run_once(100ms);
    }
    return true;
}

// A handler that does what the test says.
class TestHandler final : public Handler {
public:
    using Action = std::function<void(Readiness)>;

    explicit TestHandler(Action to_do = {}) : action(std::move(to_do)) {}

    void on_ready(Readiness readiness) override {
        ++calls;
        last = readiness;
        if (action) action(readiness);
    }

    Action action;
    int calls = 0;
    Readiness last;
};

// Two connected sockets, each non-blocking.
struct SocketPair {
    SocketPair() {
        std::array<int, 2> fds{};
        EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()), 0);
        near = FileDescriptor(fds[0]);
        far = FileDescriptor(fds[1]);
    }

    FileDescriptor near;
    FileDescriptor far;
};

inline void send_text(int socket, std::string_view text) {
    ASSERT_EQ(send(socket, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

// All that can be read now.
[[nodiscard]] inline std::string receive_text(int socket) {
    std::string text;
    std::array<char, 4096> buffer{};
    for (;;) {
        const auto size = recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
}

[[nodiscard]] inline Result<std::size_t> write_text(Stream& stream, std::string_view text) {
    const iovec piece{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    return stream.write({&piece, 1});
}

}  // namespace chappe::net::test
