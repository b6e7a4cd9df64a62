#pragma once

// Closes connections so that the peer gets our last bytes, such as the reason why we close. A socket that is closed
// while the peer still sends is reset, and a reset makes the peer's kernel throw away what it has not read yet. So this
// writes what is left, ends our direction, and reads and forgets what comes until the peer has closed too.

#include <cstddef>
#include <list>
#include <memory>

#include "base/bytes.h"
#include "net/event_loop.h"
#include "net/stream.h"

namespace chappe::net {

struct LingeringCloseOptions {
    Duration time_limit = 2s;        // For each connection, then it is just closed.
    std::size_t streams_max = 1000;  // Beyond it the one that has lingered longest is just closed.
};

// Of one loop. Destroying it closes all that is left.
class LingeringClose {
public:
    explicit LingeringClose(EventLoop& loop, const LingeringCloseOptions& options = {});
    ~LingeringClose();
    LingeringClose(const LingeringClose&) = delete;
    LingeringClose& operator=(const LingeringClose&) = delete;

    // Takes an open stream, attached or not, and the bytes that it has not taken yet.
    void close(std::unique_ptr<Stream> stream, Buffer unsent = {});

    [[nodiscard]] std::size_t size() const noexcept { return closing_.size(); }

private:
    struct Closing;

    void remove(std::list<Closing>::iterator closing);
    void arm_timer();
    void on_timer();

    EventLoop& loop_;
    LingeringCloseOptions options_;
    std::list<Closing> closing_;  // In the order of their time limits.
    Timer timer_;
};

}  // namespace chappe::net
