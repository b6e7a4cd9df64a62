#include "net/socket_stream.h"

#include <algorithm>
#include <latch>
#include <random>
#include <thread>

#include "base/random.h"
#include "net/dialer.h"
#include "net/listener.h"
#include "net/test_support.h"

namespace chappe::net {
namespace {

using enum ReadOutcome::Next;
using test::make_loop;
using test::receive_text;
using test::run_until;
using test::send_text;
using test::SocketPair;
using test::TestHandler;
using test::write_text;

Peer some_peer() { return {UnixEndpoint{"/run/test"}, {}}; }

// A stream over one end of a socket pair; the test holds the other.
struct StreamAndSocket {
    explicit StreamAndSocket(SocketPair pair = SocketPair())
        : stream(std::make_unique<SocketStream>(std::move(pair.near), some_peer())), far(std::move(pair.far)) {}

    std::unique_ptr<SocketStream> stream;
    FileDescriptor far;
};

std::string text_of(std::span<const std::uint8_t> buffer, std::size_t size) {
    return std::string(as_text(buffer.first(size)));
}

TEST(SocketStream, ReadTellsWhetherToReadOn) {
    StreamAndSocket it;
    std::array<std::uint8_t, 4> buffer{};

    auto outcome = it.stream->read(buffer).value();
    EXPECT_EQ(outcome.size, 0U);
    EXPECT_EQ(outcome.next, Later);

    send_text(it.far.get(), "abcdef");
    outcome = it.stream->read(buffer).value();
    EXPECT_EQ(text_of(buffer, outcome.size), "abcd");
    EXPECT_EQ(outcome.next, More);
    outcome = it.stream->read(buffer).value();
    EXPECT_EQ(text_of(buffer, outcome.size), "ef");
    EXPECT_EQ(outcome.next, Later) << "It was less than there was room for, so the socket is empty.";

    it.far.close();
    outcome = it.stream->read(buffer).value();
    EXPECT_EQ(outcome.size, 0U);
    EXPECT_EQ(outcome.next, End);
}

// One event tells of both, so the short read must not be taken for the last.
TEST(SocketStream, ReadsToTheEndWhenBytesAndEndCameTogether) {
    const auto loop = make_loop();
    TestHandler handler;
    StreamAndSocket it;
    std::string received;
    auto ended = false;
    handler.action = [&](Readiness) {
        for (auto next = More; next == More;) {
            const auto outcome = it.stream->read(loop->read_buffer()).value();
            received += text_of(loop->read_buffer(), outcome.size);
            next = outcome.next;
            ended = next == End;
        }
    };
    send_text(it.far.get(), "last words");
    it.far.close();
    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    loop->run_once(0ms);
    EXPECT_EQ(received, "last words");
    EXPECT_TRUE(ended);
}

TEST(SocketStream, ReportsAResetConnection) {
    StreamAndSocket it;
    ASSERT_TRUE(write_text(*it.stream, "unread").has_value());
    it.far.close();  // With unread bytes, which resets the connection.
    std::array<std::uint8_t, 4> buffer{};
    const auto outcome = it.stream->read(buffer);
    ASSERT_FALSE(outcome.has_value());
    EXPECT_EQ(outcome.error().code, ECONNRESET);
    EXPECT_EQ(outcome.error().what, "read from unix:/run/test: Connection reset by peer");
}

TEST(SocketStream, WritingToAPeerThatHasGoneIsAnErrorAndNoSignal) {
    StreamAndSocket it;
    it.far.close();
    const auto written = write_text(*it.stream, "x");
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, EPIPE);
    EXPECT_EQ(written.error().what, "write to unix:/run/test: Broken pipe");
}

TEST(SocketStream, WritesPiecesInOrderAlsoMoreThanTheKernelTakesAtOnce) {
    StreamAndSocket it;
    std::string all;
    for (auto i = 0; i < 5000; ++i) all += std::to_string(i);
    std::vector<iovec> pieces;
    for (auto& character : all) pieces.push_back({.iov_base = &character, .iov_len = 1});
    // One byte in each, which a Unix socket's buffer holds; the kernel takes 1024 pieces at once.
    ASSERT_GT(pieces.size(), 10'000U);
    std::string received;
    auto left = std::span<const iovec>(pieces);
    while (!left.empty()) {
        const auto written = it.stream->write(left).value();
        ASSERT_GT(written, 0U);
        left = left.subspan(written);
        received += receive_text(it.far.get());
    }
    EXPECT_EQ(received, all);
    EXPECT_EQ(it.stream->write({}).value(), 0U);
}

TEST(SocketStream, TellsWhenThereIsRoomToWriteAgain) {
    const auto loop = make_loop();
    TestHandler handler;
    StreamAndSocket it;
    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    loop->run_once(0ms);
    const std::string block(64 * 1024, 'x');
    while (write_text(*it.stream, block).value() == block.size()) {
    }
    EXPECT_EQ(write_text(*it.stream, block).value(), 0U);
    loop->run_once(0ms);
    const auto before = handler.calls;
    (void)receive_text(it.far.get());
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, before + 1);
    EXPECT_TRUE(handler.last.writable);
}

TEST(SocketStream, HalfCloseLetsThePeerFinish) {
    StreamAndSocket it;
    ASSERT_TRUE(write_text(*it.stream, "bye").has_value());
    ASSERT_TRUE(it.stream->finish_writing().has_value());
    EXPECT_EQ(receive_text(it.far.get()), "bye");
    char byte = 0;
    EXPECT_EQ(recv(it.far.get(), &byte, 1, 0), 0) << "The end has arrived.";
    send_text(it.far.get(), "wait");
    std::array<std::uint8_t, 16> buffer{};
    EXPECT_EQ(it.stream->read(buffer).value().size, 4U);
}

TEST(SocketStream, ReadsFirstWhatWasPutBack) {
    const auto loop = make_loop();
    StreamAndSocket it;
    send_text(it.far.get(), "ef");
    it.stream->unread(as_bytes("cd"));
    it.stream->unread(as_bytes("ab"));
    it.stream->unread({});
    std::array<std::uint8_t, 3> buffer{};
    std::string received;
    for (auto next = More; next == More;) {
        const auto outcome = it.stream->read(buffer).value();
        received += text_of(buffer, outcome.size);
        next = outcome.next;
    }
    EXPECT_EQ(received, "abcdef");
}

TEST(SocketStream, TellsOfBytesPutBack) {
    const auto loop = make_loop();
    TestHandler handler;
    StreamAndSocket it;
    it.stream->unread(as_bytes("a"));
    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    loop->run_once(0ms);
    EXPECT_TRUE(handler.last.readable) << "Nothing is in the socket, but something can be read.";
    it.stream->unread(as_bytes("b"));
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 2);
}

