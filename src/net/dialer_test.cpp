#include "net/dialer.h"

#include <unistd.h>

#include <filesystem>
#include <latch>

#include <gmock/gmock.h>

#include "net/listener.h"
#include "net/socket_address.h"
#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::run_until;
using ::testing::HasSubstr;

// A socket that listens and accepts nothing, with room for one connection.
struct Deaf {
    explicit Deaf(const Endpoint& endpoint) {
        auto address = to_socket_address(endpoint).value();
        socket = FileDescriptor(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
        EXPECT_EQ(bind(socket.get(), address.data(), address.size), 0);
        EXPECT_EQ(listen(socket.get(), 0), 0);
        address.size = sizeof address.storage;
        EXPECT_EQ(getsockname(socket.get(), address.data(), &address.size), 0);
        local = to_endpoint(address);
    }

    // From now on nobody is let in, and nobody is refused either.
    void fill() {
        while (add_client() != EAGAIN && waiting < 2) {
        }
    }

    // 0, or the errno value: EAGAIN at a Unix socket that is full. Over TCP a client that does not get in goes on
    // trying, and so does each that fill() adds (also those that get in, for a moment); with two the socket is surely
    // full.
    int add_client() {
        const auto address = to_socket_address(local).value();
        FileDescriptor client(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        const auto code = connect(client.get(), address.data(), address.size) == 0 ? 0 : errno;
        if (code == EINPROGRESS) ++waiting;
        clients.push_back(std::move(client));
        return code;
    }

    [[nodiscard]] std::uint16_t port() const { return std::get<IpEndpoint>(local).port; }

    FileDescriptor socket;
    Endpoint local;
    std::vector<FileDescriptor> clients;
    int waiting = 0;
};

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

Url url_of(std::string_view host, std::uint16_t port) {
    return {.scheme = Scheme::Mqtt, .host = std::string(host), .port = port, .path = {}};
}

class DialerTest : public ::testing::Test {
protected:
    // What became of it: the peer's text, or the error's.
    std::string dial(const Url& url, const DialOptions& options = {}) {
        std::optional<std::string> outcome;
        dialer.dial(url, [&](auto dialed) { outcome = note(std::move(dialed)); }, options);
        EXPECT_FALSE(outcome.has_value()) << "The callback came before dial() had returned.";
        EXPECT_TRUE(dialer.dialing());
        EXPECT_TRUE(run_until(*loop, [&] { return outcome.has_value(); }));
        EXPECT_FALSE(dialer.dialing());
        return outcome.value_or("");
    }

    std::string note(Result<std::unique_ptr<Stream>> outcome) {
        if (!outcome) {
            code = outcome.error().code;
            return outcome.error().what;
        }
        stream = std::move(*outcome);
        return stream->peer().text();
    }

    std::unique_ptr<Listener> listen(std::string_view url) {
        return Listener::create(*loop, ListenUrl::parse(url).value(), [this](auto) { ++accepted; }, {}).value();
    }

    // A port at which nobody listens.
    static std::uint16_t free_port() { return Deaf(IpEndpoint{ip("127.0.0.1"), 0}).port(); }

    std::unique_ptr<EventLoop> loop = make_loop();
    WorkerPool pool;
    Dialer dialer{*loop, pool};
    std::unique_ptr<Stream> stream;
    int code = 0;
    int accepted = 0;
};

DialOptions resolving_to(std::vector<IpAddress> addresses) {
    return {.resolver = [addresses](const auto&) { return addresses; }};
}

TEST_F(DialerTest, ConnectsToAnAddress) {
    const auto listener = listen("mqtt://127.0.0.1:0");
    const auto port = listener->local_url().port;
    EXPECT_EQ(dial(url_of("127.0.0.1", port)), "127.0.0.1:" + std::to_string(port));
    ASSERT_NE(stream, nullptr);
    EXPECT_TRUE(stream->is_local());
    EXPECT_TRUE(run_until(*loop, [&] { return accepted == 1; }));
}

TEST_F(DialerTest, LooksANameUp) {
    const auto listener = listen("mqtt://localhost:0");
    EXPECT_THAT(dial(url_of("localhost", listener->local_url().port)),
                ::testing::EndsWith(":" + std::to_string(listener->local_url().port)));
    EXPECT_NE(stream, nullptr);
}

TEST_F(DialerTest, ConnectsToAUnixSocket) {
    const auto path = (std::filesystem::temp_directory_path() / ("chappe-dial-" + std::to_string(getpid()))).string();
    const auto listener = listen("unix:" + path);
    EXPECT_EQ(dial(Url::parse("unix:" + path).value()),
              "unix:" + path + " pid=" + std::to_string(getpid()) + " uid=" + std::to_string(getuid()));
}

TEST_F(DialerTest, SaysThatTheConnectionWasRefused) {
    const auto port = free_port();
    const auto url = "mqtt://127.0.0.1:" + std::to_string(port);
    EXPECT_EQ(dial(url_of("127.0.0.1", port)), "connect to " + url + ": Connection refused");
    EXPECT_EQ(code, ECONNREFUSED);
    EXPECT_EQ(dial(Url::parse("unix:/no-such-directory/x").value()),
              "connect to unix:/no-such-directory/x: No such file or directory");
    EXPECT_EQ(code, ENOENT);
}

TEST_F(DialerTest, SaysThatTheNameIsUnknown) {
    const auto resolver = [](const auto&) -> Result<std::vector<IpAddress>> {
        return std::unexpected(IoError{EHOSTUNREACH, "look up nowhere.lan: Name or service not known"});
    };
    EXPECT_EQ(dial(url_of("nowhere.lan", 1), {.resolver = resolver}),
              "connect to mqtt://nowhere.lan:1: look up nowhere.lan: Name or service not known");
    EXPECT_EQ(code, EHOSTUNREACH);
}

TEST_F(DialerTest, TriesTheNextAddressWhenOneRefuses) {
    const auto listener = listen("mqtt://127.0.0.1:0");  // Not at 127.0.0.2.
    const auto port = listener->local_url().port;
    EXPECT_EQ(dial(url_of("two.lan", port), resolving_to({ip("127.0.0.2"), ip("127.0.0.1")})),
              "127.0.0.1:" + std::to_string(port));
}

TEST_F(DialerTest, NamesEveryAddressThatFailed) {
    const auto port = std::to_string(free_port());
    EXPECT_EQ(dial(url_of("two.lan", static_cast<std::uint16_t>(std::stoi(port))),
                   resolving_to({ip("127.0.0.2"), ip("127.0.0.1")})),
              "connect to mqtt://two.lan:" + port + ": 127.0.0.2:" + port + ": Connection refused; 127.0.0.1:" + port +
                  ": Connection refused");
}

TEST_F(DialerTest, TriesTheNextAddressWhenOneDoesNotAnswer) {
    Deaf deaf(IpEndpoint{ip("127.0.0.2"), 0});
    deaf.fill();
    const auto listener = listen("mqtt://127.0.0.1:" + std::to_string(deaf.port()));
    auto options = resolving_to({ip("127.0.0.2"), ip("127.0.0.1")});
    options.address_time_limit = 20ms;
    EXPECT_EQ(dial(url_of("two.lan", deaf.port()), options), "127.0.0.1:" + std::to_string(deaf.port()));
}

TEST_F(DialerTest, GivesUpAtTheTimeLimit) {
    Deaf deaf(IpEndpoint{ip("127.0.0.1"), 0});
    deaf.fill();
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(dial(url_of("127.0.0.1", deaf.port()), {.time_limit = 20ms}),
              "connect to mqtt://127.0.0.1:" + std::to_string(deaf.port()) + ": Connection timed out");
    EXPECT_EQ(code, ETIMEDOUT);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
}

TEST_F(DialerTest, DoesNotTryTheNextAddressAfterTheTimeLimit) {
    Deaf deaf(IpEndpoint{ip("127.0.0.2"), 0});
    deaf.fill();
    const auto listener = listen("mqtt://127.0.0.1:" + std::to_string(deaf.port()));
    auto options = resolving_to({ip("127.0.0.2"), ip("127.0.0.1")});
    options.time_limit = 20ms;
    EXPECT_THAT(dial(url_of("two.lan", deaf.port()), options), HasSubstr("Connection timed out"));
}

// The kernel does not let a non-blocking connect wait for a place in the backlog of a Unix socket.
TEST_F(DialerTest, WaitsForABusyUnixSocket) {
    const auto path = (std::filesystem::temp_directory_path() / ("chappe-busy-" + std::to_string(getpid()))).string();
    Deaf busy(UnixEndpoint{path});
    busy.fill();
    EXPECT_THAT(dial(Url::parse("unix:" + path).value(), {.time_limit = 50ms}), HasSubstr("Connection timed out"));

    auto done = false;
    dialer.dial(Url::parse("unix:" + path).value(), [&](auto dialed) { done = dialed.has_value(); });
    loop->run_once({});
    EXPECT_FALSE(done);
    const FileDescriptor let_in(accept4(busy.socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_TRUE(run_until(*loop, [&] { return done; }));
    std::filesystem::remove(path);
}

TEST_F(DialerTest, GivesUpALookUpAtTheTimeLimitAndIgnoresItsLateAnswer) {
    const auto answer = std::make_shared<std::latch>(1);
    const auto listener = listen("mqtt://127.0.0.1:0");
    const auto slow = [answer](const auto&) -> Result<std::vector<IpAddress>> {
        answer->wait();
        return std::vector{ip("127.0.0.1")};
    };
    EXPECT_EQ(dial(url_of("slow.lan", 1883), {.time_limit = 5ms, .resolver = slow}),
              "connect to mqtt://slow.lan:1883: look up slow.lan: no answer");
    EXPECT_EQ(code, ETIMEDOUT);

    // Another one is under way when the first one's answer comes.
    answer->count_down();
    EXPECT_THAT(dial(url_of("127.0.0.1", listener->local_url().port)), HasSubstr("127.0.0.1:"));
}

TEST_F(DialerTest, CancelsAtAnyStage) {
    const auto never = [](auto) { FAIL(); };
    Deaf deaf(IpEndpoint{ip("127.0.0.1"), 0});
    deaf.fill();
    const auto listener = listen("mqtt://127.0.0.1:0");

    dialer.dial(url_of("127.0.0.1", listener->local_url().port), never);
    dialer.cancel();  // Not begun.
    EXPECT_FALSE(dialer.dialing());
    loop->run_once(0ms);

    dialer.dial(url_of("127.0.0.1", deaf.port()), never);
    loop->run_once(0ms);
    dialer.cancel();  // Connecting.
    loop->run_once(0ms);

    const auto answer = std::make_shared<std::latch>(1);
    const auto slow = [answer](const auto&) -> Result<std::vector<IpAddress>> {
        answer->wait();
        return std::vector{ip("127.0.0.1")};
    };
    dialer.dial(url_of("slow.lan", listener->local_url().port), never, {.resolver = slow});
    dialer.cancel();  // Looking up.
    answer->count_down();
    auto answered = false;
    while (!pool.run(*loop, [] { return 0; }, [&](int) { answered = true; })) {
    }
    EXPECT_TRUE(run_until(*loop, [&] { return answered; }));
    EXPECT_EQ(accepted, 0);
}

TEST_F(DialerTest, RefusesWhenTooManyNamesAreLookedUp) {
    const auto begun = std::make_shared<std::latch>(1);
    const auto gate = std::make_shared<std::latch>(1);
    const auto wait = [gate] {
        gate->wait();
        return 0;
    };
    const auto begin_and_wait = [begun, wait] {
        begun->count_down();
        return wait();
    };
    WorkerPool small({.threads_max = 1, .jobs_max = 1});
    ASSERT_TRUE(small.run(*loop, begin_and_wait, [](int) {}));
    begun->wait();
    ASSERT_TRUE(small.run(*loop, wait, [](int) {}));  // One is worked on, one waits.
    Dialer refused(*loop, small);
    std::optional<std::string> outcome;
    refused.dial(url_of("some.lan", 1883), [&](auto dialed) { outcome = note(std::move(dialed)); });
    EXPECT_TRUE(run_until(*loop, [&] { return outcome.has_value(); }));
    EXPECT_EQ(outcome, "connect to mqtt://some.lan:1883: too many names are being looked up");
    gate->count_down();
}

TEST_F(DialerTest, TheCallbackMayDialAgain) {
    const auto listener = listen("mqtt://127.0.0.1:0");
    auto connected = false;
    dialer.dial(url_of("127.0.0.1", free_port()), [&](auto first) {
        EXPECT_FALSE(first.has_value());
        dialer.dial(url_of("127.0.0.1", listener->local_url().port),
                    [&](auto second) { connected = second.has_value(); });
    });
    EXPECT_TRUE(run_until(*loop, [&] { return connected; }));
}

TEST_F(DialerTest, TheCallbackMayDestroyTheDialer) {
    const auto port = free_port();
    for (const auto& url : {url_of("127.0.0.1", port), url_of("localhost", port)}) {
        auto own = std::make_unique<Dialer>(*loop, pool);
        own->dial(url, [&](auto) { own.reset(); });
        EXPECT_TRUE(run_until(*loop, [&] { return own == nullptr; }));
    }
    Deaf deaf(IpEndpoint{ip("127.0.0.1"), 0});
    deaf.fill();
    auto own = std::make_unique<Dialer>(*loop, pool);
    own->dial(url_of("127.0.0.1", deaf.port()), [&](auto) { own.reset(); }, {.time_limit = 1ms});
    EXPECT_TRUE(run_until(*loop, [&] { return own == nullptr; }));
}

TEST(Resolve, AnswersAnAddressWithItselfAndSaysWhatFailed) {
    EXPECT_EQ(resolve("192.0.2.7").value(), std::vector{ip("192.0.2.7")});
    const auto found = resolve("localhost");
    ASSERT_TRUE(found.has_value()) << found.error().what;
    EXPECT_TRUE(found->front().is_loopback());
    const auto bad = resolve("a..b");  // Not a name, so that no server is asked.
    ASSERT_FALSE(bad.has_value());
    EXPECT_THAT(bad.error().what, HasSubstr("look up a..b: "));
}

}  // namespace
}  // namespace chappe::net
