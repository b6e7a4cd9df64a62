#include "net/signal_watch.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace chappe::net {

Result<std::unique_ptr<SignalWatch>> SignalWatch::create(EventLoop& loop, std::initializer_list<int> signals,
                                                         OnSignal on_signal) {
    sigset_t watched;
    sigset_t before;
    sigemptyset(&watched);
    for (const auto signal : signals) sigaddset(&watched, signal);
    if (const auto code = pthread_sigmask(SIG_BLOCK, &watched, &before); code != 0) {
        return io_error("block signals", code);
    }
    FileDescriptor fd(signalfd(-1, &watched, SFD_NONBLOCK | SFD_CLOEXEC));
    const auto code = errno;
    std::unique_ptr<SignalWatch> watch(new SignalWatch(std::move(fd), before, std::move(on_signal)));
    if (!watch->fd_.is_open()) return io_error("make a signalfd", code);
    watch->watch_ = TRY(loop.watch(watch->fd_.get(), *watch));
    return watch;
}

SignalWatch::SignalWatch(FileDescriptor fd, const sigset_t& before, OnSignal on_signal)
    : fd_(std::move(fd)), before_(before), on_signal_(std::move(on_signal)) {}

SignalWatch::~SignalWatch() { (void)pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

void SignalWatch::on_ready(Readiness) {
    signalfd_siginfo info{};
    while (read(fd_.get(), &info, sizeof info) == sizeof info) on_signal_(static_cast<int>(info.ssi_signo));
}

}  // namespace chappe::net
