#pragma once

// A few threads for work that would block a loop: name resolution, password hashing. Work goes to a thread, its result
// comes back to the loop that asked.

#include <cstddef>
#include <memory>
#include <utility>

#include "net/event_loop.h"

namespace chappe::net {

struct WorkerPoolOptions {
    std::size_t threads_max = 2;       // Started as they are needed.
    std::size_t jobs_max = 1000;       // Waiting for a thread; beyond it run() refuses.
    Duration stop_time_limit = 500ms;  // How long the destructor waits for work that is being done.
};

class WorkerPool {
public:
    explicit WorkerPool(const WorkerPoolOptions& options = {});
    // Work not begun is dropped. Work that does not end within the time limit (a name server that does not answer) is
    // left to end by itself or with the process; its result goes nowhere.
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    // Runs work() on a thread of the pool, then done(its result) on the loop's thread; not at all when the pool or the
    // loop has gone. `work` owns what it uses: it may outlive the caller. `done` checks whether anybody still wants the
    // result. False when too much is waiting. Work that throws is a mistake and ends the program. From any thread.
    template <class Work, class Done>
    [[nodiscard]] bool run(EventLoop& loop, Work work, Done done) {
        return submit([remote = loop.remote(), work = std::move(work), done = std::move(done)]() mutable noexcept {
            remote->post([result = work(), done = std::move(done)]() mutable { done(std::move(result)); });
        });
    }

private:
    struct State;

    [[nodiscard]] bool submit(Callback job);

    std::shared_ptr<State> state_;  // Shared with the threads, so that one left behind still stands on firm ground.
};

}  // namespace chappe::net
