#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>

#include "net/process.h"
#include "net/socket_address.h"
#include "net/test_support.h"

namespace chappe::net {
namespace {

using test::make_loop;
using test::run_until;
using test::write_text;

// A listener whose connections are kept.
struct Server {
    explicit Server(std::string_view url, const ListenerOptions& options = {}) {
        auto created = Listener::create(
            *loop, ListenUrl::parse(url).value(), [this](auto stream) { streams.push_back(std::move(stream)); },
            [this](const auto& failure) { errors.push_back(failure.what); }, options);
        if (created) {
            listener = std::move(*created);
        } else {
            error = std::move(created.error());
        }
    }

    std::unique_ptr<EventLoop> loop = make_loop();
    std::vector<std::unique_ptr<Stream>> streams;
    std::vector<std::string> errors;
    std::unique_ptr<Listener> listener;
    IoError error{};  // Why there is no listener.
};

// A plain blocking connection, as any client might make it.
FileDescriptor connect_to(const Endpoint& endpoint) {
    const auto address = to_socket_address(endpoint).value();
    FileDescriptor client(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(client.get(), address.data(), address.size) != 0) return {};
    return client;
}

FileDescriptor connect_to_port(std::string_view address, std::uint16_t port) {
    return connect_to(IpEndpoint{*IpAddress::parse(address), port});
}

bool has_ipv6() {
    const auto listener = Server("mqtt://[::1]:0").listener != nullptr;
    return listener;
}

// A directory of its own for each test, removed with all that is in it.
struct TemporaryDirectory {
    TemporaryDirectory() {
        auto name = (std::filesystem::temp_directory_path() / "chappe-net-XXXXXX").string();
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        path = name;
    }
    ~TemporaryDirectory() { std::filesystem::remove_all(path); }

    std::filesystem::path path;
};

int socket_option(int socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(socket, level, name, &value, &size), 0);
    return value;
}

// --- TCP ---

TEST(Listener, AcceptsAndTellsWhoItIs) {
    Server server("mqtt://127.0.0.1:0");
    ASSERT_NE(server.listener, nullptr) << server.error.what;
    const auto port = server.listener->local_url().port;
    EXPECT_NE(port, 0);
    EXPECT_EQ(server.listener->local_url().text(), "mqtt://127.0.0.1:" + std::to_string(port));

    const auto client = connect_to_port("127.0.0.1", port);
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 1; }));
    SocketAddress own;
    ASSERT_EQ(getsockname(client.get(), own.data(), &own.size), 0);
    auto& stream = static_cast<SocketStream&>(*server.streams.front());
    EXPECT_EQ(stream.peer().text(), to_text(to_endpoint(own)));
    EXPECT_TRUE(stream.is_local());
    EXPECT_EQ(socket_option(stream.socket(), IPPROTO_TCP, TCP_NODELAY), 1);
    EXPECT_EQ(socket_option(stream.socket(), SOL_SOCKET, SO_KEEPALIVE), 1);

    EXPECT_EQ(write_text(stream, "hello").value(), 5U);
    std::array<char, 5> received{};
    ASSERT_EQ(recv(client.get(), received.data(), received.size(), MSG_WAITALL), 5);
    EXPECT_EQ(std::string_view(received.data(), 5), "hello");
    EXPECT_TRUE(server.errors.empty());
}

TEST(Listener, ListensOnIpv6) {
    if (!has_ipv6()) GTEST_SKIP() << "This machine has no IPv6.";
    Server server("mqtt://[::1]:0");
    const auto client = connect_to_port("::1", server.listener->local_url().port);
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 1; }));
    EXPECT_THAT(server.streams.front()->peer().text(), ::testing::StartsWith("[::1]:"));
    EXPECT_TRUE(server.streams.front()->is_local());
}

TEST(Listener, AllOfIpv6IsAlsoIpv4) {
    if (!has_ipv6()) GTEST_SKIP() << "This machine has no IPv6.";
    Server server("mqtt://[::]:0");
    const auto port = server.listener->local_url().port;
    const auto old_client = connect_to_port("127.0.0.1", port);
    const auto new_client = connect_to_port("::1", port);
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 2; }));
    EXPECT_THAT(server.streams[0]->peer().text(), ::testing::StartsWith("127.0.0.1:"));
    EXPECT_THAT(server.streams[1]->peer().text(), ::testing::StartsWith("[::1]:"));
}

