#pragma once

// Writes lines to a file on a thread of its own, so that nobody who has something to log waits for the disk or for
// whoever reads the terminal.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"
#include "net/file_descriptor.h"

namespace chappe::server {

struct LogWriterOptions {
    std::size_t lines_waiting_max = 8192;
    Duration end_wait_max = 2s;  // For what still waits when the writer goes.
};

// Thread-safe. When it cannot keep up the oldest lines are dropped and counted, and as soon as it can write again it
// says how many in a line between those that are missing. At its end it writes what waits, but not for longer than
// end_wait_max: a reader that has stalled must not keep the program from ending.
class LogWriter {
public:
    // The line that says it, without its line feed.
    using SayLost = std::function<std::string(std::uint64_t lines)>;

    LogWriter(std::shared_ptr<const net::FileDescriptor> file, SayLost say_lost, const LogWriterOptions& options = {});
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    void write(std::string line);
    // Lines that are given from now on go there.
    void write_to(std::shared_ptr<const net::FileDescriptor> file);

    // Dropped, or not written because of an error, since the start.
    [[nodiscard]] std::uint64_t lines_lost() const noexcept {
        return state_->lines_lost.load(std::memory_order_relaxed);
    }

private:
    struct Line {
        std::shared_ptr<const net::FileDescriptor> file;
        std::string text;
    };

    // Outlives the writer where its thread does not come back from a write().
    struct State {
        SayLost say_lost;
        std::atomic<std::uint64_t> lines_lost = 0;
        std::mutex mutex;  // Guards what follows.
        std::condition_variable changed;
        std::shared_ptr<const net::FileDescriptor> file;
        std::deque<Line> waiting;
        bool ending = false;
        bool ended = false;
    };

    static void run(State& state);
    static void write_all(State& state, std::deque<Line> lines, std::uint64_t& said);

    const LogWriterOptions options_;
    const std::shared_ptr<State> state_;
    std::thread thread_;
};

}  // namespace chappe::server
