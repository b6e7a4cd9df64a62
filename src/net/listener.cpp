#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "base/assert.h"
#include "net/resolve.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"

namespace chappe::net {

namespace {

Result<FileDescriptor> make_socket(int family) {
    FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return io_error("make a socket", errno);
    return socket;
}

Result<void> set_option(int socket, int level, int name, int value) {
    if (setsockopt(socket, level, name, &value, sizeof value) != 0) return io_error("set a socket option", errno);
    return {};
}

// Accepted sockets inherit these, which saves system calls for each of them. Keep-alive is TCP's own (after hours of
// silence); it ends connections whose machine has vanished and that have no keep alive of MQTT's.
Result<void> set_tcp_options(int socket, const IpAddress& address) {
    TRY(set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1));
    TRY(set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1));
    TRY(set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1));
    // [::] alone takes IPv4, too; set both ways, because the system's default may have been changed.
    if (!address.is_v4()) TRY(set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, address.is_any() ? 0 : 1));
    return {};
}

Result<Endpoint> local_endpoint(int socket) {
    SocketAddress address;
    if (getsockname(socket, address.data(), &address.size) != 0) return io_error("ask for the local address", errno);
    return to_endpoint(address);
}

// A listening socket, and the file that it has if it is a Unix socket.
struct Listening {
    FileDescriptor socket;
    Endpoint local;
    std::optional<struct stat> file;
};

Result<Listening> listen_ip(const IpEndpoint& endpoint, int backlog) {
    const auto tried = "listen on " + to_text(endpoint);
    const auto address = TRY(to_socket_address(endpoint));
    auto socket = TRY(make_socket(address.storage.ss_family));
    TRY(set_tcp_options(socket.get(), endpoint.address));
    if (bind(socket.get(), address.data(), address.size) != 0) return io_error(tried, errno);
    if (listen(socket.get(), backlog) != 0) return io_error(tried, errno);
    auto local = TRY(local_endpoint(socket.get()));
    return Listening{.socket = std::move(socket), .local = std::move(local), .file = {}};
}

// A server that died leaves its socket's file behind, and bind() refuses a path that exists. Whether it is dead is
// found out by connecting. Anything else at that path is not ours to remove.
Result<void> remove_stale_socket(const UnixEndpoint& endpoint, const SocketAddress& address) {
    const auto tried = "listen on " + to_text(endpoint);
    struct stat status{};
    if (lstat(endpoint.path.c_str(), &status) != 0) return {};
    if (!S_ISSOCK(status.st_mode)) {
        return std::unexpected(IoError{EEXIST, tried + ": a file of that name exists and is not a socket"});
    }
    const auto probe = TRY(make_socket(AF_UNIX));
    // EAGAIN is a server whose backlog is full.
    if (connect(probe.get(), address.data(), address.size) == 0 || errno == EAGAIN) {
        return std::unexpected(IoError{EADDRINUSE, tried + ": another process is listening there"});
    }
    if (errno != ECONNREFUSED)
        return io_error(tried + ": cannot tell whether another process is listening there", errno);
    if (unlink(endpoint.path.c_str()) != 0) return io_error(tried + ": remove the socket of a server that died", errno);
    return {};
}

Result<Listening> listen_unix(const UnixEndpoint& endpoint, mode_t mode, int backlog) {
    const auto tried = "listen on " + to_text(endpoint);
    const auto address = TRY(to_socket_address(endpoint));
    TRY(remove_stale_socket(endpoint, address));
    auto socket = TRY(make_socket(AF_UNIX));
    // The mode before bind() keeps the file from being open to all for a moment; the one after it puts back what the
    // umask took away.
    if (fchmod(socket.get(), mode) != 0) return io_error(tried, errno);
    if (bind(socket.get(), address.data(), address.size) != 0) return io_error(tried, errno);
    struct stat status{};
    if (chmod(endpoint.path.c_str(), mode) != 0 || lstat(endpoint.path.c_str(), &status) != 0) {
        return io_error(tried, errno);
    }
    if (listen(socket.get(), backlog) != 0) return io_error(tried, errno);
    return Listening{.socket = std::move(socket), .local = endpoint, .file = status};
}

// Not if somebody has put another file there meanwhile.
void remove_own_file(const std::string& path, const struct stat& own) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) return;
    if (status.st_dev == own.st_dev && status.st_ino == own.st_ino) (void)unlink(path.c_str());
}

// What is wrong with that one connection, or with the network behind it (accept(2)), and not with us.
bool is_fault_of_one_connection(int code) {
    switch (code) {
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ENETUNREACH:
            return true;
        default:
            return false;
    }
}

