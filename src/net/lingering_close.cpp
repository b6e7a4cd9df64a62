#include "net/lingering_close.h"

#include <sys/uio.h>

#include "base/assert.h"

namespace chappe::net {

// A connection on its way out.
struct LingeringClose::Closing final : Handler {
    Closing(LingeringClose& closer, std::unique_ptr<Stream> closed_stream, Buffer rest, Instant give_up)
        : owner(closer), stream(std::move(closed_stream)), unsent(std::move(rest)), give_up_at(give_up) {}

    void on_ready(Readiness readiness) override;
    [[nodiscard]] Result<void> write();
    [[nodiscard]] Result<void> read();

    LingeringClose& owner;
    std::unique_ptr<Stream> stream;
    Buffer unsent;
    Instant give_up_at;
    std::list<Closing>::iterator self;
    bool finished_writing = false;
    bool peer_finished = false;
};

void LingeringClose::Closing::on_ready(Readiness) {
    auto outcome = write();
    if (outcome) outcome = read();
    if (!outcome || (finished_writing && peer_finished)) owner.remove(self);
}

Result<void> LingeringClose::Closing::write() {
    if (finished_writing) return {};
    const iovec piece{.iov_base = const_cast<std::uint8_t*>(unsent.data()), .iov_len = unsent.size()};
    if (!unsent.empty()) unsent.consume(TRY(stream->write({&piece, 1})));
    if (!unsent.empty()) return {};
    unsent.release();
    TRY(stream->finish_writing());
    finished_writing = true;
    return {};
}

// One buffer's worth, which is a fair share of a round; what it holds is nobody's any more.
Result<void> LingeringClose::Closing::read() {
    if (peer_finished) return {};
    const auto outcome = TRY(stream->read(owner.loop_.read_buffer()));
    peer_finished = outcome.next == ReadOutcome::Next::End;
    if (outcome.next == ReadOutcome::Next::More) owner.loop_.again(*this);
    return {};
}

LingeringClose::LingeringClose(EventLoop& loop, const LingeringCloseOptions& options)
    : loop_(loop), options_(options), timer_(loop, [this] { on_timer(); }) {}

LingeringClose::~LingeringClose() = default;

void LingeringClose::close(std::unique_ptr<Stream> stream, Buffer unsent) {
    ASSERT(stream != nullptr && stream->is_open());
    stream->detach();
    while (!closing_.empty() && closing_.size() >= options_.streams_max) remove(closing_.begin());
    auto& closing =
        closing_.emplace_back(*this, std::move(stream), std::move(unsent), loop_.now() + options_.time_limit);
    closing.self = std::prev(closing_.end());
    if (!closing.stream->attach(loop_, closing)) return remove(closing.self);
    if (!timer_.is_set()) arm_timer();
}

void LingeringClose::remove(std::list<Closing>::iterator closing) { closing_.erase(closing); }

void LingeringClose::arm_timer() {
    if (!closing_.empty()) timer_.set(closing_.front().give_up_at);
}

void LingeringClose::on_timer() {
    while (!closing_.empty() && closing_.front().give_up_at <= loop_.now()) remove(closing_.begin());
    arm_timer();
}

}  // namespace chappe::net
