#include "ldap/deadline.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

namespace chappe::ldap {
namespace {

// Above the socket and what is read ahead of it, below TLS.
constexpr int level = (LBER_SBIOD_LEVEL_PROVIDER + LBER_SBIOD_LEVEL_TRANSPORT) / 2;

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

int socket_of(Sockbuf* buffer) {
    int descriptor = -1;
    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &descriptor);
    return descriptor;
}

}  // namespace

const Sockbuf_IO Deadline::io_layer{
    .sbi_setup =
        [](Sockbuf_IO_Desc* layer, void* self) {
            layer->sbiod_pvt = self;
            return 0;
        },
    .sbi_remove = [](Sockbuf_IO_Desc* /*layer*/) { return 0; },
    .sbi_ctrl = [](Sockbuf_IO_Desc* layer, int option, void* value) -> int {
        return LBER_SBIOD_CTRL_NEXT(layer, option, value);
    },
    .sbi_read = &Deadline::read,
    .sbi_write = &Deadline::write,
    .sbi_close = [](Sockbuf_IO_Desc* /*layer*/) { return 0; },
};

Deadline::Deadline(std::chrono::seconds limit)
    : limit_(limit),
      on_connection_{.lc_add = &Deadline::connected,
                     .lc_del = [](::ldap* /*handle*/, Sockbuf* /*buffer*/, ldap_conncb* /*self*/) {},
                     .lc_arg = this} {
    begin();
}

int Deadline::watch(::ldap* handle) { return ldap_set_option(handle, LDAP_OPT_CONNECT_CB, &on_connection_); }

void Deadline::begin() {
    until_ = std::chrono::steady_clock::now() + limit_;
    is_over_ = false;
}

std::chrono::microseconds Deadline::left() const {
    const auto left = std::chrono::ceil<std::chrono::microseconds>(until_ - std::chrono::steady_clock::now());
    return std::max(left, std::chrono::microseconds::zero());
}

// To connect has a limit of its own, once for each server that there is. The socket blocks, or not, as libldap likes.
int Deadline::connected(::ldap* /*handle*/, Sockbuf* buffer, LDAPURLDesc* /*url*/, sockaddr* /*address*/,
                        ldap_conncb* self) {
    auto& deadline = *static_cast<Deadline*>(self->lc_arg);
    deadline.begin();
    deadline.has_connected_ = true;
    auto* layer = const_cast<Sockbuf_IO*>(&io_layer);  // NOLINT(*-const-cast): it is only read.
    return ber_sockbuf_add_io(buffer, layer, level, &deadline);
}

ber_slen_t Deadline::read(Sockbuf_IO_Desc* layer, void* bytes, ber_len_t size) {
    auto& self = *static_cast<Deadline*>(layer->sbiod_pvt);
    while (self.limit(layer, SO_RCVTIMEO)) {
        const auto count = LBER_SBIOD_READ_NEXT(layer, bytes, size);
        if (count >= 0 || !would_block()) return count;
        if (!self.wait(layer, POLLIN)) return -1;
    }
    return -1;
}

ber_slen_t Deadline::write(Sockbuf_IO_Desc* layer, void* bytes, ber_len_t size) {
    auto& self = *static_cast<Deadline*>(layer->sbiod_pvt);
    while (self.limit(layer, SO_SNDTIMEO)) {
        const auto count = LBER_SBIOD_WRITE_NEXT(layer, bytes, size);
        if (count >= 0 || !would_block()) return count;
        if (!self.wait(layer, POLLOUT)) return -1;
    }
    return -1;
}

// For a socket that blocks. False: as below.
bool Deadline::limit(Sockbuf_IO_Desc* layer, int option) {
    const auto time = left();
    if (time == time.zero()) return give_up();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const timeval value{.tv_sec = seconds.count(), .tv_usec = (time - seconds).count()};
    ::setsockopt(socket_of(layer->sbiod_sb), SOL_SOCKET, option, &value, sizeof value);
    return true;
}

// False: it takes too long, which errno says in a way that libldap does not try again after.
bool Deadline::wait(Sockbuf_IO_Desc* layer, short events) {
    using std::chrono::milliseconds;
    const auto left = std::chrono::ceil<milliseconds>(until_ - std::chrono::steady_clock::now());
    pollfd waited{.fd = socket_of(layer->sbiod_sb), .events = events, .revents = 0};
    if (left > milliseconds::zero() && ::poll(&waited, 1, static_cast<int>(left.count())) != 0) return true;
    return give_up();
}

bool Deadline::give_up() {
    is_over_ = true;
    errno = ETIMEDOUT;
    return false;
}

}  // namespace chappe::ldap
