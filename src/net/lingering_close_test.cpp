#include "net/lingering_close.h"

#include "net/listener.h"
#include "net/socket_address.h"
#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::receive_text;
using test::run_until;
using test::send_text;
using test::SocketPair;
using test::write_text;

Buffer buffer_of(std::string_view text) {
    Buffer buffer;
    buffer.append(text);
    return buffer;
}

std::unique_ptr<Stream> stream_of(FileDescriptor socket) {
    return std::make_unique<SocketStream>(std::move(socket), Peer{UnixEndpoint{}, {}});
}

// A connection over TCP, where a reset destroys what has not been read yet.
struct TcpConnection {
    explicit TcpConnection(EventLoop& loop) {
        auto listener = Listener::create(loop, ListenUrl::parse("mqtt://127.0.0.1:0").value(),
                                         [this](auto accepted) { near = std::move(accepted); }, {});
        const auto address =
            to_socket_address(IpEndpoint{*IpAddress::parse("127.0.0.1"), (*listener)->local_url().port}).value();
        far = FileDescriptor(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(connect(far.get(), address.data(), address.size), 0);
        EXPECT_TRUE(run_until(loop, [this] { return near != nullptr; }));
    }

    std::unique_ptr<Stream> near;
    FileDescriptor far;
};

TEST(LingeringClose, LastWordsReachAPeerThatKeepsSending) {
    const auto loop = make_loop();
    LingeringClose closer(*loop);
    TcpConnection connection(*loop);
    send_text(connection.far.get(), "what nobody will read");
    EXPECT_EQ(write_text(*connection.near, "because ").value(), 8U);
    closer.close(std::move(connection.near), buffer_of("of this"));
    loop->run_once(0ms);
    send_text(connection.far.get(), "and more of it");
    loop->run_once(0ms);
    send_text(connection.far.get(), "and more");

    std::array<char, 64> received{};
    ASSERT_EQ(recv(connection.far.get(), received.data(), received.size(), MSG_WAITALL), 15);
    EXPECT_EQ(std::string_view(received.data(), 15), "because of this");
    EXPECT_EQ(recv(connection.far.get(), received.data(), received.size(), 0), 0) << "The end, not a reset.";
    EXPECT_EQ(closer.size(), 1U);
    connection.far.close();
    EXPECT_TRUE(run_until(*loop, [&] { return closer.size() == 0; }));
}

TEST(LingeringClose, WritesTheRestWhenThereIsRoom) {
    const auto loop = make_loop();
    LingeringClose closer(*loop);
    SocketPair pair;
    auto stream = stream_of(std::move(pair.near));
    const std::string block(1'000'000, 'x');
    std::size_t sent = write_text(*stream, block).value();
    ASSERT_LT(sent, block.size());
    closer.close(std::move(stream), buffer_of(block.substr(sent) + "END"));
    std::string received;
    ASSERT_TRUE(run_until(*loop, [&] {
        received += receive_text(pair.far.get());
        return received.size() == block.size() + 3;
    }));
    EXPECT_TRUE(received.ends_with("xEND"));
    pair.far.close();
    EXPECT_TRUE(run_until(*loop, [&] { return closer.size() == 0; }));
}

TEST(LingeringClose, GivesUpAtTheTimeLimit) {
    const auto loop = make_loop();
    LingeringClose closer(*loop, {.time_limit = 5ms});
    std::array<SocketPair, 3> pairs;
    const auto start = loop->now();
    for (auto& pair : pairs) closer.close(stream_of(std::move(pair.near)));
    EXPECT_EQ(closer.size(), 3U);
    ASSERT_TRUE(run_until(*loop, [&] { return closer.size() == 0; }));
    EXPECT_GE(loop->now(), start + 5ms);
    EXPECT_EQ(send(pairs[0].far.get(), "x", 1, MSG_NOSIGNAL), -1) << "It is closed.";
}

TEST(LingeringClose, ClosesTheOldestWhenThereAreTooMany) {
    const auto loop = make_loop();
    LingeringClose closer(*loop, {.streams_max = 2});
    std::array<SocketPair, 3> pairs;
    for (auto& pair : pairs) closer.close(stream_of(std::move(pair.near)));
    EXPECT_EQ(closer.size(), 2U);
    EXPECT_EQ(send(pairs[0].far.get(), "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(send(pairs[1].far.get(), "x", 1, MSG_NOSIGNAL), 1);
}

TEST(LingeringClose, ForgetsAConnectionThatHasFailed) {
    const auto loop = make_loop();
    LingeringClose closer(*loop);
    SocketPair pair;
    auto stream = stream_of(std::move(pair.near));
    pair.far.close();
    closer.close(std::move(stream), buffer_of("too late"));
    ASSERT_TRUE(run_until(*loop, [&] { return closer.size() == 0; }));
}

TEST(LingeringClose, ClosesAllThatIsLeftWhenItGoes) {
    const auto loop = make_loop();
    SocketPair pair;
    {
        LingeringClose closer(*loop);
        closer.close(stream_of(std::move(pair.near)));
    }
    EXPECT_EQ(send(pair.far.get(), "x", 1, MSG_NOSIGNAL), -1);
}

}  // namespace
}  // namespace chappe::net
