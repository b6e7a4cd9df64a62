#include "web/entrance.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "web/test_support.h"

namespace chappe::web {
namespace {

using net::ReadOutcome;
using test::binary;
using test::server_frame;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::string_literals;

const std::string good_request =
    "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
    "13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nX-Forwarded-For: "
    "203.0.113.7\r\n\r\n";
const std::string connect = "\x10\x0c\0\4MQTT\4\2\0\0\0\0"s;

class EntranceTest : public testing::Test {
protected:
    EntranceTest() { EXPECT_TRUE(stream.attach(*loop, owner).has_value()); }

    void read_all() {
        std::array<std::uint8_t, 100'000> buffer{};
        while (true) {
            const auto outcome = stream.read(buffer);
            if (!outcome) {
                EXPECT_EQ(outcome.error().code, EPROTO);
                error = outcome.error().what;
                return;
            }
            heard += as_text(std::span(buffer).first(outcome->size));
            next = outcome->next;
            if (next != ReadOutcome::Next::More) return;
        }
    }
    // As the loop would: a stream that has been attached anew is told what is ready.
    void hear(std::string text) {
        wire.incoming.push_back(std::move(text));
        for (int round = 0; round != 3; ++round) read_all();
        if (wire.handler != nullptr) wire.handler->on_ready({.readable = true, .writable = true});
    }
    std::shared_ptr<Rules> make_rules() {
        auto made = std::make_shared<Rules>();
        made->heads_bytes_max = 20'000;
        return made;
    }

    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    net::test::TestHandler owner;
    test::Wire wire;
    std::shared_ptr<Rules> rules = make_rules();
    Entrance stream{std::make_unique<test::WireStream>(wire), rules};
    std::string heard;
    std::string error;
    ReadOutcome::Next next = ReadOutcome::Next::Later;
};

TEST_F(EntranceTest, LetsMqttThrough) {
    hear(connect);
    hear("anything");
    EXPECT_EQ(heard, connect + "anything");
    EXPECT_EQ(*net::test::write_text(stream, "answer"), 6U);
    EXPECT_EQ(wire.sent, "answer");
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_TRUE(wire.finished);
}

TEST_F(EntranceTest, TakesWhatTlsHasSettledForMqtt) {
    wire.peer.tls = std::make_shared<net::TlsPeer>(net::TlsPeer{.application_protocol = "mqtt"});
    hear("GET /");
    EXPECT_EQ(heard, "GET /");
}

TEST_F(EntranceTest, BecomesAWebSocketWhereverTheRequestIsCut) {
    const auto all = good_request + binary(connect);
    for (std::size_t cut = 1; cut < all.size(); ++cut) {
        test::Wire other;
        Entrance it(std::make_unique<test::WireStream>(other), rules);
        ASSERT_TRUE(it.attach(*loop, owner).has_value());
        std::string content;
        std::array<std::uint8_t, 1000> buffer{};
        for (const auto& part : {all.substr(0, cut), all.substr(cut)}) {
            other.incoming.push_back(part);
            for (int round = 0; round != 5; ++round) {
                const auto outcome = it.read(buffer);
                ASSERT_TRUE(outcome.has_value());
                content += as_text(std::span(buffer).first(outcome->size));
                other.handler->on_ready({.writable = true});
            }
        }
        ASSERT_EQ(content, connect) << cut;
        ASSERT_EQ(*net::test::write_text(it, "answer"), 6U);
        ASSERT_THAT(other.sent, StartsWith("HTTP/1.1 101 "));
        ASSERT_TRUE(other.sent.ends_with("\r\n\r\n" + server_frame(0x82, "answer")));
    }
    EXPECT_EQ(rules->heads_bytes, 0U);
}

TEST_F(EntranceTest, MovesToAnotherLoop) {
    hear(good_request);
    hear(binary("one"));
    EXPECT_EQ(heard, "one");
    stream.unread(as_bytes("again "));
    stream.detach();
    net::test::TestHandler other;
    const auto other_loop = net::test::make_loop();
    ASSERT_TRUE(stream.attach(*other_loop, other).has_value());
    other_loop->run_once(0ms);
    EXPECT_TRUE(other.last.readable);
    heard.clear();
    hear(binary("two"));
    EXPECT_EQ(heard, "again two");
    stream.detach();
}

TEST_F(EntranceTest, BelievesTrustedProxies) {
    hear(good_request);
    EXPECT_EQ(stream.peer().text(), "127.0.0.1:4000");
    rules->trusted_proxies.push_back(*net::Network::parse("127.0.0.0/8"));
    test::Wire other;
    Entrance it(std::make_unique<test::WireStream>(other), rules);
    ASSERT_TRUE(it.attach(*loop, owner).has_value());
    other.incoming.push_back(good_request);
    std::array<std::uint8_t, 1000> buffer{};
    ASSERT_TRUE(it.read(buffer).has_value());
    EXPECT_EQ(it.peer().text(), "203.0.113.7");
    EXPECT_FALSE(it.is_local());
}

TEST_F(EntranceTest, RefusesOtherRequests) {
    hear("GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(error, "read from 127.0.0.1:4000: HTTP 404: There is nothing here; MQTT over WebSocket is at /mqtt.");
    EXPECT_THAT(wire.sent, StartsWith("HTTP/1.1 404 Not Found\r\nConnection: close\r\n"));
    const auto answer = wire.sent;
    EXPECT_EQ(*net::test::write_text(stream, "goes nowhere"), 12U);
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_TRUE(wire.finished);
    hear(good_request);
    EXPECT_EQ(heard, "");
    EXPECT_EQ(wire.sent, answer);
    wire.ended = true;
    read_all();
    EXPECT_EQ(next, ReadOutcome::Next::End);
}

TEST_F(EntranceTest, FinishesWhenTheRefusalIsSent) {
    wire.room = 10;
    hear("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_FALSE(wire.finished);
    wire.room = 100'000;
    wire.handler->on_ready({.writable = true});
    EXPECT_TRUE(wire.finished);
    EXPECT_TRUE(wire.sent.ends_with("is at /mqtt.\n"));
}

TEST_F(EntranceTest, RefusesWhatIsNeitherAtOnce) {
    hear("\x16\x03\x01");
    EXPECT_THAT(error, HasSubstr("HTTP 400: This is neither MQTT nor HTTP."));
}

TEST_F(EntranceTest, RefusesWhatIsNoRequest) {
    hear("HELO there\r\n\r\n");
    EXPECT_THAT(error, HasSubstr("HTTP 400: This is not a request of HTTP."));
}

TEST_F(EntranceTest, RefusesALongHead) {
    hear("GET /mqtt HTTP/1.1\r\nX: " + std::string(request_head_max - 30, 'x'));
    EXPECT_EQ(error, "");
    hear(std::string(30, 'x'));
    EXPECT_THAT(error, HasSubstr("HTTP 431: The head of a request may have 16 KiB."));
    EXPECT_EQ(rules->heads_bytes, 0U);
}

TEST_F(EntranceTest, RefusesMoreThanAllHeadsMayHave) {
    hear("GET /mqtt HTTP/1.1\r\nX: " + std::string(15'000, 'x'));
    EXPECT_EQ(error, "");
    {
        test::Wire other;
        Entrance second(std::make_unique<test::WireStream>(other), rules);
        ASSERT_TRUE(second.attach(*loop, owner).has_value());
        other.incoming.push_back("GET /mqtt HTTP/1.1\r\nX: " + std::string(5'000, 'x'));
        std::array<std::uint8_t, 10'000> buffer{};
        EXPECT_FALSE(second.read(buffer).has_value());
        EXPECT_THAT(other.sent, StartsWith("HTTP/1.1 503 "));
    }
    stream.close();
    EXPECT_EQ(rules->heads_bytes, 0U);
}

TEST_F(EntranceTest, EndsBeforeAnythingHasCome) {
    wire.ended = true;
    read_all();
    EXPECT_EQ(next, ReadOutcome::Next::End);
}

TEST_F(EntranceTest, GivesNoAnswerToWhoIsTooLate) {
    hear("GET /mqtt HTT");
    ASSERT_TRUE(stream.finish_writing().has_value());
    EXPECT_TRUE(wire.finished);
    hear("P/1.1\r\n\r\n");
    EXPECT_EQ(wire.sent, "");
    EXPECT_EQ(error, "");
}

}  // namespace
}  // namespace chappe::web