TEST(Listener, ListensOnEachAddressOfAName) {
    Server server("mqtt://localhost:0");
    ASSERT_NE(server.listener, nullptr) << server.error.what;
    const auto client = connect_to_port("127.0.0.1", server.listener->local_url().port);
    EXPECT_TRUE(client.is_open());
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 1; }));
}

TEST(Listener, SaysThatTheAddressIsTaken) {
    const Server first("mqtt://127.0.0.1:0");
    const Server second(first.listener->local_url().text());
    EXPECT_EQ(second.listener, nullptr);
    EXPECT_EQ(second.error.code, EADDRINUSE);
    EXPECT_EQ(second.error.what,
              "listen on 127.0.0.1:" + std::to_string(first.listener->local_url().port) + ": Address already in use");
}

TEST(Listener, SaysThatTheAddressIsNotOurs) {
    const Server server("mqtt://192.0.2.1:1883");
    EXPECT_EQ(server.listener, nullptr);
    EXPECT_EQ(server.error.what, "listen on 192.0.2.1:1883: Cannot assign requested address");
}

TEST(Listener, TakesThePortAgainAfterARestart) {
    auto first = std::make_unique<Server>("mqtt://127.0.0.1:0");
    const auto url = first->listener->local_url().text();
    const auto client = connect_to_port("127.0.0.1", first->listener->local_url().port);
    ASSERT_TRUE(run_until(*first->loop, [&] { return first->streams.size() == 1; }));
    first->streams.clear();  // Closed by the server first, so that its port is left in TIME_WAIT.
    first.reset();
    const Server second(url);
    EXPECT_NE(second.listener, nullptr) << second.error.what;
}

// --- Pausing, storms, and running out of descriptors ---

TEST(Listener, LetsConnectionsWaitWhilePaused) {
    Server server("mqtt://127.0.0.1:0");
    server.listener->pause();
    EXPECT_TRUE(server.listener->paused());
    const auto client = connect_to_port("127.0.0.1", server.listener->local_url().port);
    server.loop->run_once(0ms);
    server.loop->run_once(0ms);
    EXPECT_TRUE(server.streams.empty());
    server.listener->resume();
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 1; }));
}

TEST(Listener, IsPausedByItsOwnCallbackAtOnce) {
    const auto loop = make_loop();
    std::vector<std::unique_ptr<Stream>> streams;
    std::unique_ptr<Listener> listener;
    const auto accept_one = [&](auto stream) {
        streams.push_back(std::move(stream));
        listener->pause();
    };
    listener = Listener::create(*loop, ListenUrl::parse("mqtt://127.0.0.1:0").value(), accept_one, {}).value();
    const auto first = connect_to_port("127.0.0.1", listener->local_url().port);
    const auto second = connect_to_port("127.0.0.1", listener->local_url().port);
    loop->run_once(0ms);
    loop->run_once(0ms);
    EXPECT_EQ(streams.size(), 1U);
    listener->resume();
    loop->run_once(0ms);
    EXPECT_EQ(streams.size(), 2U);
}

TEST(Listener, AcceptsAStormInPortions) {
    Server server("mqtt://127.0.0.1:0", {.accepts_per_round = 8});
    std::size_t before = 0;
    auto rounds = 0;
    server.loop->on_round_end([&] {
        ++rounds;
        EXPECT_LE(server.streams.size() - before, 8U) << "Those who are connected wait for too long.";
        before = server.streams.size();
    });
    std::vector<FileDescriptor> clients;
    clients.reserve(200);
    for (auto i = 0; i < 200; ++i) clients.push_back(connect_to_port("127.0.0.1", server.listener->local_url().port));
    ASSERT_TRUE(run_until(*server.loop, [&] { return server.streams.size() == 200; }));
    EXPECT_GE(rounds, 200 / 8);
    EXPECT_TRUE(server.errors.empty());
}

