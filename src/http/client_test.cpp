#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <latch>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::http {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nCache-Control: max-age=60\r\n\r\nhello";

// Answers each request with what the test says, on a thread for each connection.
class Server {
public:
    // Empty: no answer, but the connection stays open.
    using Answer = std::function<std::string(const std::string& request)>;

    explicit Server(Answer answer) : answer_(std::move(answer)), socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* any = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(bind(socket_, any, size), 0);
        EXPECT_EQ(listen(socket_, 64), 0);
        EXPECT_EQ(getsockname(socket_, any, &size), 0);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~Server() {
        shutdown(socket_, SHUT_RDWR);
        acceptor_.join();
        for (const auto connection : connections_) shutdown(connection, SHUT_RDWR);
        for (auto& thread : threads_) thread.join();
        for (const auto connection : connections_) close(connection);
        close(socket_);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::string url(const std::string& path = "/") const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    [[nodiscard]] int connections() const { return accepted_; }
    [[nodiscard]] int requests() const { return requests_; }
    [[nodiscard]] std::string last_request() const {
        const std::scoped_lock lock(mutex_);
        return last_request_;
    }

private:
    void accept_all() {
        for (;;) {
            const auto connection = accept(socket_, nullptr, nullptr);
            if (connection < 0) return;
            ++accepted_;
            connections_.push_back(connection);
            threads_.emplace_back([this, connection] { serve(connection); });
        }
    }

    void serve(int connection) {
        for (std::string request; receive(connection, request); request.clear()) {
            note(request);
            const auto text = answer_(request);
            if (send(connection, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
        }
    }

    void note(const std::string& request) {
        const std::scoped_lock lock(mutex_);
        last_request_ = request;
        ++requests_;
    }

    // With its body, where it says how long that is.
    static bool receive(int connection, std::string& request) {
        std::array<char, 4096> buffer{};
        for (;;) {
            const auto end = request.find("\r\n\r\n");
            const auto length = request.find("Content-Length: ");
            const auto wanted = length == request.npos ? 0 : std::stoul(request.substr(length + 16));
            if (end != request.npos && request.size() >= end + 4 + wanted) return true;
            const auto size = recv(connection, buffer.data(), buffer.size(), 0);
            if (size <= 0) return false;
            request.append(buffer.data(), static_cast<std::size_t>(size));
        }
    }

    const Answer answer_;
    const int socket_;
    std::uint16_t port_ = 0;
    std::atomic<int> accepted_ = 0;
    std::atomic<int> requests_ = 0;
    mutable std::mutex mutex_;
    std::string last_request_;
    std::vector<int> connections_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

Server::Answer always(std::string_view answer) {
    return [text = std::string(answer)](const std::string&) { return text; };
}

std::string error_of(Client& client, const std::string& url, Duration time_limit = 20s) {
    const auto answer = client.send({.url = url, .time_limit = time_limit});
    return answer ? "no error" : answer.error();
}

TEST(HttpClient, SendsAndHears) {
    const Server server(always(hello));
    Client client;
    const auto answer = client.send({.method = "POST",
                                     .url = server.url("/who?x=1"),
                                     .headers = {{"Content-Type", "application/json"}},
                                     .bearer_token = "s3cret",
                                     .body = crypto::Secret(R"({"a":1})")});
    ASSERT_TRUE(answer) << answer.error();
    const auto heard = server.last_request();
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->body, "hello");
    EXPECT_EQ(answer->header("cache-control"), "max-age=60");
    EXPECT_EQ(answer->header("Age"), std::nullopt);
    EXPECT_TRUE(heard.starts_with("POST /who?x=1 HTTP/1.1\r\n")) << heard;
    EXPECT_THAT(heard, HasSubstr("\r\nAuthorization: Bearer s3cret\r\n"));
    EXPECT_THAT(heard, HasSubstr("\r\nContent-Type: application/json\r\n"));
    EXPECT_THAT(heard, HasSubstr("\r\nUser-Agent: chappe/"));
    EXPECT_TRUE(heard.ends_with("\r\n\r\n{\"a\":1}")) << heard;
}

TEST(HttpClient, ForgetsWhatTheLastRequestHad) {
    const Server server(always(hello));
    Client client;
    ASSERT_TRUE(
        client.send({.method = "POST", .url = server.url(), .bearer_token = "s3cret", .body = crypto::Secret("body")}));
    ASSERT_TRUE(client.send({.url = server.url()}));
    const auto heard = server.last_request();
    EXPECT_TRUE(heard.starts_with("GET / ")) << heard;
    EXPECT_THAT(heard, Not(HasSubstr("s3cret")));
    EXPECT_THAT(heard, Not(HasSubstr("body")));
    EXPECT_EQ(server.connections(), 1);  // The connection is used again.
}

TEST(HttpClient, GivesAnswersOfEveryStatusAndFollowsNoRedirection) {
    const Server server(always("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"));
    Client client;
    const auto answer = client.send({.url = server.url()});
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 302U);
    EXPECT_EQ(answer->header("location"), "file:///etc/passwd");
    EXPECT_EQ(server.requests(), 1);
}

TEST(HttpClient, ForgetsTheHeadersOfAnInterimAnswer) {
    const Server server(always("HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
    Client client;
    const auto answer = client.send({.url = server.url()});
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 204U);
    EXPECT_TRUE(answer->headers.empty());
}

TEST(HttpClient, TakesNoAnswerThatIsTooLarge) {
    const Server body(always("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')));
    const Server header(always("HTTP/1.1 204 No Content\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"));
    Client client;
    for (const auto* server : {&body, &header}) {
        const auto answer = client.send({.url = server->url(), .answer_bytes_max = 1000});
        ASSERT_FALSE(answer);
        EXPECT_THAT(answer.error(), HasSubstr(" answers with more than 1000 bytes"));
    }
    const Server fits(always(hello));
    EXPECT_TRUE(client.send({.url = fits.url(), .answer_bytes_max = 1000}));
}

TEST(HttpClient, GivesUpAfterTheTimeLimit) {
    const Server silent(always(""));
    const Server stuck(always("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    Client client;
    EXPECT_EQ(error_of(client, silent.url("/?secret"), 50ms),
              silent.url("") + " has not answered within 0.05 s");  // Without the query.
    EXPECT_EQ(error_of(client, stuck.url(), 50ms), stuck.url("") + " has not answered within 0.05 s");
}

TEST(HttpClient, SaysWhyThereIsNoAnswer) {
    auto url = std::string();
    {
        const Server gone(always(hello));
        url = gone.url("");
    }
    Client client;
    EXPECT_THAT(error_of(client, url), HasSubstr(url + " does not accept connections: "));
    EXPECT_THAT(error_of(client, "file:///etc/passwd"), HasSubstr("is not a URL that begins with http"));
    EXPECT_THAT(error_of(client, "http://nowhere.invalid/x"),
                HasSubstr("http://nowhere.invalid: there is no such host"));
    const Server no_http(always("220 ready\r\n"));
    EXPECT_THAT(error_of(client, no_http.url()), HasSubstr(" cannot be asked: "));
    const auto over_tls = "https" + no_http.url().substr(4);
    const auto without_ca = client.send({.url = over_tls, .ca_file = "/nowhere/ca.pem"});
    ASSERT_FALSE(without_ca);
    EXPECT_THAT(without_ca.error(), HasSubstr("/nowhere/ca.pem cannot be read"));
}

TEST(HttpClient, UsesNoProxyOfTheEnvironment) {
    const Server server(always(hello));
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    Client client;
    const auto answer = client.send({.url = server.url()});
    unsetenv("http_proxy");
    EXPECT_TRUE(answer) << answer.error();
}

TEST(HttpClient, ServesManyThreadsAndKeepsSomeConnections) {
    constexpr int threads = 8;
    std::latch together(threads);
    const Server server([&](const std::string& request) {
        if (request.starts_with("GET /wait")) together.arrive_and_wait();
        return std::string(hello);
    });
    Client client(2);
    std::vector<std::thread> asking;
    for (int i = 0; i < threads; ++i) {
        asking.emplace_back([&] {
            EXPECT_TRUE(client.send({.url = server.url("/wait"), .time_limit = 20s}));
            for (int more = 0; more < 10; ++more) EXPECT_TRUE(client.send({.url = server.url(), .time_limit = 20s}));
        });
    }
    for (auto& thread : asking) thread.join();
    EXPECT_EQ(server.requests(), threads * 11);
    const auto before = server.connections();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(client.send({.url = server.url()}));
    EXPECT_EQ(server.connections(), before);
}

TEST(HttpClient, StopEndsWhatWaits) {
    std::latch asked(2);
    const Server silent([&](const std::string&) {
        asked.count_down();
        return std::string();
    });
    Client client;
    std::vector<std::thread> waiting;
    for (int i = 0; i < 2; ++i) {
        waiting.emplace_back([&] { EXPECT_THAT(error_of(client, silent.url()), HasSubstr("given up")); });
    }
    asked.wait();
    const auto began = std::chrono::steady_clock::now();
    client.stop();
    for (auto& thread : waiting) thread.join();
    EXPECT_LT(std::chrono::steady_clock::now() - began, 900ms);  // libcurl alone would look after a second.
    EXPECT_THAT(error_of(client, silent.url()), HasSubstr("given up"));
}

}  // namespace
}  // namespace chappe::http
