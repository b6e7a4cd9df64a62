#pragma once

// One thread's event loop. It waits for sockets, deadlines and other threads, and calls back; one such wait and what
// follows from it is a round:
//
//   wait -> posted functions, on_wake -> ready handlers -> timers, on_deadline -> on_round_end
//
// So whatever a round produced (bytes to write, batches for other threads) is sent on once, in on_round_end. A socket
// is registered once, edge-triggered, for reading and writing; there is no system call on the way of a message other
// than its read and its write. Only wake(), post(), stop() and remote() may be called from other threads.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/file_descriptor.h"
#include "net/io_error.h"

namespace chappe::net {

using Callback = std::move_only_function<void()>;

// What a socket may be asked now. A socket that has failed or whose peer has gone is also readable and writable, so a
// handler that reads and writes learns of it that way; `hung_up` is for those that do neither at the moment.
struct Readiness {
    bool readable = false;
    bool writable = false;
    bool hung_up = false;
};

// A place in the circular list of handlers that a loop is to call again. It leaves the list by itself when it goes.
class AgainLink {
public:
    AgainLink() = default;
    AgainLink(const AgainLink&) = delete;
    AgainLink& operator=(const AgainLink&) = delete;
    ~AgainLink() { unlink(); }

    [[nodiscard]] bool linked() const noexcept { return next_ != this; }
    [[nodiscard]] AgainLink* next() const noexcept { return next_; }
    void insert_before(AgainLink& place) noexcept;
    void unlink() noexcept;
    // Moves all that is linked to `other` here, behind what is linked here.
    void take_all(AgainLink& other) noexcept;

private:
    AgainLink* next_ = this;
    AgainLink* previous_ = this;
};

// Gets on_ready calls from an EventLoop. Edge-triggered: a readiness is told once, so the handler reads until there is
// nothing left, or asks the loop to be called again(). A handler may destroy itself or any other handler in on_ready.
class Handler : AgainLink {
public:
    virtual ~Handler() = default;

    virtual void on_ready(Readiness readiness) = 0;

private:
    friend class EventLoop;

    Readiness again_;  // What to call it with; meaningless unless it is linked.
};

// What a system offers to wait for many sockets at once. There is one for epoll; one for io_uring fits beside it. Its
// functions are called per connection and per round, never per message.
class Poller {
public:
    struct Event {
        std::uint64_t token = 0;
        Readiness readiness;
    };

    virtual ~Poller() = default;

    // Reports readiness of the descriptor, edge-triggered, and what is ready already in the next wait().
    [[nodiscard]] virtual Result<void> add(int fd, std::uint64_t token) = 0;
    virtual void remove(int fd) = 0;
    // Waits at most so long (forever when empty) and returns what became ready; valid until the next call.
    [[nodiscard]] virtual std::span<const Event> wait(std::optional<Duration> at_most) = 0;
};

[[nodiscard]] Result<std::unique_ptr<Poller>> create_epoll_poller(std::size_t events_per_round_max);

// A descriptor's registration at a loop, ended by destruction: from then on the handler is not called for it, not even
// for events that the current round has already collected.
class Watch {
public:
    Watch() = default;
    Watch(Watch&& other) noexcept
        : loop_(std::exchange(other.loop_, nullptr)), token_(std::exchange(other.token_, 0)) {}
    Watch& operator=(Watch&& other) noexcept {
        if (this != &other) {
            reset();
            loop_ = std::exchange(other.loop_, nullptr);
            token_ = std::exchange(other.token_, 0);
        }
        return *this;
    }
    ~Watch() { reset(); }

    [[nodiscard]] bool active() const noexcept { return loop_ != nullptr; }
    [[nodiscard]] class EventLoop* loop() const noexcept { return loop_; }
    void reset() noexcept;

private:
    friend class EventLoop;
    Watch(EventLoop& loop, std::uint64_t token) noexcept : loop_(&loop), token_(token) {}

    EventLoop* loop_ = nullptr;
    std::uint64_t token_ = 0;
};

// The side of a loop that other threads use. It may outlive the loop, and then does nothing: slow work that ends late
// needs no care.
class LoopRemote {
public:
    [[nodiscard]] static Result<std::shared_ptr<LoopRemote>> create();

    // Makes the loop call on_wake soon. Cheap when often called: a loop that is awake or already woken costs no system
    // call. What the caller wrote before wake() is visible to on_wake.
    void wake() noexcept;

    // Runs the function on the loop's thread, soon, in the order of the calls. For rare things: it takes a lock and
    // allocates. False, and the function is destroyed unrun, when the loop has gone.
    bool post(Callback function);

    // Ends run() after its current round.
    void stop() noexcept;

private:
    friend class EventLoop;

    // Awake: the loop is at work and will look before it sleeps. Asleep: someone must write to the eventfd.
    // Woken: on_wake is due, and whoever set this has done what was needed.
    enum class State : std::uint8_t { Awake, Asleep, Woken };

    explicit LoopRemote(FileDescriptor event) noexcept : event_(std::move(event)) {}
    [[nodiscard]] bool fall_asleep() noexcept;  // False when there is a wake-up to serve first.
    [[nodiscard]] bool wake_up() noexcept;      // Whether on_wake is due.
    [[nodiscard]] std::vector<Callback> take_posted();
    void close();

