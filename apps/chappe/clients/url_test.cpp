#include "apps/chappe/clients/url.h"

#include <gtest/gtest.h>

namespace chappe::app {
namespace {

using Text = std::optional<std::string>;

TEST(ClientUrl, HasAllParts) {
    struct Row {
        const char* text;
        const char* server;
        Text user;
        Text password;
        const char* topic;
    };
    const Row rows[] = {
        {"mqtt://host", "mqtt://host:1883", {}, {}, ""},
        {"mqtt://host:1884/a/b", "mqtt://host:1884", {}, {}, "a/b"},
        {"mqtt://ada@host/a", "mqtt://host:1883", "ada", {}, "a"},
        {"mqtt://ada:secret@host", "mqtt://host:1883", "ada", "secret", ""},
        {"mqtt://ada:@host", "mqtt://host:1883", "ada", "", ""},
        {"mqtt://a%40b:p%3A%2F%25@host/x%20y", "mqtt://host:1883", "a@b", "p:/%", "x y"},
        {"mqtt://ada:p@ss@host", "mqtt://host:1883", "ada", "p@ss", ""},
        {"mqtt://[::1]:1884/#", "mqtt://[::1]:1884", {}, {}, "#"},
        {"mqtt://host//leading", "mqtt://host:1883", {}, {}, "/leading"},
        {"unix:/run/chappe.sock", "unix:/run/chappe.sock", {}, {}, ""},
        {"unix:///run/chappe.sock", "unix:/run/chappe.sock", {}, {}, ""},
    };
    for (const auto& row : rows) {
        const auto url = ClientUrl::parse(row.text);
        ASSERT_TRUE(url.has_value()) << row.text << ": " << url.error();
        EXPECT_EQ(url->server, net::Url::parse(row.server).value()) << row.text;
        EXPECT_EQ(url->user, row.user) << row.text;
        EXPECT_EQ(url->password, row.password) << row.text;
        EXPECT_EQ(url->topic, row.topic) << row.text;
    }
}

TEST(ClientUrl, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> rows[] = {
        {"host", "host"},
        {"https://host", "connects to mqtt://"},
        {"http://host/mqtt", "connects to mqtt://"},
        {"mqtt://", "host is missing"},
        {"mqtt://host:99999", "99999"},
        {"mqtt://a%4@host", "hexadecimal"},
    };
    for (const auto& [text, expected] : rows) {
        const auto url = ClientUrl::parse(text);
        ASSERT_FALSE(url.has_value()) << text;
        EXPECT_NE(url.error().find(expected), std::string::npos) << url.error();
    }
}

TEST(ClientUrl, HostsMayBeIPv6WithoutBrackets) {
    using enum net::Scheme;
    EXPECT_EQ(url_of(Mqtt, "::1", 1884)->host, "::1");
    EXPECT_EQ(url_of(Mqtt, "[::1]", 1884)->port, 1884);
    EXPECT_EQ(url_of(Mqtt, "localhost", {})->text(), "mqtt://localhost:1883");
    EXPECT_EQ(url_of(Mqtts, "localhost", {})->text(), "mqtts://localhost:8883");
    EXPECT_FALSE(url_of(Mqtt, "not a host", 1883).has_value());
    EXPECT_EQ(unix_url("/run/x.sock")->path, "/run/x.sock");
}

}  // namespace
}  // namespace chappe::app
