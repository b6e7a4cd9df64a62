#include "net/dialer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/assert.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"

namespace chappe::net {

namespace {

// A Unix socket whose server is behind with accepting cannot be waited for, only asked again.
constexpr Duration busy_retry_after = 20ms;

// A connection to a port of this machine at which nobody listens can, once in some ten thousand times, get that very
// port as its own and so be connected to itself. A client that tries again and again meets it in the end.
bool is_connected_to_itself(int socket, const Endpoint& endpoint) {
    SocketAddress own;
    return std::holds_alternative<IpEndpoint>(endpoint) && getsockname(socket, own.data(), &own.size) == 0 &&
           to_endpoint(own) == endpoint;
}

// Not the loop's now(), which is old before the loop runs.
Instant clock_now() { return std::chrono::steady_clock::now(); }

}  // namespace

Dialer::Dialer(EventLoop& loop, WorkerPool& pool) : loop_(loop), pool_(pool), timer_(loop, [this] { on_timer(); }) {}

void Dialer::dial(const Url& url, OnDialed on_dialed, const DialOptions& options) {
    ASSERT(!dialing() && on_dialed);
    url_ = url;
    options_ = options;
    on_dialed_ = std::move(on_dialed);
    give_up_at_ = clock_now() + options.time_limit;
    if (was_looked_up()) return look_up();
    if (url.scheme == Scheme::Unix) {
        endpoints_.emplace_back(UnixEndpoint{url.path});
    } else {
        endpoints_.emplace_back(IpEndpoint{*IpAddress::parse(url.host), url.port});
    }
    loop_.again(*this);
}

void Dialer::look_up() {
    look_up_ = std::make_shared<LookUp>();
    const auto accepted = pool_.run(
        loop_, [resolver = options_.resolver, host = url_.host] { return resolver(host); },
        [this, wanted = std::weak_ptr(look_up_)](Result<std::vector<IpAddress>> addresses) {
            if (!wanted.expired()) on_looked_up(std::move(addresses));
        });
    if (accepted) return timer_.set(give_up_at_);
    look_up_.reset();
    add_failure(EAGAIN, "too many names are being looked up");
    loop_.again(*this);
}

void Dialer::on_looked_up(Result<std::vector<IpAddress>> addresses) {
    look_up_.reset();
    timer_.cancel();
    if (addresses) {
        for (const auto& address : *addresses) endpoints_.emplace_back(IpEndpoint{address, url_.port});
    } else {
        add_failure(addresses.error().code, addresses.error().what);
    }
    try_addresses();
}

void Dialer::on_ready(Readiness) {
    if (watch_.active()) {
        on_connect_ended();
    } else {
        try_addresses();
    }
}

// Begins with the first address that is left, until one is being connected to, is connected, or none is left.
void Dialer::try_addresses() {
    while (current_ < endpoints_.size() && clock_now() < give_up_at_) {
        const bool last = current_ + 1 == endpoints_.size();
        address_limit_at_ = last ? give_up_at_ : std::min(give_up_at_, clock_now() + options_.address_time_limit);
        auto begun = open_socket();
        if (begun) begun = connect();
        if (begun) return;
        address_failed(begun.error());
    }
    if (failures_.empty()) add_failure(ETIMEDOUT, error_text(ETIMEDOUT));
    finish(std::unexpected(IoError{last_code_, "connect to " + url_.text() + ": " + failures_}));
}

// Errors are errno values in these; which address they belong to is added by address_failed().
std::expected<void, int> Dialer::open_socket() {
    const auto* ip = std::get_if<IpEndpoint>(&endpoints_[current_]);
    const auto family = ip == nullptr ? AF_UNIX : ip->address.is_v4() ? AF_INET : AF_INET6;
    socket_ = FileDescriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.is_open()) return std::unexpected(errno);
    const int on = 1;
    if (ip == nullptr) return {};
    if (setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return std::unexpected(errno);
    if (setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0) return std::unexpected(errno);
    return {};
}

std::expected<void, int> Dialer::connect() {
    const auto address = to_socket_address(endpoints_[current_]);
    if (!address) return std::unexpected(address.error().code);
    if (::connect(socket_.get(), address->data(), address->size) == 0) return hand_over();
    switch (errno) {
        case EINPROGRESS:
        case EINTR:
            return wait_for_connection();
        case EAGAIN:
            timer_.set(std::min(clock_now() + busy_retry_after, address_limit_at_));
            return {};
        default:
            return std::unexpected(errno);
    }
}

std::expected<void, int> Dialer::wait_for_connection() {
    auto watch = loop_.watch(socket_.get(), *this);
    if (!watch) return std::unexpected(watch.error().code);
    watch_ = std::move(*watch);
    timer_.set(address_limit_at_);
    return {};
}

void Dialer::on_connect_ended() {
    int code = 0;
    socklen_t size = sizeof code;
    if (getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &code, &size) != 0) code = errno;
    const auto outcome = code == 0 ? hand_over() : std::unexpected(code);
    if (outcome) return;
    address_failed(outcome.error());
    try_addresses();
}

std::expected<void, int> Dialer::hand_over() {
    if (is_connected_to_itself(socket_.get(), endpoints_[current_])) return std::unexpected(ECONNREFUSED);
    watch_.reset();
    auto peer = Peer{std::move(endpoints_[current_]), {}};
    if (std::holds_alternative<UnixEndpoint>(peer.endpoint)) peer.credentials = peer_credentials(socket_.get());
    finish(std::make_unique<SocketStream>(std::move(socket_), std::move(peer)));
    return {};
}

void Dialer::on_timer() {
    const auto now = clock_now();
    if (look_up_ != nullptr) {
        add_failure(ETIMEDOUT, "look up " + url_.host + ": no answer");
    } else if (now < address_limit_at_) {  // A Unix socket that was busy.
        const auto begun = connect();
        if (begun) return;
        address_failed(begun.error());
    } else {
        address_failed(ETIMEDOUT);
    }
    try_addresses();
}

void Dialer::address_failed(int code) {
    timer_.cancel();
    watch_.reset();
    socket_.close();
    const auto text = std::string(error_text(code));
    // An address that was written in the URL need not be said again.
    add_failure(code, was_looked_up() ? to_text(endpoints_[current_]) + ": " + text : text);
    ++current_;
}

void Dialer::add_failure(int code, std::string_view text) {
    if (!failures_.empty()) failures_ += "; ";
    failures_ += text;
    last_code_ = code;
}

bool Dialer::was_looked_up() const { return url_.scheme != Scheme::Unix && !IpAddress::parse(url_.host); }

void Dialer::finish(Result<std::unique_ptr<Stream>> outcome) {
    auto on_dialed = std::move(on_dialed_);
    cancel();
    on_dialed(std::move(outcome));  // Last, because it may destroy the dialer.
}

void Dialer::cancel() noexcept {
    on_dialed_ = nullptr;
    look_up_.reset();
    timer_.cancel();
    watch_.reset();
    socket_.close();
    loop_.cancel_again(*this);
    endpoints_.clear();
    current_ = 0;
    failures_.clear();
}

}  // namespace chappe::net
