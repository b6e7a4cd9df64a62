#include "proxy/stream.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/test_support.h"
#include "proxy/test_support.h"

namespace chappe::proxy {
namespace {

using net::ReadOutcome;
using test::ipv4_addresses;
using test::ssl_field;
using test::v2;
using testing::HasSubstr;

const std::string line = "PROXY TCP4 203.0.113.7 192.0.2.1 56324 443\r\n";

class StreamTest : public testing::Test {
protected:
    StreamTest() {
        stream = std::make_unique<Stream>(std::make_unique<net::SocketStream>(
            std::move(sockets.near), net::Peer{net::IpEndpoint{*net::IpAddress::parse("127.0.0.1"), 4000}, {}, {}}));
        owner.action = [this](net::Readiness readiness) {
            if (readiness.readable) read();
        };
        EXPECT_TRUE(stream->attach(*loop, owner).has_value());
    }

    void read() {
        std::array<std::uint8_t, 1000> buffer{};
        ++reads;
        const auto outcome = stream->read(buffer);
        if (!outcome) {
            EXPECT_EQ(outcome.error().code, EPROTO);
            ++errors;
            error = outcome.error().what;
            loop->again(owner);
            return;
        }
        heard += as_text(std::span(buffer).first(outcome->size));
        ended = outcome->next == ReadOutcome::Next::End;
        if (outcome->next == ReadOutcome::Next::More) loop->again(owner);
    }
    void hear(std::string_view text) {
        net::test::send_text(sockets.far.get(), text);
        for (int round = 0; round != 3; ++round) loop->run_once(0ms);
    }

    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    net::test::TestHandler owner;
    net::test::SocketPair sockets;  // The far one is the proxy's.
    net::test::SocketPair other;
    std::unique_ptr<Stream> stream;
    std::string heard;
    std::string error;
    int reads = 0;
    int errors = 0;
    bool ended = false;
};

TEST_F(StreamTest, IsTheClientsAfterTheHeader) {
    EXPECT_EQ(stream->peer().text(), "127.0.0.1:4000");
    hear(line + "hello");
    EXPECT_EQ(heard, "hello");
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
    EXPECT_EQ(stream->peer().tls, nullptr);
    EXPECT_FALSE(stream->is_local());
    hear(line);  // Of the client, who may send what he likes.
    EXPECT_EQ(heard, "hello" + line);
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
}

TEST_F(StreamTest, KnowsTheClientBeforeItSaysAnything) {
    hear(line);
    EXPECT_EQ(heard, "");
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
    hear("hello");
    EXPECT_EQ(heard, "hello");
}

TEST_F(StreamTest, TakesAHeaderInPieces) {
    const auto text = v2(0x21, 0x11, ipv4_addresses + ssl_field(7, 0, "pump-7")) + "hello";
    for (const auto letter : text) hear(std::string(1, letter));
    EXPECT_EQ(heard, "hello");
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
    ASSERT_NE(stream->peer().tls, nullptr);
    ASSERT_NE(stream->peer().tls->certificate, nullptr);
    EXPECT_EQ(stream->peer().tls->certificate->common_name, "pump-7");
}

TEST_F(StreamTest, TakesALongHeader) {
    hear(v2(0x21, 0x11, ipv4_addresses + test::field(4, std::string(10'000, 'x'))) + "hello");
    EXPECT_EQ(heard, "hello");
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
}

TEST_F(StreamTest, IsTheProxysWhereItSpeaksForItself) {
    hear(v2(0x20, 0x00, "") + "hello");
    EXPECT_EQ(heard, "hello");
    EXPECT_EQ(stream->peer().text(), "127.0.0.1:4000");
}

TEST_F(StreamTest, RefusesWhatIsNoHeaderAndWaitsForTheEnd) {
    hear("\x10hello");
    EXPECT_EQ(error, "read from 127.0.0.1:4000: the PROXY header is wrong: the connection does not begin with one");
    hear(line + "hello");
    EXPECT_EQ(heard, "");
    EXPECT_EQ(errors, 1);
    EXPECT_EQ(stream->peer().text(), "127.0.0.1:4000");
    EXPECT_FALSE(ended);
    sockets.far.close();
    for (int round = 0; round != 3; ++round) loop->run_once(0ms);
    EXPECT_TRUE(ended);
}

TEST_F(StreamTest, DoesNotReadOnForAClientThatIsNotAdmitted) {
    std::string asked;
    stream = std::make_unique<Stream>(std::make_unique<net::SocketStream>(std::move(other.near), net::Peer{}),
                                      [&](const net::Endpoint& client) -> net::Result<void> {
                                          asked += net::to_text(client) + ";";
                                          return std::unexpected(net::IoError{EPROTO, "not you"});
                                      });
    ASSERT_TRUE(stream->attach(*loop, owner).has_value());
    net::test::send_text(other.far.get(), line + "hello");
    for (int round = 0; round != 3; ++round) loop->run_once(0ms);
    EXPECT_EQ(asked, "203.0.113.7:56324;");
    EXPECT_EQ(error, "not you");
    EXPECT_EQ(heard, "");
    EXPECT_EQ(errors, 1);
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
}

TEST_F(StreamTest, EndsWithinTheHeader) {
    net::test::send_text(sockets.far.get(), line.substr(0, 20));
    sockets.far.close();
    for (int round = 0; round != 3; ++round) loop->run_once(0ms);
    EXPECT_TRUE(ended);
    EXPECT_EQ(heard + error, "");
}

TEST_F(StreamTest, MovesToAnotherLoop) {
    for (const bool within_the_header : {true, false}) {
        hear(within_the_header ? line.substr(0, 20) : line.substr(20) + "one ");
        stream->detach();
        loop = net::test::make_loop();
        ASSERT_TRUE(stream->attach(*loop, owner).has_value());
    }
    stream->unread(as_bytes("again "));
    hear("two");
    EXPECT_EQ(heard, "one again two");
    EXPECT_EQ(stream->peer().text(), "203.0.113.7:56324");
    stream->detach();
    const auto before = reads;
    hear("three");
    EXPECT_EQ(reads, before);
}

TEST_F(StreamTest, WritesToTheClient) {
    hear(line);
    EXPECT_EQ(*net::test::write_text(*stream, "answer"), 6U);
    ASSERT_TRUE(stream->finish_writing().has_value());
    EXPECT_EQ(net::test::receive_text(sockets.far.get()), "answer");
    char byte = 0;
    EXPECT_EQ(recv(sockets.far.get(), &byte, 1, MSG_DONTWAIT), 0);
}

}  // namespace
}  // namespace chappe::proxy
