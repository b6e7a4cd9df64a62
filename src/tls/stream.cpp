#include "tls/stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include <openssl/err.h>

#include "base/assert.h"
#include "tls/certificate.h"
#include "tls/error.h"
#include "tls/psk.h"

namespace chappe::tls {

namespace {

using net::ReadOutcome;

constexpr std::size_t record_size_max = SSL3_RT_MAX_PLAIN_LENGTH;

// A peer may send messages of TLS itself without end, new keys for example, and wants each answered. These are bounds
// of what it sends without any data between, and of answers that it does not read.
constexpr std::size_t read_without_data_max = 256 * 1024;
constexpr std::size_t unsent_max = 256 * 1024;

std::unexpected<net::IoError> too_much(const net::Peer& peer) {
    return std::unexpected(
        net::IoError{EPROTO, "read from " + peer.text() + ": TLS: the peer sends messages of TLS and no data"});
}

// --- OpenSSL's way to the stream below.

Stream& stream_of(BIO* bio) { return *static_cast<Stream*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* data, int size) {
    BIO_clear_retry_flags(bio);
    const auto count =
        stream_of(bio).read_below({reinterpret_cast<std::uint8_t*>(data), static_cast<std::size_t>(size)});
    if (count < 0) BIO_set_retry_read(bio);
    return count;
}

int bio_write(BIO* bio, const char* data, int size) {
    stream_of(bio).write_below({reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
    return size;
}

long bio_control(BIO* bio, int command, long, void*) {
    if (command == BIO_CTRL_FLUSH) return 1;
    return command == BIO_CTRL_EOF && stream_of(bio).at_end() ? 1 : 0;
}

const BIO_METHOD* bio_method() {
    static const Handle<BIO_METHOD, BIO_meth_free> method = [] {
        Handle<BIO_METHOD, BIO_meth_free> made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream"));
        if (!made) throw std::bad_alloc();
        BIO_meth_set_read(made.get(), bio_read);
        BIO_meth_set_write(made.get(), bio_write);
        BIO_meth_set_ctrl(made.get(), bio_control);
        return made;
    }();
    return method.get();
}

// --- Gathering.

// Copies as much as a record takes from the front of the pieces. A first piece that fills one is not copied.
Bytes gather(std::span<const iovec> pieces, std::size_t skip, std::span<std::uint8_t> record) {
    std::size_t size = 0;
    for (const auto& piece : pieces) {
        if (skip >= piece.iov_len) {
            skip -= piece.iov_len;
            continue;
        }
        const Bytes rest(static_cast<const std::uint8_t*>(piece.iov_base) + skip, piece.iov_len - skip);
        skip = 0;
        if (size == 0 && rest.size() >= record.size()) return rest.first(record.size());
        const auto taken = std::min(rest.size(), record.size() - size);
        std::memcpy(record.data() + size, rest.data(), taken);
        size += taken;
        if (size == record.size()) break;
    }
    return record.first(size);
}

}  // namespace

Stream::Stream(std::unique_ptr<net::Stream> below, SslHandle ssl, std::shared_ptr<const void> keeps)
    : below_(std::move(below)), keeps_(std::move(keeps)), ssl_(std::move(ssl)) {
    auto* bio = BIO_new(bio_method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);  // Takes it over.
}

net::Result<void> Stream::attach(net::EventLoop& loop, net::Handler& handler) {
    TRY(below_->attach(loop, *this));
    loop_ = &loop;
    handler_ = &handler;
    const bool ended = failure_ || !below_works_ || (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
    if (!unread_.empty() || SSL_has_pending(ssl_.get()) == 1 || ended) loop.again(handler);
    return {};
}

void Stream::detach() noexcept {
    if (handler_ != nullptr) loop_->cancel_again(*handler_);
    handler_ = nullptr;
    below_->detach();
}

void Stream::on_ready(net::Readiness readiness) {
    if (readiness.writable && !unsent_.empty()) {
        const bool failed = !flush();  // Who reads or writes next is told why.
        readiness.writable = failed || unsent_.empty();
        readiness.readable |= readiness.writable && (failed || finish_follows_);  // The end was not told before.
    }
    readiness.writable |= readiness.readable && write_waits_;
    if (readiness.readable || readiness.writable || readiness.hung_up) loop_->call(*handler_, readiness);
}

int Stream::read_below(std::span<std::uint8_t> into) {
    const auto outcome = below_->read(into);
    if (!outcome) {
        below_works_ = std::unexpected(outcome.error());
        return -1;
    }
    read_without_data_ += outcome->size;
    if (read_without_data_ > read_without_data_max) {
        below_works_ = too_much(peer());
        return -1;
    }
    if (outcome->size != 0) return static_cast<int>(outcome->size);
    if (outcome->next != ReadOutcome::Next::End) return -1;
    at_end_ = true;
    return 0;
}

void Stream::write_below(Bytes bytes) {
    if (unsent_.empty() && below_works_) {
        const iovec piece{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
        const auto taken = below_->write({&piece, 1});
        if (!taken) {
            below_works_ = std::unexpected(taken.error());
            return;
        }
        bytes = bytes.subspan(*taken);
    }
    unsent_.append(bytes);
    if (unsent_.size() > unsent_max) below_works_ = too_much(peer());
}

net::Result<void> Stream::flush() {
    while (!unsent_.empty() && below_works_) {
        const iovec piece{.iov_base = const_cast<std::uint8_t*>(unsent_.data()), .iov_len = unsent_.size()};
        const auto taken = below_->write({&piece, 1});
        if (!taken) {
            below_works_ = std::unexpected(taken.error());
        } else if (*taken == 0) {
            return {};
        } else {
            unsent_.consume(*taken);
        }
    }
    TRY(below_works_);
    unsent_.release();
    if (finish_follows_) return below_->finish_writing();
    return {};
}

net::Result<ReadOutcome> Stream::read(std::span<std::uint8_t> into) {
    using enum ReadOutcome::Next;
    ASSERT(is_open() && !into.empty());
    if (!unread_.empty()) return ReadOutcome{unread_.take(into), More};
    if (failure_) return std::unexpected(*failure_);
    std::size_t size = 0;
    while (size < into.size()) {
        ERR_clear_error();
        std::size_t count = 0;
        const auto done = SSL_read_ex(ssl_.get(), into.data() + size, into.size() - size, &count);
        note_handshake();
        if (done == 1) {
            size += count;
            read_without_data_ = 0;
            continue;
        }
        const auto error = SSL_get_error(ssl_.get(), done);
        if (error == SSL_ERROR_WANT_READ && below_works_) return ReadOutcome{size, Later};
        if (error != SSL_ERROR_ZERO_RETURN) {
            const auto failed = fail(error);
            return size == 0 ? net::Result<ReadOutcome>(failed) : ReadOutcome{size, More};
        }
        // The stream below ends its direction when all is written; to be told of the end before would end it earlier.
        const bool not_yet = finish_follows_ && !unsent_.empty();
        return ReadOutcome{size, size != 0 ? More : not_yet ? Later : End};
    }
    return ReadOutcome{size, More};
}

void Stream::unread(Bytes bytes) {
    if (bytes.empty()) return;
    unread_.put_back(bytes);
    if (handler_ != nullptr) loop_->again(*handler_);
}

net::Result<std::size_t> Stream::write(std::span<const iovec> pieces) {
    ASSERT(is_open());
    static thread_local std::array<std::uint8_t, record_size_max> record;
    if (failure_) return std::unexpected(*failure_);
    TRY(flush());
    std::size_t total = 0;
    while (unsent_.empty()) {
        const auto plain = gather(pieces, total, record);
        if (plain.empty()) break;
        TRY(write_record(plain));
        if (write_waits_) break;
        total += plain.size();
    }
    return total;
}

// Takes all of it, unless the handshake is not over.
net::Result<void> Stream::write_record(Bytes plain) {
    ERR_clear_error();
    std::size_t count = 0;
    const auto done = SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
    note_handshake();
    write_waits_ = false;
    if (done == 1) return below_works_;
    const auto error = SSL_get_error(ssl_.get(), done);
    if (error != SSL_ERROR_WANT_READ || !below_works_) return fail(error);
    write_waits_ = true;
    return {};
}

// What TLS has found counts for more than a connection that breaks when we want to tell the peer.
std::unexpected<net::IoError> Stream::fail(int ssl_error) {
    if (ssl_error != SSL_ERROR_SSL && !below_works_) {
        failure_ = below_works_.error();
        return std::unexpected(*failure_);
    }
    auto what = "read from " + peer().text() + ": TLS: ";
    const auto verified = SSL_get_verify_result(ssl_.get());
    if (verified != X509_V_OK) {
        what += "the peer's certificate is refused: ";
        what += X509_verify_cert_error_string(verified);
        ERR_clear_error();
    } else {
        what += at_end_ ? "the peer ended the connection in the handshake" : take_error();
    }
    failure_ = net::IoError{EPROTO, std::move(what)};
    return std::unexpected(*failure_);
}

void Stream::note_handshake() {
    if (established_ || SSL_is_init_finished(ssl_.get()) != 1) return;
    established_ = true;
    auto tls = std::make_shared<net::TlsPeer>();
    tls->version = SSL_get_version(ssl_.get());
    tls->cipher = SSL_get_cipher_name(ssl_.get());
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    tls->application_protocol.assign(reinterpret_cast<const char*>(protocol), size);
    if (const char* name = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)) tls->server_name = name;
    auto* certificate = SSL_get0_peer_certificate(ssl_.get());
    peer_ = below_->peer();
    if (peer_.tls) {
        // A proxy has ended the client's TLS, and this one is its own: so would be the certificate.
        tls->certificate = peer_.tls->certificate;
    } else if (certificate != nullptr) {
        tls->certificate = std::make_shared<Certificate>(describe(*certificate));
    }
    if (!peer_.tls) tls->psk_identity = psk_identity(*ssl_);
    peer_.tls = std::move(tls);
    // Whatever call it was in which the handshake ended, there may be data to read, and what waited to be written.
    if (handler_ != nullptr) loop_->again(*handler_, {.readable = true, .writable = true});
}

// What is read may still be of use to the peer, so only the writing is over (RFC 8446, 6.1).
void Stream::say_goodbye() noexcept {
    if (!established_ || failure_ || (SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) != 0) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

net::Result<void> Stream::finish_writing() {
    say_goodbye();
    finish_follows_ = true;
    return flush();
}

void Stream::close() noexcept {
    if (is_open()) say_goodbye();
    detach();
    below_->close();
    unread_.clear();
    unsent_.release();
}

}  // namespace chappe::tls
