#include "net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"

namespace chappe::net {

namespace {

// The loop's own eventfd. Generations begin at 1, so no slot ever has this token.
constexpr std::uint64_t event_token = 0;

constexpr std::uint64_t make_token(std::uint32_t index, std::uint32_t generation) {
    return std::uint64_t{generation} << 32 | index;
}

constexpr std::uint32_t token_index(std::uint64_t token) { return static_cast<std::uint32_t>(token); }

constexpr std::uint32_t token_generation(std::uint64_t token) { return static_cast<std::uint32_t>(token >> 32); }

void merge(Readiness& into, Readiness other) {
    into.readable |= other.readable;
    into.writable |= other.writable;
    into.hung_up |= other.hung_up;
}

}  // namespace

// --- AgainLink ---

void AgainLink::insert_before(AgainLink& place) noexcept {
    ASSERT(!linked());
    next_ = &place;
    previous_ = place.previous_;
    previous_->next_ = this;
    place.previous_ = this;
}

void AgainLink::unlink() noexcept {
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = this;
}

void AgainLink::take_all(AgainLink& other) noexcept {
    if (!other.linked()) return;
    other.next_->previous_ = previous_;
    previous_->next_ = other.next_;
    other.previous_->next_ = this;
    previous_ = other.previous_;
    other.next_ = other.previous_ = &other;
}

// --- Watch ---

void Watch::reset() noexcept {
    if (loop_ != nullptr) std::exchange(loop_, nullptr)->unwatch(token_);
}

// --- LoopRemote ---

Result<std::shared_ptr<LoopRemote>> LoopRemote::create() {
    FileDescriptor event(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    if (!event.is_open()) return io_error("make an eventfd", errno);
    return std::shared_ptr<LoopRemote>(new LoopRemote(std::move(event)));
}

void LoopRemote::wake() noexcept {
    if (state_.exchange(State::Woken, std::memory_order_acq_rel) != State::Asleep) return;
    // Every write is an edge of its own, so nobody reads the counter; it has room for 2^64 of them.
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

bool LoopRemote::post(Callback function) {
    {
        const std::scoped_lock lock(mutex_);
        if (closed_) return false;
        posted_.push_back(std::move(function));
    }
    wake();
    return true;
}

void LoopRemote::stop() noexcept {
    stop_.store(true, std::memory_order_release);
    wake();
}

bool LoopRemote::fall_asleep() noexcept {
    auto expected = State::Awake;
    return state_.compare_exchange_strong(expected, State::Asleep, std::memory_order_acq_rel);
}

bool LoopRemote::wake_up() noexcept { return state_.exchange(State::Awake, std::memory_order_acq_rel) == State::Woken; }

std::vector<Callback> LoopRemote::take_posted() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(posted_, {});
}

void LoopRemote::close() {
    std::vector<Callback> unrun;
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    unrun.swap(posted_);  // Destroyed after the lock has been given back: what they own may post, too.
}

// --- EventLoop ---

Result<std::unique_ptr<EventLoop>> EventLoop::create(const LoopOptions& options) {
    auto poller = TRY(create_epoll_poller(options.events_per_round_max));
    auto remote = TRY(LoopRemote::create());
    TRY(poller->add(remote->event_.get(), event_token));
    return std::make_unique<EventLoop>(std::move(poller), std::move(remote), options);
}

EventLoop::EventLoop(std::unique_ptr<Poller> poller, std::shared_ptr<LoopRemote> remote, const LoopOptions& options)
    : poller_(std::move(poller)),
      remote_(std::move(remote)),
      now_(std::chrono::steady_clock::now()),
      read_buffer_(std::make_unique_for_overwrite<std::uint8_t[]>(options.read_buffer_bytes)),
      read_buffer_bytes_(options.read_buffer_bytes) {}

EventLoop::~EventLoop() {
    remote_->close();
    ASSERT(watches_ == 0);
    ASSERT(timers_.empty());
}

void EventLoop::run() {
    ASSERT(thread_.load() == std::thread::id());
    thread_ = std::this_thread::get_id();
    now_ = std::chrono::steady_clock::now();
    while (!remote_->stop_.exchange(false, std::memory_order_acquire)) run_once({});
    thread_ = std::thread::id();
}

void EventLoop::run_once(std::optional<Duration> at_most) {
    ASSERT(may_be_used_here());
    auto wait = time_to_wait(at_most);
    if (wait != Duration::zero() && !remote_->fall_asleep()) wait = Duration::zero();
    const auto events = poller_->wait(wait);
    now_ = std::chrono::steady_clock::now();
    again_running_.take_all(again_);
    if (remote_->wake_up()) run_posted();
    dispatch(events);
    dispatch_again();
    run_timers();
    if (on_round_end_) on_round_end_();
}

std::optional<Duration> EventLoop::time_to_wait(std::optional<Duration> at_most) const {
    if (again_.linked() || at_most == Duration::zero()) return Duration::zero();
    auto due = deadline_;
    if (!timers_.empty()) due = std::min(due.value_or(Instant::max()), timers_.begin()->first);
    if (!due) return at_most;
    const auto until_due = std::max(*due - std::chrono::steady_clock::now(), Duration::zero());
    return std::min(until_due, at_most.value_or(Duration::max()));
}

void EventLoop::run_posted() {
    for (auto& function : remote_->take_posted()) function();
    if (on_wake_) on_wake_();
}

void EventLoop::dispatch(std::span<const Poller::Event> events) {
    for (const auto& event : events) {
        if (event.token == event_token) continue;
        const auto& slot = slots_[token_index(event.token)];
        const auto stale = slot.handler == nullptr || slot.generation != token_generation(event.token);
        if (!stale) call(*slot.handler, event.readiness);
    }
}

void EventLoop::dispatch_again() {
    while (again_running_.linked()) call(static_cast<Handler&>(*again_running_.next()), {});
}

void EventLoop::call(Handler& handler, Readiness readiness) {
    if (handler.linked()) {
        merge(readiness, handler.again_);
        handler.unlink();
    }
    handler.on_ready(readiness);
}

void EventLoop::run_timers() {
    // As many as are due now, so that a callback that sets its timer to the past cannot hold the loop here.
    const auto due = std::ranges::count_if(timers_, [this](const auto& entry) { return entry.first <= now_; });
    for (auto i = 0; i < due && !timers_.empty() && timers_.begin()->first <= now_; ++i) {
        auto* timer = timers_.begin()->second;
        timer->cancel();
        timer->on_due_();
    }
    if (deadline_ && *deadline_ <= now_) {
        deadline_.reset();
        if (on_deadline_) on_deadline_();
    }
}

Result<Watch> EventLoop::watch(int fd, Handler& handler) {
    ASSERT(may_be_used_here());
    if (first_free_ == slots_.size()) slots_.push_back({.next_free = first_free_ + 1});
    const auto index = first_free_;
    auto& slot = slots_[index];
    TRY(poller_->add(fd, make_token(index, slot.generation)));
    first_free_ = slot.next_free;
    slot.handler = &handler;
    slot.fd = fd;
    ++watches_;
    return Watch(*this, make_token(index, slot.generation));
}

void EventLoop::unwatch(std::uint64_t token) noexcept {
    ASSERT(may_be_used_here());
    const auto index = token_index(token);
    auto& slot = slots_[index];
    ASSERT(slot.handler != nullptr && slot.generation == token_generation(token));
    poller_->remove(slot.fd);
    slot.handler = nullptr;
    slot.fd = -1;
    if (++slot.generation == 0) slot.generation = 1;
    slot.next_free = std::exchange(first_free_, index);
    --watches_;
}

void EventLoop::again(Handler& handler, Readiness readiness) noexcept {
    ASSERT(may_be_used_here());
    if (handler.linked()) {
        merge(handler.again_, readiness);
    } else {
        handler.again_ = readiness;
        handler.insert_before(again_);
    }
}

void EventLoop::cancel_again(Handler& handler) noexcept {
    ASSERT(may_be_used_here());
    handler.unlink();
}

bool EventLoop::may_be_used_here() const noexcept {
    const auto thread = thread_.load(std::memory_order_relaxed);
    return thread == std::thread::id() || thread == std::this_thread::get_id();
}

// --- Timer ---

void Timer::set(Instant due) {
    cancel();
    ASSERT(loop_.may_be_used_here());
    due_ = due;
    loop_.timers_.emplace(due, this);
}

void Timer::cancel() noexcept {
    if (!due_) return;
    ASSERT(loop_.may_be_used_here());
    loop_.timers_.erase({*due_, this});
    due_.reset();
}

}  // namespace chappe::net