// In a process of its own, because it uses up the descriptors.
void run_out_of_descriptors() {
    constexpr std::size_t clients_count = 6;
    Server server("mqtt://127.0.0.1:0", {.retry_after = 2ms});
    std::vector<FileDescriptor> clients;
    // One that comes and goes while there are enough: a sanitizer needs a descriptor when it first looks at a class.
    clients.push_back(connect_to_port("127.0.0.1", server.listener->local_url().port));
    if (!run_until(*server.loop, [&] { return server.streams.size() == 1; })) _exit(9);
    server.streams.clear();
    clients.clear();

    for (std::size_t i = 0; i < clients_count; ++i) {
        clients.push_back(connect_to_port("127.0.0.1", server.listener->local_url().port));
    }
    // Two more descriptors are left.
    const FileDescriptor next_free(dup(0));
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(next_free.get()) + 3, .rlim_max = 4096};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) _exit(10);

    if (!run_until(*server.loop, [&] { return !server.errors.empty(); })) _exit(11);
    if (server.streams.size() != 2) _exit(12);
    auto rounds = 0;
    server.loop->on_round_end([&] { ++rounds; });
    const auto end = std::chrono::steady_clock::now() + 20ms;
    while (std::chrono::steady_clock::now() < end) server.loop->run_once(20ms);
    if (rounds > 20) _exit(13);                // It spins: more rounds than retries.
    if (server.errors.size() != 1) _exit(14);  // It repeats itself.
    if (!server.errors[0].starts_with("accept a connection at mqtt://127.0.0.1:")) _exit(15);
    if (!server.errors[0].ends_with(": Too many open files")) _exit(16);

    // As connections end, the next ones are accepted, without anything new at the listening socket.
    for (std::size_t accepted = 2; accepted < clients_count; ++accepted) {
        server.streams.erase(server.streams.begin());
        if (!run_until(*server.loop, [&] { return server.streams.size() == 2; })) _exit(17);
    }
    server.streams.clear();
    clients.clear();

    // Once the backlog has been emptied, the next time is told again.
    if (!raise_open_file_limit()) _exit(18);
    clients.push_back(connect_to_port("127.0.0.1", server.listener->local_url().port));
    if (!run_until(*server.loop, [&] { return server.streams.size() == 1; })) _exit(19);
    if (server.errors.size() != 1) _exit(20);
    for (auto i = 0; i < 3; ++i) clients.push_back(connect_to_port("127.0.0.1", server.listener->local_url().port));
    const rlimit again{.rlim_cur = static_cast<rlim_t>(clients.back().get()) + 1, .rlim_max = 4096};
    if (setrlimit(RLIMIT_NOFILE, &again) != 0) _exit(21);
    std::vector<FileDescriptor> fillers;
    for (int filler = dup(0); filler >= 0; filler = dup(0)) fillers.emplace_back(filler);
    if (!run_until(*server.loop, [&] { return server.errors.size() == 2; })) _exit(22);
    _exit(0);
}

TEST(ListenerDeathTest, WaitsWhenThereAreNoDescriptorsLeft) {
    EXPECT_EXIT(run_out_of_descriptors(), testing::ExitedWithCode(0), "");
}

// --- Unix sockets ---

TEST(Listener, ListensOnAUnixSocket) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "mqtt.sock").string();
    auto server = std::make_unique<Server>("unix:" + path);
    ASSERT_NE(server->listener, nullptr) << server->error.what;
    EXPECT_EQ(server->listener->local_url().text(), "unix:" + path);
    const auto client = connect_to(UnixEndpoint{path});
    ASSERT_TRUE(run_until(*server->loop, [&] { return server->streams.size() == 1; }));
    const auto& peer = server->streams.front()->peer();
    EXPECT_EQ(peer.text(), "unix:" + path + " pid=" + std::to_string(getpid()) + " uid=" + std::to_string(getuid()));
    EXPECT_EQ(peer.credentials, (Credentials{.process = getpid(), .user = getuid(), .group = getgid()}));
    EXPECT_TRUE(server->streams.front()->is_local());
    server.reset();
    EXPECT_FALSE(std::filesystem::exists(path)) << "The file goes with the listener.";
}

