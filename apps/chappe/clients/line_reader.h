#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "net/event_loop.h"

namespace chappe::app {

// Reads lines from a descriptor that may be a terminal, a pipe or a file, on the loop and without making the descriptor
// non-blocking: a terminal is shared with the shell, which would then find it so. Reads on only while lines are wanted.
class LineReader final : private net::Handler {
public:
    struct Callbacks {
        std::function<bool()> wanted;
        std::function<void(std::string_view line)> on_line;  // Without its line feed.
        // The last line has come; with the reason when reading failed.
        std::function<void(std::optional<std::string> failure)> on_end;
    };

    // A line longer than `line_max` bytes is a failure. The descriptor stays the caller's.
    LineReader(net::EventLoop& loop, int fd, std::size_t line_max, Callbacks callbacks);

    void start();
    void resume();  // Lines are wanted again.

private:
    void on_ready(net::Readiness readiness) override;
    [[nodiscard]] bool readable() const;
    void read();
    void take_lines();
    void end(std::optional<std::string> failure);

    net::EventLoop& loop_;
    int fd_;
    std::size_t line_max_;
    Callbacks callbacks_;
    net::Watch watch_;
    std::string pending_;  // Read, and not handed over: whole lines while none are wanted, and the beginning of one.
    std::size_t scanned_ = 0;  // So many bytes of it have no line feed.
    bool at_end_ = false;      // Nothing more to read.
    bool ended_ = false;       // on_end was called.
};

}  // namespace chappe::app
