#include "apps/chappe/clients/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/io_error.h"

namespace chappe::app {

LineReader::LineReader(net::EventLoop& loop, int fd, std::size_t line_max, Callbacks callbacks)
    : loop_(loop), fd_(fd), line_max_(line_max), callbacks_(std::move(callbacks)) {}

// A file cannot be watched, and need not be: it is always readable.
void LineReader::start() {
    if (auto watch = loop_.watch(fd_, *this)) watch_ = std::move(*watch);
    loop_.again(*this);
}

void LineReader::resume() {
    if (!ended_) loop_.again(*this);
}

void LineReader::on_ready(net::Readiness) {
    if (ended_) return;
    take_lines();
    if (ended_ || at_end_ || !callbacks_.wanted() || !readable()) return;
    read();
    if (ended_) return;
    take_lines();
    if (!ended_ && callbacks_.wanted()) loop_.again(*this);
}

bool LineReader::readable() const {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    return poll(&entry, 1, 0) > 0;
}

void LineReader::read() {
    const auto buffer = loop_.read_buffer();
    const auto size = ::read(fd_, buffer.data(), buffer.size());
    if (size < 0) {
        if (errno != EINTR && errno != EAGAIN) end("cannot read the lines: " + std::string(net::error_text(errno)));
        return;
    }
    pending_.append(reinterpret_cast<const char*>(buffer.data()), static_cast<std::size_t>(size));
    at_end_ = size == 0;
}

void LineReader::take_lines() {
    std::size_t used = 0;
    while (callbacks_.wanted()) {
        const auto line_feed = pending_.find('\n', std::max(used, scanned_));
        if (line_feed == pending_.npos) {
            scanned_ = pending_.size();
            break;
        }
        callbacks_.on_line(std::string_view(pending_).substr(used, line_feed - used));
        used = line_feed + 1;
    }
    pending_.erase(0, used);
    scanned_ -= std::min(scanned_, used);
    if (scanned_ < pending_.size()) return;  // There are whole lines, not wanted now.
    if (at_end_) {
        if (!pending_.empty()) callbacks_.on_line(pending_);
        end(std::nullopt);
    } else if (pending_.size() > line_max_) {
        end("a line is longer than a message may be, " + std::to_string(line_max_) + " bytes");
    }
}

void LineReader::end(std::optional<std::string> failure) {
    ended_ = true;
    watch_.reset();
    callbacks_.on_end(std::move(failure));
}

}  // namespace chappe::app
