#include "web/websocket_stream.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "web/test_support.h"

namespace chappe::web {
namespace {

using net::ReadOutcome;
using test::binary;
using test::client_frame;
using test::server_frame;
using namespace std::string_literals;

class WebSocket : public testing::Test {
protected:
    WebSocket() { EXPECT_TRUE(stream.attach(*loop, owner).has_value()); }

    // Reads until nothing more comes.
    void read_all() {
        std::array<std::uint8_t, 100'000> buffer{};
        while (true) {
            const auto outcome = stream.read(buffer);
            if (!outcome) {
                error = outcome.error().what;
                return;
            }
            heard += as_text(std::span(buffer).first(outcome->size));
            next = outcome->next;
            if (next != ReadOutcome::Next::More) return;
        }
    }
    void hear(std::string text) {
        wire.incoming.push_back(std::move(text));
        read_all();
    }
    std::size_t write(std::string_view text) { return *net::test::write_text(stream, text); }
    // The socket takes so many bytes more, and says so.
    void make_room(std::size_t size) {
        wire.room = size;
        wire.handler->on_ready({.writable = true});
    }
    static constexpr auto plenty = std::numeric_limits<std::size_t>::max();

    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    net::test::TestHandler owner;
    test::Wire wire;
    WebSocketStream stream{std::make_unique<test::WireStream>(wire)};
    std::string heard;
    std::string error;
    ReadOutcome::Next next = ReadOutcome::Next::Later;
};

TEST_F(WebSocket, ReadsWhatFramesContain) {
    hear(client_frame(0x02, "one ") + client_frame(0x80, "two ") + binary("three"));
    EXPECT_EQ(heard, "one two three");
    EXPECT_EQ(next, ReadOutcome::Next::Later);
}

TEST_F(WebSocket, WritesOneFrameForEachWrite) {
    const std::string a = "head, ";
    const std::string b(1000, 'b');
    const std::array<iovec, 3> pieces = {iovec{const_cast<char*>(a.data()), a.size()}, iovec{nullptr, 0},
                                         iovec{const_cast<char*>(b.data()), b.size()}};
    EXPECT_EQ(*stream.write(pieces), a.size() + b.size());
    EXPECT_EQ(wire.sent, server_frame(0x82, a + b));
    EXPECT_EQ(write(""), 0U);
    EXPECT_EQ(wire.sent, server_frame(0x82, a + b));
}

TEST_F(WebSocket, CutsLongWritesIntoFrames) {
    const std::string text(150'000, 'x');
    EXPECT_EQ(write(text), text.size());
    EXPECT_TRUE(wire.sent == server_frame(0x82, text.substr(0, 65'535)) + server_frame(0x82, text.substr(0, 65'535)) +
                                 server_frame(0x82, text.substr(0, 18'930)));
}

TEST_F(WebSocket, WritesManyPieces) {
    std::string text;
    for (int number = 0; number != 200; ++number) text += std::to_string(number) + ' ';
    std::vector<iovec> pieces;
    for (auto& letter : text) pieces.push_back({&letter, 1});
    EXPECT_EQ(*stream.write(pieces), text.size());
    std::string content;
    for (std::size_t at = 0; at < wire.sent.size(); at += 2 + static_cast<std::size_t>(wire.sent[at + 1])) {
        content += wire.sent.substr(at + 2, static_cast<std::size_t>(wire.sent[at + 1]));
    }
    EXPECT_EQ(content, text);
}

// What a frame has promised comes, wherever the socket stops.
TEST_F(WebSocket, GoesOnWhereTheSocketStopped) {
    const auto wanted = server_frame(0x82, std::string(200, 'x')) + server_frame(0x82, "next");
    for (std::size_t first = 0; first != 210; ++first) {
        test::Wire narrow;
        WebSocketStream it(std::make_unique<test::WireStream>(narrow));
        ASSERT_TRUE(it.attach(*loop, owner).has_value());
        std::string text(200, 'x');
        narrow.room = first;
        while (true) {
            const auto taken = *net::test::write_text(it, text);
            text.erase(0, taken);
            if (text.empty()) break;
            narrow.room = plenty;
            narrow.handler->on_ready({.writable = true});
            ASSERT_TRUE(owner.last.writable);
        }
        narrow.room = plenty;
        ASSERT_EQ(*net::test::write_text(it, "next"), 4U);
        ASSERT_EQ(narrow.sent, wanted) << first;
    }
}

TEST_F(WebSocket, AnswersPings) {
    hear(client_frame(0x89, "are you there") + binary("x"));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(wire.sent, server_frame(0x8A, "are you there"));
    hear(client_frame(0x8A, "a pong that nobody asked for"));
    EXPECT_EQ(wire.sent, server_frame(0x8A, "are you there"));
}

TEST_F(WebSocket, AnswersOnlyTheLastOfManyPings) {
    std::string many;
    for (int number = 0; number != 1000; ++number) many += client_frame(0x89, std::to_string(number));
    wire.room = 0;
    hear(many);
    hear(client_frame(0x89, "first") + client_frame(0x89, "last"));
    make_room(plenty);
    EXPECT_EQ(wire.sent, server_frame(0x8A, "999") + server_frame(0x8A, "last"));
}

TEST_F(WebSocket, AnswersAPingAfterTheFrameThatHasBegun) {
    wire.room = 50;
    const std::string text(100, 'x');
    const auto taken = write(text);
    EXPECT_EQ(taken, 48U);
    hear(client_frame(0x89, "ping"));
    wire.room = plenty;
    EXPECT_EQ(write(text.substr(taken) + "more"), 52U + 4U);
    EXPECT_EQ(wire.sent, server_frame(0x82, text) + server_frame(0x8A, "ping") + server_frame(0x82, "more"));
}

TEST_F(WebSocket, ClosesWhenThePeerDoes) {
    hear(binary("x") + client_frame(0x88, "\x03\xe9 going away"s) + binary("ignored"));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(next, ReadOutcome::Next::End);
    EXPECT_EQ(wire.sent, server_frame(0x88, "\x03\xe9"s));
    EXPECT_EQ(write("goes nowhere"), 12U);
    EXPECT_EQ(wire.sent, server_frame(0x88, "\x03\xe9"s));
    read_all();
    EXPECT_EQ(next, ReadOutcome::Next::End);
}

TEST_F(WebSocket, ClosesWithoutACodeWhereThereWasNone) {
    hear(client_frame(0x88, ""));
    EXPECT_EQ(wire.sent, server_frame(0x88, ""));
}

TEST_F(WebSocket, SaysGoodbye) {
    write("last words");
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_EQ(wire.sent, server_frame(0x82, "last words") + server_frame(0x88, "\x03\xe8"s));
    EXPECT_TRUE(wire.finished);
    hear(binary("still there") + client_frame(0x88, "\x03\xe8"s));
    EXPECT_EQ(heard, "still there");
    EXPECT_EQ(next, ReadOutcome::Next::End);
    EXPECT_EQ(wire.sent, server_frame(0x82, "last words") + server_frame(0x88, "\x03\xe8"s));
}

TEST_F(WebSocket, SaysThatTheServerStops) {
    stream.going_away();
    EXPECT_EQ(wire.sent, "");
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_EQ(wire.sent, server_frame(0x88, "\x03\xe9"s));
}

TEST_F(WebSocket, TellsTheEndWhenItsGoodbyeIsSent) {
    wire.room = 1;
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_FALSE(wire.finished);
    hear(client_frame(0x88, ""));
    EXPECT_EQ(next, ReadOutcome::Next::Later);
    make_room(plenty);
    EXPECT_TRUE(wire.finished);
    EXPECT_TRUE(owner.last.readable);
    read_all();
    EXPECT_EQ(next, ReadOutcome::Next::End);
}

TEST_F(WebSocket, CannotSayGoodbyeWithinAFrame) {
    wire.room = 5;
    EXPECT_EQ(write("too much"), 3U);
    wire.room = plenty;
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_EQ(wire.sent, "\x82\x08too"s);
    EXPECT_TRUE(wire.finished);
}

TEST_F(WebSocket, TellsAnErrorOnceAndWaitsForTheEnd) {
    hear(binary("x") + client_frame(0x81, "text") + binary("y"));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(error, "read from 127.0.0.1:4000: WebSocket: MQTT needs binary frames [MQTT-6.0.0-1]");
    EXPECT_EQ(wire.sent, server_frame(0x88, "\x03\xebMQTT needs binary frames [MQTT-6.0.0-1]"s));
    error.clear();
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_TRUE(wire.finished);
    hear(binary("no more"));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(next, ReadOutcome::Next::Later);
    wire.ended = true;
    read_all();
    EXPECT_EQ(next, ReadOutcome::Next::End);
    EXPECT_EQ(error, "");
}

TEST_F(WebSocket, EndsWithoutAGoodbye) {
    wire.ended = true;
    hear(binary("x"));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(next, ReadOutcome::Next::End);
}

TEST_F(WebSocket, TellsThatThePongCouldNotBeSent) {
    wire.broken = true;
    hear(binary("x") + client_frame(0x89, ""));
    EXPECT_EQ(heard, "x");
    EXPECT_EQ(error, "write: Broken pipe");
    EXPECT_FALSE(net::test::write_text(stream, "y").has_value());
}

TEST_F(WebSocket, GivesBackWhatWasReadTooFar) {
    hear(binary("hello world"));
    heard.clear();
    stream.unread(as_bytes("world"));
    stream.unread(as_bytes("hello "));
    loop->run_once(0ms);
    EXPECT_EQ(owner.calls, 1);
    read_all();
    EXPECT_EQ(heard, "hello world");
}

TEST_F(WebSocket, MovesWithWhatIsUnread) {
    hear(binary("x") + client_frame(0x02, "half") + "\x80"s);
    stream.unread(as_bytes("unread"));
    stream.detach();
    net::test::TestHandler other;
    const auto other_loop = net::test::make_loop();
    ASSERT_TRUE(stream.attach(*other_loop, other).has_value());
    other_loop->run_once(0ms);
    EXPECT_EQ(other.calls, 1);
    heard.clear();
    hear(client_frame(0x80, " of it").substr(1));
    EXPECT_EQ(heard, "unread of it");
    stream.detach();
}

TEST(WebSocketGreeting, IsSentFirst) {
    test::Wire wire;
    const auto loop = net::test::make_loop();
    net::test::TestHandler owner;
    Buffer greeting;
    greeting.append("HTTP/1.1 101 Switching Protocols\r\n\r\n");
    WebSocketStream stream(std::make_unique<test::WireStream>(wire), std::move(greeting));
    ASSERT_TRUE(stream.attach(*loop, owner).has_value());
    wire.room = 5;
    EXPECT_EQ(*net::test::write_text(stream, "x"), 0U);
    wire.room = std::numeric_limits<std::size_t>::max();
    wire.handler->on_ready({.writable = true});
    EXPECT_TRUE(owner.last.writable);
    EXPECT_EQ(*net::test::write_text(stream, "x"), 1U);
    EXPECT_EQ(wire.sent, "HTTP/1.1 101 Switching Protocols\r\n\r\n" + server_frame(0x82, "x"));
}

// Data, pings and a socket that takes a few bytes at a time: what arrives is well-formed, and all of it.
TEST(WebSocketUnderPressure, KeepsItsPromises) {
    const char* seed_text = std::getenv("CHAPPE_SEED");
    const auto seed = seed_text != nullptr ? std::stoul(seed_text) : std::random_device()();
    SCOPED_TRACE("CHAPPE_SEED=" + std::to_string(seed));
    std::mt19937 random(static_cast<std::mt19937::result_type>(seed));
    test::Wire wire;
    const auto loop = net::test::make_loop();
    net::test::TestHandler owner;
    WebSocketStream stream(std::make_unique<test::WireStream>(wire));
    ASSERT_TRUE(stream.attach(*loop, owner).has_value());
    std::string said;
    std::string waiting;
    std::array<std::uint8_t, 1000> buffer{};
    for (int step = 0; step != 5000; ++step) {
        if (random() % 3 == 0) waiting.append(random() % 300, static_cast<char>('a' + random() % 26));
        if (random() % 4 == 0) {
            wire.incoming.push_back(client_frame(0x89, std::string(random() % 20, 'p')));
            ASSERT_TRUE(stream.read(buffer).has_value());
        }
        wire.room = step == 4999 ? std::numeric_limits<std::size_t>::max() : random() % 200;
        wire.handler->on_ready({.writable = true});
        const auto taken = *net::test::write_text(stream, waiting);
        said += waiting.substr(0, taken);
        waiting.erase(0, taken);
    }
    EXPECT_EQ(waiting, "");
    std::string heard;
    std::string_view rest = wire.sent;
    while (!rest.empty()) {
        const auto first = static_cast<std::uint8_t>(rest[0]);
        auto size = static_cast<std::size_t>(rest[1]);
        std::size_t head = 2;
        if (size == 126) {
            size =
                static_cast<std::size_t>(static_cast<std::uint8_t>(rest[2]) << 8 | static_cast<std::uint8_t>(rest[3]));
            head = 4;
        }
        ASSERT_LE(head + size, rest.size());
        if (first == 0x82) {
            heard += rest.substr(head, size);
        } else {
            ASSERT_EQ(first, 0x8A);
        }
        rest.remove_prefix(head + size);
    }
    EXPECT_TRUE(heard == said);
}

}  // namespace
}  // namespace chappe::web