TEST(SocketStream, CallsNobodyAfterDetach) {
    const auto loop = make_loop();
    TestHandler handler;
    StreamAndSocket it;
    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    send_text(it.far.get(), "x");
    loop->again(handler);
    it.stream->detach();
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 0);
    EXPECT_TRUE(it.stream->is_open());
    it.stream->detach();

    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    loop->run_once(0ms);
    EXPECT_TRUE(handler.last.readable) << "What came meanwhile is told.";
}

TEST(SocketStream, MayBeDestroyedInItsHandler) {
    const auto loop = make_loop();
    TestHandler handler;
    StreamAndSocket it;
    handler.action = [&](Readiness) { it.stream.reset(); };
    ASSERT_TRUE(it.stream->attach(*loop, handler).has_value());
    loop->again(handler);
    loop->run_once(0ms);
    loop->run_once(0ms);
    EXPECT_EQ(handler.calls, 1);
    char byte = 0;
    EXPECT_EQ(recv(it.far.get(), &byte, 1, 0), 0) << "Its socket is closed.";
}

TEST(SocketStream, CloseGivesTheDescriptorBack) {
    StreamAndSocket it;
    it.stream->close();
    EXPECT_FALSE(it.stream->is_open());
    char byte = 0;
    EXPECT_EQ(recv(it.far.get(), &byte, 1, 0), 0);
    it.stream->close();
}

TEST(SocketStream, MovesToAnotherThreadWithWhatWasRead) {
    const auto first_loop = make_loop();
    const auto second_loop = make_loop();
    StreamAndSocket it;
    std::string received;
    std::unique_ptr<Stream> on_second;
    TestHandler second_handler([&](Readiness) {
        for (auto next = More; next == More;) {
            const auto outcome = on_second->read(second_loop->read_buffer()).value();
            received += text_of(second_loop->read_buffer(), outcome.size);
            next = outcome.next;
        }
        if (received.size() >= 13) second_loop->stop();
    });
    std::jthread second_thread([&] {
        second_loop->run();
        on_second.reset();
    });

    std::unique_ptr<Stream> on_first = std::move(it.stream);
    TestHandler first_handler([&](Readiness) {
        const auto outcome = on_first->read(first_loop->read_buffer()).value();
        if (outcome.size == 0) return;
        // The first four bytes are ours, the rest is for the other thread.
        on_first->unread(Bytes(first_loop->read_buffer()).subspan(4, outcome.size - 4));
        on_first->detach();
        second_loop->post([&, moved = std::move(on_first)]() mutable {
            on_second = std::move(moved);
            ASSERT_TRUE(on_second->attach(*second_loop, second_handler).has_value());
        });
        first_loop->stop();
    });
    ASSERT_TRUE(on_first->attach(*first_loop, first_handler).has_value());
    send_text(it.far.get(), "mineyours");
    first_loop->run();
    send_text(it.far.get(), " andmore");
    EXPECT_EQ(first_handler.calls, 1);
    second_thread.join();
    EXPECT_EQ(received, "yours andmore");
}

