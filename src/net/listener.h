#pragma once

// Accepts connections at a ListenUrl and hands each to its owner as a Stream, not yet attached to a loop.
//
// 0.0.0.0 is IPv4 only, [::] serves IPv6 and IPv4, and a host name listens on each of its addresses. A Unix socket
// whose server has died is replaced, one that is alive is refused; the file is removed when the listener closes.

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "net/event_loop.h"
#include "net/stream.h"
#include "net/url.h"

namespace chappe::net {

struct ListenerOptions {
    int backlog = 4096;                  // Connections that wait to be accepted; the kernel cuts it to somaxconn.
    mode_t unix_mode = 0660;             // Permissions of the Unix socket's file.
    std::size_t accepts_per_round = 64;  // So that a storm of connections does not starve those that exist.
    Duration retry_after = 100ms;        // When there was no file descriptor or memory left to accept with.
};

class Listener {
public:
    using OnAccept = std::move_only_function<void(std::unique_ptr<Stream>)>;
    // Accepting fails for now (no file descriptors left, for example) and is tried again by itself. Told once, until
    // all that waited has been accepted.
    using OnError = std::move_only_function<void(const IoError&)>;

    // Looks names up and so may block: for the start of the program. The callbacks may pause the listener, not destroy
    // it.
    [[nodiscard]] static Result<std::unique_ptr<Listener>> create(EventLoop& loop, const ListenUrl& url,
                                                                  OnAccept on_accept, OnError on_error,
                                                                  const ListenerOptions& options = {});
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    // The URL with the port that was really taken.
    [[nodiscard]] const ListenUrl& local_url() const noexcept { return url_; }

    // Stops accepting; connections wait in the backlog until resume().
    void pause() noexcept { paused_ = true; }
    void resume();
    [[nodiscard]] bool paused() const noexcept { return paused_; }

private:
    class Socket;

    Listener(EventLoop& loop, const ListenUrl& url, OnAccept on_accept, OnError on_error,
             const ListenerOptions& options);
    [[nodiscard]] Result<void> open();
    [[nodiscard]] Result<void> open_addresses();
    [[nodiscard]] Result<void> add(std::unique_ptr<Socket> socket);
    void accept_from(Socket& socket);
    void try_all_again();
    void wait_and_retry(int code);

    EventLoop& loop_;
    ListenUrl url_;
    OnAccept on_accept_;
    OnError on_error_;
    ListenerOptions options_;
    std::vector<std::unique_ptr<Socket>> sockets_;
    Timer retry_;
    bool accepting_ = false;  // In accept_from(): the listener must not be destroyed.
    bool paused_ = false;
    bool failing_ = false;  // An error was told and the backlog has not been emptied since.
};

}  // namespace chappe::net
