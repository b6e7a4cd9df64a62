#include "net/worker_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/assert.h"

namespace chappe::net {

struct WorkerPool::State {
    explicit State(const WorkerPoolOptions& limits) : options(limits) {}

    const WorkerPoolOptions options;
    std::mutex mutex;  // Guards all that follows.
    std::condition_variable job_added;
    std::condition_variable thread_ended;
    std::deque<Callback> jobs;
    std::vector<std::thread> threads;
    std::size_t running = 0;  // Threads that have not ended.
    std::size_t idle = 0;     // Of these, how many wait for a job.
    bool stopping = false;

    [[nodiscard]] bool start_thread(const std::shared_ptr<State>& self);
    void work();
    [[nodiscard]] Callback next_job();
};

// False when there is no thread at all to do the work.
bool WorkerPool::State::start_thread(const std::shared_ptr<State>& self) {
    try {
        threads.emplace_back([self] { self->work(); });
        ++running;
        return true;
    } catch (const std::system_error&) {
        return running > 0;  // The system allows no more threads; those that run do the work later.
    }
}

// Empty when it is time to end.
Callback WorkerPool::State::next_job() {
    std::unique_lock lock(mutex);
    ++idle;
    job_added.wait(lock, [this] { return stopping || !jobs.empty(); });
    --idle;
    if (stopping) return {};
    auto job = std::move(jobs.front());
    jobs.pop_front();
    return job;
}

void WorkerPool::State::work() {
    while (auto job = next_job()) job();
    const std::scoped_lock lock(mutex);
    --running;
    thread_ended.notify_all();
}

WorkerPool::WorkerPool(const WorkerPoolOptions& options) : state_(std::make_shared<State>(options)) {
    ASSERT(options.threads_max > 0);
}

bool WorkerPool::submit(Callback job) {
    const std::scoped_lock lock(state_->mutex);
    if (state_->jobs.size() >= state_->options.jobs_max) return false;
    const bool busy = state_->idle <= state_->jobs.size();
    if (busy && state_->running < state_->options.threads_max && !state_->start_thread(state_)) return false;
    state_->jobs.push_back(std::move(job));
    state_->job_added.notify_one();
    return true;
}

WorkerPool::~WorkerPool() {
    std::deque<Callback> dropped;  // Destroyed without the lock: what they own is not ours to know.
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    dropped.swap(state_->jobs);
    state_->job_added.notify_all();
    const auto all_ended =
        state_->thread_ended.wait_for(lock, state_->options.stop_time_limit, [this] { return state_->running == 0; });
    auto threads = std::exchange(state_->threads, {});
    lock.unlock();
    for (auto& thread : threads) {
        if (all_ended) {
            thread.join();
        } else {
            thread.detach();
        }
    }
}

}  // namespace chappe::net