// --- A long transfer in both directions ---

// What a connection of a broker does: reads its share and asks again, writes what it has and goes on when there is
// room.
class Transfer final : public Handler {
public:
    Transfer(EventLoop& loop, std::unique_ptr<Stream> stream, std::vector<std::uint8_t> to_send, std::uint64_t seed)
        : loop_(loop), stream_(std::move(stream)), to_send_(std::move(to_send)), random_(seed) {
        EXPECT_TRUE(stream_->attach(loop, *this).has_value());
    }

    void on_ready(Readiness readiness) override {
        if (readiness.readable) read();
        if (readiness.writable) write();
    }

    std::vector<std::uint8_t> received;
    bool ended = false;

private:
    void read() {
        const auto buffer = loop_.read_buffer().first(1 + random_.below(loop_.read_buffer().size()));
        const auto outcome = stream_->read(buffer);
        ASSERT_TRUE(outcome.has_value()) << outcome.error().what;
        received.insert(received.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(outcome->size));
        ended |= outcome->next == End;
        if (outcome->next == More) loop_.again(*this);
    }

    void write() {
        while (sent_ < to_send_.size()) {
            std::vector<iovec> pieces;
            std::size_t total = 0;
            for (auto left = 1 + random_.below(20); left > 0 && sent_ + total < to_send_.size(); --left) {
                const auto size = std::min(to_send_.size() - sent_ - total, std::size_t{1 + random_.below(100'000)});
                pieces.push_back({.iov_base = &to_send_[sent_ + total], .iov_len = size});
                total += size;
            }
            const auto written = stream_->write(pieces);
            ASSERT_TRUE(written.has_value()) << written.error().what;
            sent_ += *written;
            if (*written < total) return;
        }
        if (!std::exchange(finished_, true)) {
            EXPECT_TRUE(stream_->finish_writing().has_value());
        }
    }

    EventLoop& loop_;
    std::unique_ptr<Stream> stream_;
    std::vector<std::uint8_t> to_send_;
    std::size_t sent_ = 0;
    bool finished_ = false;
    Random random_;
};

std::vector<std::uint8_t> random_bytes(std::size_t size, Random& random) {
    std::vector<std::uint8_t> bytes(size);
    std::ranges::generate(bytes, [&] { return static_cast<std::uint8_t>(random.next()); });
    return bytes;
}

// CHAPPE_SEED in the environment repeats a run.
std::uint64_t choose_seed() {
    const auto* text = std::getenv("CHAPPE_SEED");
    return text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device()();
}

void transfer_both_ways(std::unique_ptr<Stream> one, std::unique_ptr<Stream> other, EventLoop& loop) {
    const auto seed = choose_seed();
    SCOPED_TRACE("CHAPPE_SEED=" + std::to_string(seed));
    Random random(seed);
    const auto from_one = random_bytes(3'000'000, random);
    const auto from_other = random_bytes(5'000'000, random);
    Transfer first(loop, std::move(one), from_one, random.next());
    Transfer second(loop, std::move(other), from_other, random.next());
    ASSERT_TRUE(run_until(loop, [&] { return first.ended && second.ended; })) << "Readiness was lost.";
    EXPECT_EQ(first.received, from_other);
    EXPECT_EQ(second.received, from_one);
}

TEST(SocketStream, LosesNoReadinessOverUnixSockets) {
    const auto loop = make_loop({.read_buffer_bytes = 10'000});
    SocketPair pair;
    transfer_both_ways(std::make_unique<SocketStream>(std::move(pair.near), some_peer()),
                       std::make_unique<SocketStream>(std::move(pair.far), some_peer()), *loop);
}

TEST(SocketStream, LosesNoReadinessOverTcp) {
    const auto loop = make_loop({.read_buffer_bytes = 10'000});
    std::unique_ptr<Stream> accepted;
    std::unique_ptr<Stream> dialed;
    WorkerPool pool;
    Dialer dialer(*loop, pool);
    auto listener = Listener::create(*loop, ListenUrl::parse("mqtt://127.0.0.1:0").value(),
                                     [&](auto stream) { accepted = std::move(stream); }, {});
    ASSERT_TRUE(listener.has_value());
    dialer.dial(Url::parse((*listener)->local_url().text()).value(), [&](auto stream) { dialed = std::move(*stream); });
    ASSERT_TRUE(run_until(*loop, [&] { return accepted != nullptr && dialed != nullptr; }));
    transfer_both_ways(std::move(accepted), std::move(dialed), *loop);
}

}  // namespace
}  // namespace chappe::net