// This machine does not have that address: IPv6 is switched off, for example.
bool is_absent(const IoError& error) { return error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT; }

}  // namespace

class Listener::Socket final : public Handler {
public:
    Socket(Listener& listener, Listening listening) : listener_(listener), listening_(std::move(listening)) {}
    ~Socket() override {
        const auto* local = std::get_if<UnixEndpoint>(&listening_.local);
        if (local != nullptr && listening_.file) remove_own_file(local->path, *listening_.file);
    }

    [[nodiscard]] Result<void> watch(EventLoop& loop) {
        watch_ = TRY(loop.watch(listening_.socket.get(), *this));
        return {};
    }

    void on_ready(Readiness) override { listener_.accept_from(*this); }

    // A stream, or the errno value.
    [[nodiscard]] std::expected<std::unique_ptr<Stream>, int> accept() {
        SocketAddress address;
        const auto accepted =
            accept4(listening_.socket.get(), address.data(), &address.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (accepted < 0) return std::unexpected(errno);
        FileDescriptor socket(accepted);
        auto peer = is_unix() ? Peer{listening_.local, peer_credentials(accepted)} : Peer{to_endpoint(address), {}};
        return std::make_unique<SocketStream>(std::move(socket), std::move(peer));
    }

    [[nodiscard]] const Endpoint& local() const { return listening_.local; }

private:
    [[nodiscard]] bool is_unix() const { return std::holds_alternative<UnixEndpoint>(listening_.local); }

    Listener& listener_;
    Listening listening_;
    Watch watch_;
};

Result<std::unique_ptr<Listener>> Listener::create(EventLoop& loop, const ListenUrl& url, OnAccept on_accept,
                                                   OnError on_error, const ListenerOptions& options) {
    std::unique_ptr<Listener> listener(new Listener(loop, url, std::move(on_accept), std::move(on_error), options));
    TRY(listener->open());
    return listener;
}

Listener::Listener(EventLoop& loop, const ListenUrl& url, OnAccept on_accept, OnError on_error,
                   const ListenerOptions& options)
    : loop_(loop),
      url_(url),
      on_accept_(std::move(on_accept)),
      on_error_(std::move(on_error)),
      options_(options),
      retry_(loop, [this] { try_all_again(); }) {}

Listener::~Listener() { ASSERT(!accepting_); }

Result<void> Listener::open() {
    if (url_.scheme != Scheme::Unix) return open_addresses();
    auto listening = TRY(listen_unix({url_.path}, options_.unix_mode, options_.backlog));
    return add(std::make_unique<Socket>(*this, std::move(listening)));
}

Result<void> Listener::open_addresses() {
    std::optional<IoError> absent;
    for (const auto& address : TRY(resolve(url_.host))) {
        auto listening = listen_ip({address, url_.port}, options_.backlog);
        if (!listening && is_absent(listening.error())) {
            absent = std::move(listening.error());
            continue;
        }
        if (!listening) return std::unexpected(std::move(listening.error()));
        url_.port = std::get<IpEndpoint>(listening->local).port;  // All addresses get the port that the first one got.
        TRY(add(std::make_unique<Socket>(*this, std::move(*listening))));
    }
    if (sockets_.empty()) return std::unexpected(std::move(*absent));
    return {};
}

Result<void> Listener::add(std::unique_ptr<Socket> socket) {
    TRY(socket->watch(loop_));
    sockets_.push_back(std::move(socket));
    return {};
}

void Listener::resume() {
    paused_ = false;
    try_all_again();
}

void Listener::try_all_again() {
    for (const auto& socket : sockets_) loop_.again(*socket);
}

void Listener::accept_from(Socket& socket) {
    ASSERT(!accepting_);
    accepting_ = true;
    for (std::size_t i = 0; i < options_.accepts_per_round && !paused_ && !retry_.is_set(); ++i) {
        auto stream = socket.accept();
        if (stream) {
            on_accept_(std::move(*stream));
        } else if (stream.error() == EAGAIN) {
            failing_ = false;
            accepting_ = false;
            return;
        } else if (!is_fault_of_one_connection(stream.error())) {
            wait_and_retry(stream.error());
        }
    }
    accepting_ = false;
    if (!paused_ && !retry_.is_set()) loop_.again(socket);
}

void Listener::wait_and_retry(int code) {
    retry_.set(loop_.now() + options_.retry_after);
    if (std::exchange(failing_, true)) return;
    if (on_error_) on_error_(io_error("accept a connection at " + url_.text(), code).error());
}

}  // namespace chappe::net