    FileDescriptor event_;
    std::atomic<State> state_ = State::Awake;
    std::atomic<bool> stop_ = false;
    std::mutex mutex_;  // Guards what follows.
    std::vector<Callback> posted_;
    bool closed_ = false;
};

struct LoopOptions {
    std::size_t read_buffer_bytes = 256 * 1024;
    std::size_t events_per_round_max = 1024;
};

class EventLoop {
public:
    [[nodiscard]] static Result<std::unique_ptr<EventLoop>> create(const LoopOptions& options = {});

    EventLoop(std::unique_ptr<Poller> poller, std::shared_ptr<LoopRemote> remote, const LoopOptions& options);
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;
    ~EventLoop();  // All watches and timers must have gone before; functions still posted are destroyed unrun.

    // Runs rounds on the calling thread until stop(). May be called again after it returned.
    void run();
    // One round, waiting at most so long (forever when empty).
    void run_once(std::optional<Duration> at_most);

    // From any thread; see LoopRemote.
    void wake() noexcept { remote_->wake(); }
    void post(Callback function) { (void)remote_->post(std::move(function)); }
    void stop() noexcept { remote_->stop(); }
    [[nodiscard]] const std::shared_ptr<LoopRemote>& remote() const noexcept { return remote_; }

    // The owner's callbacks, set before run(). on_wake may also come without a wake().
    void on_wake(Callback callback) { on_wake_ = std::move(callback); }
    void on_deadline(Callback callback) { on_deadline_ = std::move(callback); }
    void on_round_end(Callback callback) { on_round_end_ = std::move(callback); }

    // When on_deadline is to be called: once, in the first round that begins at or after that time, usually within a
    // millisecond. One value, cheap to change, because the owner keeps its own heap of timers and sets the earliest.
    // It is taken back before the call, so on_deadline sets the next.
    void set_deadline(std::optional<Instant> deadline) noexcept { deadline_ = deadline; }

    // The time at the beginning of this round.
    [[nodiscard]] Instant now() const noexcept { return now_; }

    // Memory for reading into, shared by all handlers of the loop: what it holds ends with the on_ready call. Its size
    // is also a handler's fair share of a round: who has filled it once asks again() instead of reading on.
    [[nodiscard]] std::span<std::uint8_t> read_buffer() noexcept { return {read_buffer_.get(), read_buffer_bytes_}; }

    // Reports the descriptor's readiness to the handler, beginning with what is ready now. The descriptor stays the
    // caller's, who closes it after the Watch has gone.
    [[nodiscard]] Result<Watch> watch(int fd, Handler& handler);

    // Calls the handler in the next round, after this one's other handlers, whether or not its socket reports anything.
    // Asked several times, or together with an event, it is called once. Also without any socket.
    void again(Handler& handler, Readiness readiness = {.readable = true}) noexcept;
    void cancel_again(Handler& handler) noexcept;

    // Calls the handler now, with what it asked again() for added. For a stream that passes its readiness on.
    void call(Handler& handler, Readiness readiness);

private:
    friend class Watch;
    friend class Timer;

    struct Slot {
        Handler* handler = nullptr;  // Null when the slot is free.
        int fd = -1;
        std::uint32_t generation = 1;  // Of this use of the slot; an event for an earlier one is stale.
        std::uint32_t next_free = 0;
    };

    void unwatch(std::uint64_t token) noexcept;
    [[nodiscard]] std::optional<Duration> time_to_wait(std::optional<Duration> at_most) const;
    void run_posted();
    void dispatch(std::span<const Poller::Event> events);
    void dispatch_again();
    void run_timers();
    [[nodiscard]] bool may_be_used_here() const noexcept;

    std::unique_ptr<Poller> poller_;
    std::shared_ptr<LoopRemote> remote_;
    std::vector<Slot> slots_;
    std::uint32_t first_free_ = 0;
    std::size_t watches_ = 0;
    AgainLink again_;          // Heads the list for the next round.
    AgainLink again_running_;  // Heads what is left of this round's list.
    std::set<std::pair<Instant, class Timer*>> timers_;
    std::optional<Instant> deadline_;
    Instant now_;
    Callback on_wake_;
    Callback on_deadline_;
    Callback on_round_end_;
    std::unique_ptr<std::uint8_t[]> read_buffer_;
    std::size_t read_buffer_bytes_;
    std::atomic<std::thread::id> thread_{};  // Whose run() it is; nobody's outside of it.
};

// A deadline of its own for something rare, such as a connection attempt. Connections by the thousand share the loop's
// one deadline instead. The callback may destroy the timer.
class Timer {
public:
    Timer(EventLoop& loop, Callback on_due) : loop_(loop), on_due_(std::move(on_due)) {}
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { cancel(); }

    void set(Instant due);  // Replaces an earlier time.
    void cancel() noexcept;
    [[nodiscard]] bool is_set() const noexcept { return due_.has_value(); }

private:
    friend class EventLoop;

    EventLoop& loop_;
    Callback on_due_;
    std::optional<Instant> due_;
};

}  // namespace chappe::net