TEST(Listener, GivesTheUnixSocketItsMode) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "mqtt.sock").string();
    const auto mode_with = [&](const ListenerOptions& options) {
        const Server server("unix:" + path, options);
        struct stat status{};
        EXPECT_EQ(lstat(path.c_str(), &status), 0);
        return status.st_mode & 07777;
    };
    const auto before = umask(077);
    EXPECT_EQ(mode_with({}), 0660U);
    EXPECT_EQ(mode_with({.unix_mode = 0600}), 0600U);
    EXPECT_EQ(mode_with({.unix_mode = 0666}), 0666U);
    umask(before);
}

TEST(Listener, ReplacesTheUnixSocketOfAServerThatDied) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "mqtt.sock").string();
    {
        const auto address = to_socket_address(UnixEndpoint{path}).value();
        const FileDescriptor dead(socket(AF_UNIX, SOCK_STREAM, 0));
        ASSERT_EQ(bind(dead.get(), address.data(), address.size), 0);
    }
    ASSERT_TRUE(std::filesystem::exists(path));
    Server server("unix:" + path);
    ASSERT_NE(server.listener, nullptr) << server.error.what;
    EXPECT_TRUE(connect_to(UnixEndpoint{path}).is_open());
}

TEST(Listener, RefusesTheUnixSocketOfALiveServer) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "mqtt.sock").string();
    const Server live("unix:" + path);
    {
        const Server second("unix:" + path);
        EXPECT_EQ(second.listener, nullptr);
        EXPECT_EQ(second.error.code, EADDRINUSE);
        EXPECT_EQ(second.error.what, "listen on unix:" + path + ": another process is listening there");
    }
    EXPECT_TRUE(connect_to(UnixEndpoint{path}).is_open()) << "The live one goes on.";
}

TEST(Listener, DoesNotTouchAFileThatIsNoSocket) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "precious").string();
    std::ofstream(path) << "data";
    const Server server("unix:" + path);
    EXPECT_EQ(server.listener, nullptr);
    EXPECT_EQ(server.error.what, "listen on unix:" + path + ": a file of that name exists and is not a socket");
    EXPECT_EQ(std::filesystem::file_size(path), 4U);
}

TEST(Listener, LeavesAFileThatReplacedItsOwn) {
    const TemporaryDirectory directory;
    const auto path = (directory.path / "mqtt.sock").string();
    auto first = std::make_unique<Server>("unix:" + path);
    std::filesystem::remove(path);
    const Server second("unix:" + path);
    first.reset();
    EXPECT_TRUE(connect_to(UnixEndpoint{path}).is_open());
}

TEST(Listener, SaysThatTheDirectoryIsMissing) {
    const Server server("unix:/no-such-directory/mqtt.sock");
    EXPECT_EQ(server.listener, nullptr);
    EXPECT_EQ(server.error.what, "listen on unix:/no-such-directory/mqtt.sock: No such file or directory");
}

// --- The process ---

TEST(ProcessDeathTest, RaisesTheLimitOfOpenFiles) {
    const auto raise = [] {
        rlimit limit{};
        getrlimit(RLIMIT_NOFILE, &limit);
        const rlimit low{.rlim_cur = 64, .rlim_max = limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &low) != 0) _exit(10);
        const auto raised = raise_open_file_limit();
        getrlimit(RLIMIT_NOFILE, &limit);
        _exit(raised == limit.rlim_max && limit.rlim_cur == limit.rlim_max && limit.rlim_cur > 64 ? 0 : 11);
    };
    EXPECT_EXIT(raise(), testing::ExitedWithCode(0), "");
}

TEST(ProcessDeathTest, SurvivesABrokenPipe) {
    const auto write_to_nobody = [] {
        std::array<int, 2> ends{};
        if (pipe(ends.data()) != 0) _exit(10);
        close(ends[0]);
        ignore_broken_pipes();
        _exit(write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 11);
    };
    EXPECT_EXIT(write_to_nobody(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace chappe::net
