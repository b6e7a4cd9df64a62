#pragma once

// Certificates in files, and both ends of a TLS connection, for the tests of this folder and of those that use it.

#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "net/socket_stream.h"
#include "net/test_support.h"
#include "tls/context.h"
#include "tls/make_certificate.h"

namespace chappe::tls::test {

// A folder that goes with the test, with a CA of its own: ca.pem.
class Pki {
public:
    Pki()
        : folder_(std::filesystem::temp_directory_path() / ("chappe-tls-" + std::to_string(std::random_device{}()))),
          authority_(make_certificate({.purpose = Purpose::Authority, .common_name = "Test CA"}, nullptr)) {
        std::filesystem::create_directory(folder_);
        write("ca.pem", certificate_pem(*authority_.certificate));
    }
    ~Pki() { std::filesystem::remove_all(folder_); }
    Pki(const Pki&) = delete;
    Pki& operator=(const Pki&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }
    [[nodiscard]] std::string ca() const { return path("ca.pem"); }
    [[nodiscard]] const Credentials& authority() const { return authority_; }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name)) << text;
        return path(name);
    }

    CertificateFiles server(const std::string& name, unsigned days = 1) const {
        return save(name, make({.purpose = Purpose::Server, .common_name = name, .names = {name}, .days = days}));
    }
    CertificateFiles client(const std::string& name) const {
        return save(name, make({.purpose = Purpose::Client, .common_name = name}));
    }
    [[nodiscard]] Credentials make(const CertificateRequest& request) const {
        return make_certificate(request, &authority_);
    }
    CertificateFiles save(const std::string& name, const Credentials& made) const {
        return {.certificate = write(name + ".pem", certificate_pem(*made.certificate)),
                .key = write(name + ".key", key_pem(*made.key))};
    }

private:
    std::filesystem::path folder_;
    Credentials authority_;
};

// One end, whose handler reads all that comes.
class End final : public net::Handler {
public:
    End(net::EventLoop& loop, std::unique_ptr<net::Stream> carried) : stream(std::move(carried)), loop_(loop) {
        EXPECT_TRUE(stream->attach(loop, *this).has_value());
    }

    void on_ready(net::Readiness readiness) override {
        if (readiness.writable) write();
        if (readiness.readable && error.empty() && !ended) read();
    }

    void say(std::string_view text) {
        unsent_ += text;
        write();
    }

    [[nodiscard]] bool all_said() const { return unsent_.empty(); }

    std::unique_ptr<net::Stream> stream;
    std::string heard;
    std::string error;
    bool ended = false;

private:
    void read() {
        const auto outcome = stream->read(loop_.read_buffer());
        if (!outcome) {
            error = outcome.error().what;
            return;
        }
        heard += as_text(loop_.read_buffer().first(outcome->size));
        ended = outcome->next == net::ReadOutcome::Next::End;
        if (outcome->next == net::ReadOutcome::Next::More) loop_.again(*this);
    }

    void write() {
        if (unsent_.empty()) return;
        const auto taken = net::test::write_text(*stream, unsent_);
        if (!taken) {
            error = taken.error().what;
            unsent_.clear();
        } else {
            unsent_.erase(0, *taken);
        }
    }

    net::EventLoop& loop_;
    std::string unsent_;
};

// A client and a server with a socket between them.
class Conversation {
public:
    Conversation(const ServerContext& server_context, const ClientContext& client_context,
                 const std::string& server_name)
        : server(*loop, server_context.accept(socket(sockets_.near))),
          client(*loop, client_context.connect(socket(sockets_.far), server_name).value()) {}

    [[nodiscard]] bool run_until(const std::function<bool()>& reached) const {
        return net::test::run_until(*loop, reached);
    }
    // The client says it, and the server hears it, or one of them finds an error.
    void exchange(std::string_view text) {
        client.say(text);
        EXPECT_TRUE(run_until([&] { return server.heard.ends_with(text) || failed(); }));
    }
    [[nodiscard]] bool failed() const { return !server.error.empty() || !client.error.empty() || server.ended; }
    [[nodiscard]] const net::TlsPeer* seen_by_server() const { return server.stream->peer().tls.get(); }
    [[nodiscard]] const net::TlsPeer* seen_by_client() const { return client.stream->peer().tls.get(); }

private:
    static std::unique_ptr<net::Stream> socket(net::FileDescriptor& end) {
        return std::make_unique<net::SocketStream>(std::move(end), net::Peer{net::UnixEndpoint{"/run/test"}, {}, {}});
    }

    net::test::SocketPair sockets_;

public:
    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    End server;
    End client;
};

}  // namespace chappe::tls::test
