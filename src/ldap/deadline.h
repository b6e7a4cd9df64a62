#pragma once

// The end of what libldap would wait for for ever. It limits the time until an answer begins, and not that until it
// ends; a TLS handshake it limits not at all where it uses GnuTLS, as Debian's does: it asks the socket again and
// again.

#include <ldap.h>

#include <chrono>

namespace chappe::ldap {

// Stands between libldap and the socket. Has its place in memory as long as the connection that it watches.
class Deadline {
public:
    explicit Deadline(std::chrono::seconds limit);
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    // Before the connection is made. The result of ldap_set_option().
    [[nodiscard]] int watch(::ldap* handle);

    // What is left for all that is asked on this connection; not less than nothing.
    [[nodiscard]] std::chrono::microseconds left() const;
    // Something has taken too long.
    [[nodiscard]] bool is_over() const noexcept { return is_over_; }
    // Whether a server has taken the connection, whatever came of it then.
    [[nodiscard]] bool has_connected() const noexcept { return has_connected_; }

private:
    void begin();
    static int connected(::ldap* handle, Sockbuf* buffer, LDAPURLDesc* url, sockaddr* address, ldap_conncb* self);
    static ber_slen_t read(Sockbuf_IO_Desc* layer, void* bytes, ber_len_t size);
    static ber_slen_t write(Sockbuf_IO_Desc* layer, void* bytes, ber_len_t size);
    static const Sockbuf_IO io_layer;

    [[nodiscard]] bool limit(Sockbuf_IO_Desc* layer, int option);
    bool give_up();
    [[nodiscard]] bool wait(Sockbuf_IO_Desc* layer, short events);

    const std::chrono::seconds limit_;
    ldap_conncb on_connection_;
    std::chrono::steady_clock::time_point until_;
    bool is_over_ = false;
    bool has_connected_ = false;
};

}  // namespace chappe::ldap
