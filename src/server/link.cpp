#include "server/link.h"

#include <array>
#include <utility>

#include "server/shard_thread.h"

namespace chappe::server {
namespace {

constexpr std::size_t pieces_per_write = 64;

}  // namespace

Link::Link(ShardThread& thread, std::unique_ptr<net::Stream> stream, std::shared_ptr<ListenerAccount> account)
    : thread_(thread), stream_(std::move(stream)), account_(std::move(account)) {}

Link::~Link() {
    if (stream_) stream_->close();
}

net::Result<void> Link::attach(broker::ConnectionId id) {
    id_ = id;
    return stream_->attach(thread_.loop(), *this);
}

void Link::on_ready(net::Readiness readiness) {
    if (readiness.writable) {
        writable_ = true;
        write();
    }
    if (readiness.readable && stream_) read();
}

void Link::read() {
    auto& shard = thread_.shard();
    if (!shard.may_read(id_)) {
        read_stopped_ = true;
        return;
    }
    const auto buffer = thread_.loop().read_buffer();
    const auto outcome = stream_->read(buffer);
    if (!outcome) return fail(outcome.error());
    if (!identified_) {
        identify();
        identified_ = outcome->size != 0;
    }
    if (outcome->size != 0) shard.receive(id_, buffer.first(outcome->size), thread_.loop().now());
    switch (outcome->next) {
        case net::ReadOutcome::Next::More:
            thread_.loop().again(*this);
            break;
        case net::ReadOutcome::Next::Later:
            break;
        case net::ReadOutcome::Next::End:
            end("the client closed the connection");
            break;
    }
}

// When the first byte is there, so is all that its transport tells of the client. Some of it comes earlier, and is
// wanted in the log where the client never says anything.
void Link::identify() {
    const auto& peer = stream_->peer();
    if (peer.tls) thread_.shard().identify(id_, peer.tls->certificate, peer.tls->psk_identity);
    thread_.shard().readdress(id_, peer.text());
}

void Link::read_again() {
    if (std::exchange(read_stopped_, false)) thread_.loop().again(*this);
}

void Link::write() {
    auto& shard = thread_.shard();
    while (writable_ && stream_) {
        const auto* output = shard.begin_write(id_);
        if (output == nullptr) return;
        std::array<Bytes, pieces_per_write> pieces;
        const auto count = output->gather(pieces);
        std::array<iovec, pieces_per_write> vectors;  // NOLINT(*-member-init): the first `count` are set.
        std::size_t size = 0;
        for (std::size_t piece = 0; piece != count; ++piece) {
            vectors[piece] = {const_cast<std::uint8_t*>(pieces[piece].data()), pieces[piece].size()};
            size += pieces[piece].size();
        }
        const auto written = stream_->write(std::span(vectors).first(count));
        if (!written) return fail(written.error());
        if (*written < size) writable_ = false;
        shard.sent(id_, *written, thread_.loop().now());
    }
}

void Link::end(std::string_view why) {
    stream_->close();
    stream_.reset();
    thread_.shard().disconnected(id_, why, thread_.loop().now());
    thread_.remove(id_);
}

// A peer that broke the protocol below MQTT is told so by the stream, whose last bytes are waited for.
void Link::fail(const net::IoError& error) {
    if (error.code != EPROTO) return end(error.what);
    if (!identified_) identify();
    thread_.lingering().close(std::move(stream_));
    thread_.shard().refused_by_transport(id_, error.what, thread_.loop().now());
    thread_.remove(id_);
}

void Link::close() {
    if (!stream_) return;
    Buffer unsent;
    while (const auto* output = thread_.shard().begin_write(id_)) {
        std::array<Bytes, pieces_per_write> pieces;
        const auto before = unsent.size();
        for (const auto& piece : std::span(pieces).first(output->gather(pieces))) unsent.append(piece);
        thread_.shard().sent(id_, unsent.size() - before, thread_.loop().now());
    }
    thread_.lingering().close(std::move(stream_), std::move(unsent));
    thread_.shard().disconnected(id_, "", thread_.loop().now());
    thread_.remove(id_);
}

void Link::abort() {
    if (stream_) end("");
}

void Link::going_away() noexcept {
    if (stream_) stream_->going_away();
}

std::unique_ptr<net::Stream> Link::release_stream() {
    stream_->detach();
    thread_.remove(id_);
    return std::move(stream_);
}

}  // namespace chappe::server
