#include "tls/stream.h"

#include <thread>

#include <gmock/gmock.h>
#include <openssl/pem.h>

#include "tls/test_support.h"

namespace chappe::tls {
namespace {

using test::Conversation;
using test::Pki;
using testing::ElementsAre;
using testing::HasSubstr;

class TlsStream : public testing::Test {
protected:
    [[nodiscard]] std::shared_ptr<const ServerContext> server(ServerOptions options) const {
        auto loaded = ServerContext::load(options);
        EXPECT_TRUE(loaded.has_value()) << loaded.error();
        return *loaded;
    }
    [[nodiscard]] std::shared_ptr<const ClientContext> client(ClientOptions options) const {
        auto loaded = ClientContext::load(options);
        EXPECT_TRUE(loaded.has_value()) << loaded.error();
        return *loaded;
    }
    [[nodiscard]] ServerOptions mutual(ClientCertificates wanted = ClientCertificates::Required) const {
        return {.certificates = {pki.server("localhost")}, .client_certificates = wanted, .client_ca = pki.ca()};
    }

    Pki pki;
    ClientOptions trusting{.ca = pki.ca()};
};

TEST_F(TlsStream, CarriesBytesBothWays) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("hello");
    EXPECT_EQ(it.server.heard, "hello") << it.server.error << it.client.error;
    it.server.say("good day");
    EXPECT_TRUE(it.run_until([&] { return it.client.heard == "good day"; }));
    EXPECT_EQ(it.seen_by_server()->version, "TLSv1.3");
    EXPECT_EQ(it.seen_by_server()->server_name, "localhost");
    EXPECT_EQ(it.seen_by_server()->certificate, nullptr);
    EXPECT_EQ(it.seen_by_client()->certificate->common_name, "localhost");
}

TEST_F(TlsStream, CarriesMoreThanTheSocketHoldsAtOnce) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    std::string text;
    for (int number = 0; text.size() < 5'000'000; ++number) text += std::to_string(number) + ' ';
    it.client.say(text);
    it.server.say(text);
    EXPECT_TRUE(it.run_until([&] {
        return (it.server.heard.size() >= text.size() && it.client.heard.size() >= text.size()) || it.failed();
    }));
    EXPECT_TRUE(it.server.heard == text);
    EXPECT_TRUE(it.client.heard == text);
    EXPECT_EQ(it.server.error + it.client.error, "");
}

TEST_F(TlsStream, TellsTheEndOfAnOrderlyGoodbye) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("last words");
    ASSERT_TRUE(it.client.stream->finish_writing().has_value());
    EXPECT_TRUE(it.run_until([&] { return it.server.ended; }));
    it.server.say("still there");
    EXPECT_TRUE(it.run_until([&] { return it.client.heard == "still there"; }));
    it.server.stream->close();
    EXPECT_TRUE(it.run_until([&] { return it.client.ended; }));
    EXPECT_EQ(it.server.error + it.client.error, "");
}

TEST_F(TlsStream, FinishesWritingWhenAllIsWritten) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("begin");
    const std::string much(3'000'000, 'x');
    it.client.say(much);
    ASSERT_TRUE(it.run_until([&] { return it.client.all_said(); }));
    ASSERT_TRUE(it.client.stream->finish_writing().has_value());
    EXPECT_TRUE(it.run_until([&] { return it.server.ended; }));
    EXPECT_EQ(it.server.heard.size(), much.size() + 5);
}

TEST_F(TlsStream, GivesBackWhatWasReadTooFar) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("hello");
    it.server.heard.clear();
    it.server.stream->unread(as_bytes("world"));
    it.server.stream->unread(as_bytes("hello "));
    EXPECT_TRUE(it.run_until([&] { return it.server.heard == "hello world"; }));
}

