#include <sys/epoll.h>

#include <algorithm>
#include <limits>

#include "base/assert.h"
#include "net/event_loop.h"

namespace chappe::net {

namespace {

constexpr std::uint32_t interest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

Readiness readiness_of(std::uint32_t events) {
    const bool failed = (events & (EPOLLERR | EPOLLHUP)) != 0;
    const bool hung_up = failed || (events & EPOLLRDHUP) != 0;
    return {.readable = hung_up || (events & EPOLLIN) != 0,
            .writable = failed || (events & EPOLLOUT) != 0,
            .hung_up = hung_up};
}

// Rounded up: a round that comes too early for its deadline would have nothing to do.
int milliseconds(std::optional<Duration> at_most) {
    if (!at_most) return -1;
    const auto count = std::chrono::ceil<std::chrono::milliseconds>(*at_most).count();
    return static_cast<int>(std::clamp<std::int64_t>(count, 0, std::numeric_limits<int>::max()));
}

class EpollPoller final : public Poller {
public:
    EpollPoller(FileDescriptor epoll, std::size_t events_per_round_max)
        : epoll_(std::move(epoll)), found_(events_per_round_max) {
        events_.reserve(events_per_round_max);
    }

    Result<void> add(int fd, std::uint64_t token) override {
        epoll_event event{.events = interest, .data = {.u64 = token}};
        if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return io_error("watch a descriptor", errno);
        return {};
    }

    void remove(int fd) override {
        const auto outcome = epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
        ASSERT(outcome == 0);  // The owner closes the descriptor after its Watch, not before.
    }

    std::span<const Event> wait(std::optional<Duration> at_most) override {
        const auto count =
            epoll_wait(epoll_.get(), found_.data(), static_cast<int>(found_.size()), milliseconds(at_most));
        ASSERT(count >= 0 || errno == EINTR);
        events_.clear();
        for (auto i = 0; i < count; ++i) {
            const auto& found = found_[static_cast<std::size_t>(i)];
            events_.push_back({.token = found.data.u64, .readiness = readiness_of(found.events)});
        }
        return events_;
    }

private:
    FileDescriptor epoll_;
    std::vector<epoll_event> found_;
    std::vector<Event> events_;
};

}  // namespace

Result<std::unique_ptr<Poller>> create_epoll_poller(std::size_t events_per_round_max) {
    FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll.is_open()) return io_error("make an epoll instance", errno);
    return std::make_unique<EpollPoller>(std::move(epoll), events_per_round_max);
}

}  // namespace chappe::net
