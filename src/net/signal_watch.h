#pragma once

// Turns signals into calls on a loop's thread, where they can do as they please.

#include <csignal>
#include <functional>
#include <initializer_list>
#include <memory>

#include "net/event_loop.h"

namespace chappe::net {

class SignalWatch final : private Handler {
public:
    using OnSignal = std::move_only_function<void(int signal)>;

    // Blocks the signals' normal effect in the calling thread and in those that it starts later: call it in main,
    // before any thread. Destroyed on the same thread, it unblocks them.
    [[nodiscard]] static Result<std::unique_ptr<SignalWatch>> create(EventLoop& loop,
                                                                     std::initializer_list<int> signals,
                                                                     OnSignal on_signal);
    ~SignalWatch() override;

private:
    SignalWatch(FileDescriptor fd, const sigset_t& before, OnSignal on_signal);
    void on_ready(Readiness readiness) override;

    FileDescriptor fd_;
    sigset_t before_;
    OnSignal on_signal_;
    Watch watch_;
};

}  // namespace chappe::net
