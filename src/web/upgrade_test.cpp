#include "web/upgrade.h"

#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::web {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A request that is granted, with some of its lines replaced: an empty text leaves the field out.
std::string request(const std::vector<std::pair<std::string, std::string>>& changes = {},
                    const std::string& first = "GET /mqtt HTTP/1.1") {
    std::vector<std::pair<std::string, std::string>> fields = {{"Host", "broker.local:8080"},
                                                               {"Upgrade", "websocket"},
                                                               {"Connection", "Upgrade"},
                                                               {"Sec-WebSocket-Version", "13"},
                                                               {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                                                               {"Sec-WebSocket-Protocol", "mqtt"}};
    for (const auto& [name, value] : changes) {
        const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
        if (found != fields.end()) {
            found->second = value;
        } else {
            fields.emplace_back(name, value);
        }
    }
    std::string text = first + "\r\n";
    for (const auto& [name, value] : fields) {
        if (!value.empty()) text += name + ": " + value + "\r\n";
    }
    return text + "\r\n";
}

Answer answer_to(const std::string& text, const Rules& rules = {}, bool over_tls = false) {
    const auto head = parse_request_head(text);
    EXPECT_TRUE(head.has_value()) << text;
    return head ? answer(*head, rules, over_tls) : Answer{};
}

TEST(RequestHead, IsParsed) {
    const auto head = parse_request_head(
        "GET /mqtt?token=x HTTP/1.1\r\nHost: a\r\nX-List: one, two ,,\r\nx-list:\t three\r\nEmpty:\r\n\r\n");
    ASSERT_TRUE(head.has_value());
    EXPECT_EQ(head->method, "GET");
    EXPECT_EQ(head->path, "/mqtt");
    EXPECT_TRUE(head->is_http_1_1);
    EXPECT_EQ(head->only("HOST"), "a");
    EXPECT_EQ(head->only("Empty"), "");
    EXPECT_EQ(head->only("X-List"), std::nullopt);
    EXPECT_THAT(head->list("X-List"), ElementsAre("one", "two", "three"));
    EXPECT_TRUE(head->list_has("X-List", "TWO"));
    EXPECT_FALSE(head->has("Nothing"));
}

TEST(RequestHead, EndsWithAnEmptyLine) {
    EXPECT_EQ(head_size("GET / HTTP/1.1\r\n\r\nmore"), 18U);
    EXPECT_EQ(head_size("GET / HTTP/1.1\r\n"), std::nullopt);
    EXPECT_EQ(head_size("GET / HTTP/1.1\n\n"), std::nullopt);
}

TEST(RequestHead, IsStrict) {
    for (const std::string text :
         {"", "\r\n\r\n", "GET\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\n\r\n", "GET / HTTP/2.0\r\n\r\n",
          "GET  / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
          "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\x01\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nNo colon\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n",
          "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "GET / HTTP/1.1\r\n\r\nmore",
          "GET / HTTP/1.1\r\nHost: a\r\n"}) {
        EXPECT_FALSE(parse_request_head(text).has_value()) << text;
    }
    EXPECT_FALSE(parse_request_head(std::string("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n", 29)).has_value());
}

TEST(Upgrade, IsGranted) {
    const auto answered = answer_to(request());
    EXPECT_TRUE(answered.is_websocket());
    EXPECT_EQ(answered.text,  // The key and what it gives are those of RFC 6455, 1.3.
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n");
}

TEST(Upgrade, ChoosesTheSubprotocol) {  // [MQTT-6.0.0-4]
    const auto chosen = [](const std::string& offered) {
        return answer_to(request({{"Sec-WebSocket-Protocol", offered}})).text;
    };
    EXPECT_THAT(chosen("mqttv3.1"), HasSubstr("Sec-WebSocket-Protocol: mqttv3.1\r\n"));
    EXPECT_THAT(chosen("mqttv3.1, mqtt"), HasSubstr("Sec-WebSocket-Protocol: mqtt\r\n"));
    EXPECT_THAT(chosen("chat,mqtt"), HasSubstr("Sec-WebSocket-Protocol: mqtt\r\n"));
}

TEST(Upgrade, TakesWhatBrowsersAndProxiesSend) {
    EXPECT_TRUE(answer_to(request({{"Connection", "keep-alive, Upgrade"}})).is_websocket());
    EXPECT_TRUE(answer_to(request({{"Connection", "upgrade"}, {"Upgrade", "WebSocket"}})).is_websocket());
    EXPECT_TRUE(answer_to(request({{"Sec-WebSocket-Extensions", "permessage-deflate"}})).is_websocket());
    EXPECT_TRUE(answer_to(request({}, "GET /mqtt?x=1 HTTP/1.1")).is_websocket());
    EXPECT_TRUE(answer_to(request({{"Content-Length", "0"}})).is_websocket());
}

struct Refused {
    std::string_view name;
    std::string text;
    unsigned code;
};

void PrintTo(const Refused& refused, std::ostream* out) { *out << refused.name; }

class Refusal : public testing::TestWithParam<Refused> {};

TEST_P(Refusal, SaysWhy) {
    const auto answered = answer_to(GetParam().text);
    EXPECT_EQ(answered.status.code, GetParam().code);
    EXPECT_THAT(answered.text, HasSubstr("\r\nConnection: close"));
    EXPECT_TRUE(answered.text.ends_with("\r\n\r\n" + std::string(answered.why) + "\n")) << answered.text;
}

INSTANTIATE_TEST_SUITE_P(Upgrade, Refusal,
                         testing::ValuesIn(std::vector<Refused>{
                             {"AnotherPath", request({}, "GET / HTTP/1.1"), 404},
                             {"LongerPath", request({}, "GET /mqtt/ HTTP/1.1"), 404},
                             {"AnotherMethod", request({}, "POST /mqtt HTTP/1.1"), 405},
                             {"MethodInSmallLetters", request({}, "get /mqtt HTTP/1.1"), 405},
                             {"OlderHttp", request({}, "GET /mqtt HTTP/1.0"), 505},
                             {"NoHost", request({{"Host", ""}}), 400},
                             {"TwoHosts", request({{"host", "b"}}), 400},
                             {"Content", request({{"Content-Length", "5"}}), 400},
                             {"ContentTwice", request({{"Content-Length", "5"}, {"content-length", "5"}}), 400},
                             {"ChunkedContent", request({{"Transfer-Encoding", "chunked"}}), 400},
                             {"NoUpgrade", request({{"Upgrade", ""}}), 426},
                             {"AnotherUpgrade", request({{"Upgrade", "h2c"}}), 426},
                             {"NoConnection", request({{"Connection", "keep-alive"}}), 426},
                             {"NoVersion", request({{"Sec-WebSocket-Version", ""}}), 426},
                             {"OlderVersion", request({{"Sec-WebSocket-Version", "8"}}), 426},
                             {"NoKey", request({{"Sec-WebSocket-Key", ""}}), 400},
                             {"ShortKey", request({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZQ=="}}), 400},
                             {"KeyOfOtherLetters", request({{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!=="}}), 400},
                             {"NoSubprotocol", request({{"Sec-WebSocket-Protocol", ""}}), 400},
                             {"AnotherSubprotocol", request({{"Sec-WebSocket-Protocol", "chat, MQTT"}}), 400},
                             {"PageOfSomebodyElse", request({{"Origin", "https://evil.example"}}), 403},
                         }),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(Refusals, HaveWhatHttpWants) {
    EXPECT_THAT(answer_to(request({}, "DELETE /mqtt HTTP/1.1")).text, HasSubstr("\r\nAllow: GET\r\n"));
    EXPECT_THAT(answer_to(request({{"Sec-WebSocket-Version", "7"}})).text,
                HasSubstr("\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"));
    EXPECT_TRUE(answer_to(request({}, "HEAD / HTTP/1.1")).text.ends_with("\r\n\r\n"));
}

TEST(Origins, OfOurOwnMayConnect) {
    const auto allowed = [](const std::string& origin, const std::string& host, bool over_tls = false) {
        return answer_to(request({{"Origin", origin}, {"Host", host}}), {}, over_tls).is_websocket();
    };
    EXPECT_TRUE(allowed("http://192.168.1.5:8080", "192.168.1.5:8080"));
    EXPECT_TRUE(allowed("http://[::1]:8080", "[::1]:8080"));
    EXPECT_TRUE(allowed("http://localhost", "localhost"));
    EXPECT_TRUE(allowed("http://Chappe.local", "chappe.local"));
    EXPECT_TRUE(allowed("http://raspberry:8080", "raspberry:8080"));
    EXPECT_FALSE(allowed("http://192.168.1.5:3000", "192.168.1.5:8080"));
    EXPECT_FALSE(allowed("http://.local", ".localx"));
    EXPECT_FALSE(allowed("null", "localhost"));
    // His name may be given our address.
    EXPECT_FALSE(allowed("http://rebound.example:8080", "rebound.example:8080"));
    EXPECT_TRUE(allowed("https://broker.example", "broker.example", true));
    EXPECT_FALSE(allowed("https://evil.example", "broker.example", true));
    EXPECT_FALSE(allowed("http://broker.example", "broker.example", true));
    EXPECT_FALSE(allowed("http://localhost", "localhost", true));
}

TEST(Origins, CanBeListed) {
    const auto allowed = [](const std::string& origin, std::vector<std::string> origins) {
        Rules rules;
        rules.origins = std::move(origins);
        return answer_to(request({{"Origin", origin}, {"Host", "broker.example"}}), rules).is_websocket();
    };
    EXPECT_TRUE(allowed("https://app.example", {"https://other.example", "https://App.example"}));
    EXPECT_FALSE(allowed("http://app.example", {"https://app.example"}));
    EXPECT_FALSE(allowed("https://app.example:8443", {"https://app.example"}));
    EXPECT_TRUE(allowed("https://anything.example", {"*"}));
    EXPECT_TRUE(allowed("null", {"null"}));
}

class Forwarded : public testing::Test {
protected:
    std::string client_of(const std::string& field, const std::string& peer = "127.0.0.1") {
        const auto head = parse_request_head(request({{"X-Forwarded-For", field}}));
        const auto found = forwarded_for(*head, net::IpEndpoint{*net::IpAddress::parse(peer), 4000}, rules);
        return found ? found->text() : "";
    }
    Forwarded() {
        for (const auto* text : {"127.0.0.1", "10.0.0.0/8"})
            rules.trusted_proxies.push_back(*net::Network::parse(text));
    }

    Rules rules;
};

TEST_F(Forwarded, IsWhomTheLastTrustedProxySaw) {
    EXPECT_EQ(client_of("203.0.113.7"), "203.0.113.7");
    EXPECT_EQ(client_of("1.1.1.1, 203.0.113.7, 10.1.2.3"), "203.0.113.7");
    EXPECT_EQ(client_of("2001:db8::1"), "2001:db8::1");
    EXPECT_EQ(client_of("10.0.0.9, 10.0.0.1"), "10.0.0.9");
}

TEST_F(Forwarded, IsNotBelievedOfOthers) {
    EXPECT_EQ(client_of("203.0.113.7", "192.168.1.1"), "");
    EXPECT_EQ(client_of(""), "");
    EXPECT_EQ(client_of("unknown"), "");
    EXPECT_EQ(client_of("nonsense, 10.1.2.3"), "10.1.2.3");
    const auto head = parse_request_head(request({{"X-Forwarded-For", "203.0.113.7"}}));
    EXPECT_FALSE(forwarded_for(*head, net::UnixEndpoint{""}, rules).has_value());
}

}  // namespace
}  // namespace chappe::web