TEST_F(TlsStream, MovesToAnotherLoop) {
    Conversation it(*server({.certificates = {pki.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("here");
    auto stream = std::move(it.server.stream);
    stream->detach();
    it.client.say(" and there");
    std::string heard;
    std::thread other([&] {
        const auto loop = net::test::make_loop();
        test::End end(*loop, std::move(stream));
        EXPECT_TRUE(net::test::run_until(*loop, [&] { return end.heard == " and there"; }));
        end.say("from another thread");
        heard = end.heard;
        stream = std::move(end.stream);
        stream->detach();
    });
    other.join();
    EXPECT_EQ(heard, " and there");
    EXPECT_TRUE(it.run_until([&] { return it.client.heard == "from another thread"; }));
}

TEST_F(TlsStream, SaysThatThePeerDoesNotSpeakTls) {
    net::test::SocketPair sockets;
    const auto loop = net::test::make_loop();
    const auto context = server({.certificates = {pki.server("localhost")}});
    test::End end(*loop, context->accept(std::make_unique<net::SocketStream>(
                             std::move(sockets.near), net::Peer{net::UnixEndpoint{"/run/test"}, {}, {}})));
    net::test::send_text(sockets.far.get(), std::string("\x10\x0c\0\4MQTT\4\2\0\0\0\0", 14));
    EXPECT_TRUE(net::test::run_until(*loop, [&] { return !end.error.empty(); }));
    EXPECT_EQ(end.error, "read from unix:/run/test: TLS: the peer does not speak TLS");
}

TEST_F(TlsStream, ShowsTheCertificateOfTheClientsName) {
    const auto both = server({.certificates = {pki.server("first.example"), pki.server("second.example")}});
    for (const std::string name : {"first.example", "second.example"}) {
        Conversation it(*both, *client(trusting), name);
        it.exchange("x");
        EXPECT_EQ(it.client.error, "");
        EXPECT_EQ(it.seen_by_client()->certificate->common_name, name);
    }
    auto careless = trusting;
    careless.verify_name = false;
    Conversation it(*both, *client(careless), "third.example");
    it.exchange("x");
    EXPECT_EQ(it.seen_by_client()->certificate->common_name, "first.example");
}

TEST_F(TlsStream, RefusesAServerOfAnotherName) {
    Conversation it(*server({.certificates = {pki.server("other.example")}}), *client(trusting), "localhost");
    it.exchange("x");
    EXPECT_THAT(it.client.error, HasSubstr("the peer's certificate is refused: hostname mismatch"));
    EXPECT_EQ(it.server.heard, "");
}

TEST_F(TlsStream, RefusesAServerOfAnUnknownCa) {
    const Pki other;
    Conversation it(*server({.certificates = {other.server("localhost")}}), *client(trusting), "localhost");
    it.exchange("x");
    EXPECT_THAT(it.client.error,
                HasSubstr("the peer's certificate is refused: unable to get local issuer certificate"));
    EXPECT_TRUE(it.run_until([&] { return !it.server.error.empty(); }));
    EXPECT_THAT(it.server.error, HasSubstr("the peer does not know the CA of our certificate"));
}

TEST_F(TlsStream, TellsWhoTheClientIs) {
    auto options = trusting;
    options.certificate = pki.client("pump-7");
    Conversation it(*server(mutual()), *client(options), "localhost");
    it.exchange("x");
    const auto* tls = it.seen_by_server();
    ASSERT_NE(tls, nullptr) << it.server.error;
    EXPECT_EQ(tls->certificate->common_name, "pump-7");
    EXPECT_EQ(tls->certificate->subject, "CN=pump-7");
    EXPECT_EQ(tls->certificate->fingerprint_sha256.size(), 64U);
}

TEST_F(TlsStream, WantsACertificateWhereOneIsRequired) {
    Conversation it(*server(mutual()), *client(trusting), "localhost");
    it.exchange("x");
    EXPECT_THAT(it.server.error, HasSubstr("the peer has no certificate, and one is required"));
    Conversation optional(*server(mutual(ClientCertificates::Optional)), *client(trusting), "localhost");
    optional.exchange("x");
    EXPECT_EQ(optional.server.heard, "x");
}

TEST_F(TlsStream, RefusesAClientOfAnUnknownCa) {
    const Pki other;
    for (const auto wanted : {ClientCertificates::Optional, ClientCertificates::Required}) {
        auto options = trusting;
        options.certificate = other.client("stranger");
        Conversation it(*server(mutual(wanted)), *client(options), "localhost");
        it.exchange("x");
        EXPECT_THAT(it.server.error, HasSubstr("the peer's certificate is refused"));
        EXPECT_EQ(it.server.heard, "");
    }
}

TEST_F(TlsStream, RefusesAClientWhoseCertificateIsForServers) {
    auto options = trusting;
    options.certificate = pki.server("server");
    Conversation it(*server(mutual()), *client(options), "localhost");
    it.exchange("x");
    EXPECT_THAT(it.server.error, HasSubstr("the peer's certificate is refused: unsuitable certificate purpose"));
}

TEST_F(TlsStream, RefusesARevokedClient) {
    const auto good = pki.make({.purpose = Purpose::Client, .common_name = "good"});
    const auto stolen = pki.make({.purpose = Purpose::Client, .common_name = "stolen"});
    auto wanted = mutual();
    wanted.client_crl = pki.write(
        "crl.pem", crl_pem(*make_crl(pki.authority(), {X509_get0_serialNumber(stolen.certificate.get())}, 1)));
    const auto context = server(wanted);
    auto options = trusting;
    options.certificate = pki.save("good", good);
    Conversation welcome(*context, *client(options), "localhost");
    welcome.exchange("x");
    EXPECT_EQ(welcome.server.heard, "x") << welcome.server.error;
    options.certificate = pki.save("stolen", stolen);
    Conversation refused(*context, *client(options), "localhost");
    refused.exchange("x");
    EXPECT_THAT(refused.server.error, HasSubstr("certificate revoked"));
}

TEST_F(TlsStream, SettlesTheApplicationProtocol) {
    const auto context =
        server({.certificates = {pki.server("localhost")}, .application_protocols = {"mqtt", "http/1.1"}});
    auto options = trusting;
    options.application_protocols = {"http/1.1", "mqtt"};
    Conversation it(*context, *client(options), "localhost");
    it.exchange("x");
    EXPECT_EQ(it.seen_by_server()->application_protocol, "mqtt");
    EXPECT_EQ(it.seen_by_client()->application_protocol, "mqtt");
    Conversation none(*context, *client(trusting), "localhost");
    none.exchange("x");
    EXPECT_EQ(none.seen_by_server()->application_protocol, "");
    options.application_protocols = {"smtp"};
    Conversation other(*context, *client(options), "localhost");
    other.exchange("x");
    EXPECT_NE(other.server.error, "");
    EXPECT_EQ(other.server.heard, "");
}

TEST_F(TlsStream, HasALeastVersion) {
    auto modern = ServerOptions{.certificates = {pki.server("localhost")}, .version_least = Version::Tls13};
    Conversation it(*server(modern), *client(trusting), "localhost");
    it.exchange("x");
    EXPECT_EQ(it.seen_by_server()->version, "TLSv1.3");
}

// A client that is OpenSSL's own, so that it can do what ours does not.
class RawClient {
public:
    explicit RawClient(const Pki& pki)
        : context_(SSL_CTX_new(TLS_client_method())),
          server_(ServerContext::load({.certificates = {pki.server("localhost")}}).value()),
          ssl_(SSL_new(context_.get())),
          server(*loop, server_->accept(std::make_unique<net::SocketStream>(
                            std::move(sockets_.near), net::Peer{net::UnixEndpoint{"/run/test"}, {}, {}}))) {
        SSL_set_fd(ssl_.get(), sockets_.far.get());
        SSL_set_mode(ssl_.get(), SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        for (int round = 0; round != 100 && SSL_connect(ssl_.get()) != 1; ++round) loop->run_once(10ms);
        EXPECT_EQ(SSL_is_init_finished(ssl_.get()), 1);
    }

    // Until all of it is written, or the server has had enough.
    void say(std::string_view text) {
        insist([&] { return SSL_write(ssl_.get(), text.data(), int(text.size())); });
    }
    void ask_for_new_keys() {
        EXPECT_EQ(SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_REQUESTED), 1);
        insist([&] { return SSL_do_handshake(ssl_.get()); });
    }

private:
    template <class Call>
    void insist(Call call) {
        while (server.error.empty() && call() <= 0) loop->run_once(0ms);
    }

    net::test::SocketPair sockets_;
    SslContextHandle context_;
    std::shared_ptr<const ServerContext> server_;
    SslHandle ssl_;

public:
    std::unique_ptr<net::EventLoop> loop = net::test::make_loop();
    test::End server;
};

TEST_F(TlsStream, EndsWhoSendsMessagesOfTlsAndNoData) {
    RawClient client(pki);
    for (int number = 0; number != 100'000 && client.server.error.empty(); ++number) client.ask_for_new_keys();
    EXPECT_THAT(client.server.error, HasSubstr("messages of TLS and no data"));
}

TEST_F(TlsStream, EndsWhoDoesNotReadTheAnswers) {
    RawClient client(pki);
    for (int number = 0; number != 100'000 && client.server.error.empty(); ++number) {
        client.ask_for_new_keys();
        client.say("x");
    }
    EXPECT_THAT(client.server.error, HasSubstr("messages of TLS and no data"));
}

TEST_F(TlsStream, TakesNewKeysNowAndThen) {
    RawClient client(pki);
    for (int number = 0; number != 50; ++number) {
        client.ask_for_new_keys();
        client.say("x");
    }
    EXPECT_TRUE(net::test::run_until(*client.loop, [&] { return client.server.heard.size() == 50; }));
    EXPECT_EQ(client.server.error, "");
}

TEST_F(TlsStream, ChecksAddressesWithAnInterfaceToo) {
    const auto context = server({.certificates = {pki.server("other.example")}});
    Conversation it(*context, *client(trusting), "fe80::1%1");
    it.exchange("x");
    EXPECT_THAT(it.client.error, HasSubstr("IP address mismatch"));
}

std::string locked_pem(EVP_PKEY& key) {
    const BioHandle memory(BIO_new(BIO_s_mem()));
    unsigned char passphrase[] = "secret";
    EXPECT_EQ(PEM_write_bio_PrivateKey(memory.get(), &key, EVP_aes_128_cbc(), passphrase, 6, nullptr, nullptr), 1);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

class TlsFiles : public TlsStream {
protected:
    [[nodiscard]] static std::string error_of(const ServerOptions& options) {
        const auto loaded = ServerContext::load(options);
        return loaded ? "" : loaded.error();
    }
};

TEST_F(TlsFiles, AreRefusedWithTheReason) {
    const auto good = pki.server("localhost");
    const auto other = pki.server("other");
    const auto text = pki.write("text.pem", "hello\n");
    EXPECT_EQ(error_of({}), "there is no certificate");
    EXPECT_EQ(error_of({.certificates = {{"/nowhere/x.pem", good.key}}}), "/nowhere/x.pem: No such file or directory");
    EXPECT_EQ(error_of({.certificates = {{text, good.key}}}), text + ": has no certificate");
    EXPECT_EQ(error_of({.certificates = {{good.certificate, text}}}), text + ": has no private key");
    EXPECT_EQ(error_of({.certificates = {{good.certificate, other.key}}}),
              other.key + ": is not the key of the certificate in " + good.certificate);
    auto wanted = mutual();
    wanted.client_crl = pki.ca();
    EXPECT_EQ(error_of(wanted), pki.ca() + ": has no list of revoked certificates (CRL)");
    const auto broken = pki.write("broken.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    EXPECT_THAT(error_of({.certificates = {{broken, good.key}}}), HasSubstr(broken + ": is not a PEM file: "));
    const auto locked = pki.write("locked.key", locked_pem(*pki.authority().key));
    EXPECT_THAT(error_of({.certificates = {{good.certificate, locked}}}), HasSubstr("has it a passphrase?"));
}

TEST_F(TlsFiles, MayHoldAChain) {
    const auto made = pki.make({.purpose = Purpose::Server, .common_name = "localhost", .names = {"localhost"}});
    const auto both = pki.write("both.pem", key_pem(*made.key) + certificate_pem(*made.certificate) +
                                                certificate_pem(*pki.authority().certificate));
    EXPECT_EQ(read_certificates(both)->size(), 2U);
    Conversation it(*server({.certificates = {{both, both}}}), *client(trusting), "localhost");
    it.exchange("x");
    EXPECT_EQ(it.server.heard, "x");
}

TEST(Certificates, AreDescribed) {
    const auto authority = make_certificate({.purpose = Purpose::Authority, .common_name = "CA"}, nullptr);
    const auto made = make_certificate(
        {.purpose = Purpose::Server, .common_name = "Halle, \xc3\xa9t\xc3\xa9", .names = {"a.example", "127.0.0.1"}},
        &authority);
    const auto described = describe(*made.certificate);
    EXPECT_EQ(described.common_name, "Halle, \xc3\xa9t\xc3\xa9");
    EXPECT_EQ(described.subject, "CN=Halle\\, \xc3\xa9t\xc3\xa9");
    EXPECT_THAT(described.dns_names, ElementsAre("a.example"));
    EXPECT_FALSE(described.serial.empty());
}

class TlsPsk : public TlsStream {
protected:
    [[nodiscard]] std::string keys(const std::string& name, const std::string& text) const {
        return pki.write(name, text);
    }
    // What the server knows of a client with these keys; "refused" where there is no connection.
    [[nodiscard]] static std::string seen(const ServerContext& server, const ClientContext& client) {
        Conversation it(server, client, "localhost");
        it.exchange("hello");
        if (it.server.heard != "hello") return "refused";
        const auto& identity = it.seen_by_server()->psk_identity;
        return identity ? *identity : "no key";
    }

    std::string key = std::string(32, '4');
    std::string all = keys("all", "pump-7:" + key + "\npump-8:" + std::string(64, '5') + "\n");
};

TEST_F(TlsPsk, NeedsNoCertificate) {
    const auto broker = server({.certificates = {}, .psk_file = all});
    EXPECT_EQ(seen(*broker, *client({.psk_file = keys("mine", "pump-7:" + key)})), "pump-7");
    EXPECT_EQ(seen(*broker, *client({.psk_file = keys("mine", "pump-8:" + key)})), "refused") << "another's key";
    EXPECT_EQ(seen(*broker, *client({.psk_file = keys("mine", "pump-9:" + key)})), "refused") << "not known";
    EXPECT_EQ(seen(*broker, *client(trusting)), "refused") << "no key";
}

TEST_F(TlsPsk, GoesBesideCertificates) {
    auto options = mutual(ClientCertificates::Optional);
    options.psk_file = all;
    const auto broker = server(options);
    EXPECT_EQ(seen(*broker, *client({.psk_file = keys("mine", "pump-7:" + key)})), "pump-7");
    EXPECT_EQ(seen(*broker, *client(trusting)), "no key");
    auto both = trusting;
    both.psk_file = keys("mine", "pump-9:" + key);
    EXPECT_EQ(seen(*broker, *client(both)), "no key") << "its certificate has been trusted";
    EXPECT_EQ(seen(*broker, *client({.psk_file = both.psk_file})), "refused") << "whom it does not trust";
}

TEST_F(TlsPsk, StandsInForARequiredCertificate) {
    auto options = mutual();
    options.psk_file = all;
    EXPECT_EQ(seen(*server(options), *client({.psk_file = keys("mine", "pump-7:" + key)})), "pump-7");
    EXPECT_EQ(seen(*server(options), *client(trusting)), "refused");
}

TEST_F(TlsPsk, SaysWhatIsWrongWithTheFile) {
    const auto error = [](const std::string& path) {
        return ServerContext::load({.certificates = {}, .psk_file = path}).error();
    };
    EXPECT_THAT(error(pki.path("missing")), HasSubstr("missing: No such file"));
    EXPECT_THAT(error(keys("short", "pump-7:ff")), HasSubstr("short: line 1: the key is shorter than 16 bytes"));
    EXPECT_THAT(ClientContext::load({.psk_file = all}).error(), HasSubstr("has several keys"));
}

}  // namespace
}  // namespace chappe::tls
