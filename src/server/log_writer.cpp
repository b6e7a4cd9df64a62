#include "server/log_writer.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace chappe::server {
namespace {

// The log is there before anybody watches for signals, and its thread must not be the one that gets them.
void block_all_signals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

// Whether all of it was written. Standard error may be a pipe or terminal that somebody else has made non-blocking.
bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno == EAGAIN) {
            pollfd writable{.fd = fd, .events = POLLOUT, .revents = 0};
            static_cast<void>(::poll(&writable, 1, -1));
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

}  // namespace

LogWriter::LogWriter(std::shared_ptr<const net::FileDescriptor> file, SayLost say_lost, const LogWriterOptions& options)
    : options_(options), state_(std::make_shared<State>()) {
    state_->say_lost = std::move(say_lost);
    state_->file = std::move(file);
    thread_ = std::thread([state = state_] {
        block_all_signals();
        run(*state);
    });
}

LogWriter::~LogWriter() {
    std::unique_lock lock(state_->mutex);
    state_->ending = true;
    state_->changed.notify_all();
    const bool ended = state_->changed.wait_for(lock, options_.end_wait_max, [this] { return state_->ended; });
    lock.unlock();
    ended ? thread_.join() : thread_.detach();
}

void LogWriter::write(std::string line) {
    line += '\n';
    const std::lock_guard lock(state_->mutex);
    if (state_->waiting.size() == options_.lines_waiting_max) {
        state_->waiting.pop_front();
        state_->lines_lost.fetch_add(1, std::memory_order_relaxed);
    }
    state_->waiting.push_back({.file = state_->file, .text = std::move(line)});
    if (state_->waiting.size() == 1) state_->changed.notify_all();
}

void LogWriter::write_to(std::shared_ptr<const net::FileDescriptor> file) {
    const std::lock_guard lock(state_->mutex);
    state_->file = std::move(file);
}

void LogWriter::run(State& state) {
    std::uint64_t said = 0;  // Of the lines lost.
    std::unique_lock lock(state.mutex);
    while (true) {
        state.changed.wait(lock, [&] { return state.ending || !state.waiting.empty(); });
        if (state.waiting.empty()) break;
        auto lines = std::exchange(state.waiting, {});
        lock.unlock();
        write_all(state, std::move(lines), said);
        lock.lock();
    }
    state.ended = true;
    state.changed.notify_all();
}

// The lines were taken before any that are dropped from now on, and after all that were dropped before.
void LogWriter::write_all(State& state, std::deque<Line> lines, std::uint64_t& said) {
    for (const auto& line : lines) {
        const auto lost = state.lines_lost.load(std::memory_order_relaxed);
        if (lost != said && write_whole(line.file->get(), state.say_lost(lost - said) + '\n')) said = lost;
        if (!write_whole(line.file->get(), line.text)) state.lines_lost.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace chappe::server
