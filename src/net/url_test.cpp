#include "net/url.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chappe::net {
namespace {

using ::testing::HasSubstr;

struct Good {
    std::string_view text;
    ListenUrl url;
    std::string_view canonical;
};

TEST(ListenUrl, ParsesWhatPeopleWrite) {
    const std::vector<Good> rows = {
        {"mqtt://127.0.0.1:1883", {Scheme::Mqtt, "127.0.0.1", 1883, ""}, "mqtt://127.0.0.1:1883"},
        {"mqtt://broker.lan", {Scheme::Mqtt, "broker.lan", 1883, ""}, "mqtt://broker.lan:1883"},
        {"mqtt://broker.lan/", {Scheme::Mqtt, "broker.lan", 1883, ""}, "mqtt://broker.lan:1883"},
        {"MQTT://Broker:1", {Scheme::Mqtt, "Broker", 1, ""}, "mqtt://Broker:1"},
        {"mqtts://broker.lan", {Scheme::Mqtts, "broker.lan", 8883, ""}, "mqtts://broker.lan:8883"},
        {"http://0.0.0.0", {Scheme::Http, "0.0.0.0", 80, ""}, "http://0.0.0.0:80"},
        {"https://[::]", {Scheme::Https, "::", 443, ""}, "https://[::]:443"},
        {"mqtt://[::1]:1883", {Scheme::Mqtt, "::1", 1883, ""}, "mqtt://[::1]:1883"},
        {"mqtt://127.0.0.1:0", {Scheme::Mqtt, "127.0.0.1", 0, ""}, "mqtt://127.0.0.1:0"},
        {"mqtt://my_pi-4.local:65535", {Scheme::Mqtt, "my_pi-4.local", 65535, ""}, "mqtt://my_pi-4.local:65535"},
        {"unix:/run/chappe.sock", {Scheme::Unix, "", 0, "/run/chappe.sock"}, "unix:/run/chappe.sock"},
        {"unix:///run/chappe.sock", {Scheme::Unix, "", 0, "/run/chappe.sock"}, "unix:/run/chappe.sock"},
        {"unix:chappe.sock", {Scheme::Unix, "", 0, "chappe.sock"}, "unix:chappe.sock"},
        {"unix:/a?b#c@d", {Scheme::Unix, "", 0, "/a?b#c@d"}, "unix:/a?b#c@d"},
    };
    for (const auto& row : rows) {
        const auto url = ListenUrl::parse(row.text);
        ASSERT_TRUE(url.has_value()) << row.text << ": " << url.error().what;
        EXPECT_EQ(*url, row.url) << row.text;
        EXPECT_EQ(url->text(), row.canonical);
        EXPECT_EQ(ListenUrl::parse(url->text()), *url) << "The text of a URL is that URL again.";
    }
}

struct Bad {
    std::string_view text;
    std::string_view says;  // A part of the message.
};

// What is wrong in a URL of either kind.
const std::vector<Bad> bad_urls = {
    {"", "not a URL; write SCHEME://HOST:PORT"},
    {"1883", "not a URL; write SCHEME://HOST:PORT"},
    {"127.0.0.1:1883", "not a URL; write SCHEME://HOST:PORT"},
    {"://127.0.0.1", "not a URL; write SCHEME://HOST:PORT"},
    {"mqtt:127.0.0.1", "not a URL; write SCHEME://HOST:PORT"},
    {"tcp://127.0.0.1:1883",
     "unknown scheme \"tcp\"; known are mqtt, mqtts, http, https and unix, and tcp is called mqtt"},
    {"wss://127.0.0.1", "wss is called https here"},
    {"gopher://127.0.0.1", "unknown scheme \"gopher\"; known are mqtt, mqtts, http, https and unix"},
    {"mqtt://", "the host is missing; 0.0.0.0 is every IPv4 address of this machine"},
    {"mqtt://:1883", "the host is missing"},
    {"mqtt://*:1883", "write 0.0.0.0 for every IPv4 address"},
    {"mqtt://a b:1883", "\"a b\" is not a host name"},
    {"mqtt://caf\xc3\xa9:1883", "is not a host name"},
    {"mqtt://192.168.1.256", "\"192.168.1.256\" is not an IPv4 address; one looks like 192.168.1.5"},
    {"mqtt://192.168.1", "is not an IPv4 address"},
    {"mqtt://1883", "is not an IPv4 address"},
    {"mqtt://::1:1883", "an IPv6 address stands in brackets, as in mqtt://[::1]:1883"},
    {"mqtt://[::1:1883", "closing bracket"},
    {"mqtt://[::g]:1883", "\"::g\" is not an IPv6 address; one looks like [::1]"},
    {"mqtt://[127.0.0.1]:1883", "\"127.0.0.1\" is not an IPv6 address"},
    {"mqtt://[]:1883", "is not an IPv6 address"},
    {"mqtt://[::1]1883", "after the bracket only :PORT may follow"},
    {"mqtt://h:", "\"\" is not a port; ports are numbers up to 65535"},
    {"mqtt://h:65536", "\"65536\" is not a port"},
    {"mqtt://h:-1", "\"-1\" is not a port"},
    {"mqtt://h:+1", "\"+1\" is not a port"},
    {"mqtt://h:1883x", "\"1883x\" is not a port"},
    {"mqtt://anna:secret@h", "a user name and password do not belong into this URL"},
    {"mqtt://h:1883/topic", "no path is possible here; end it with the port, without \"/topic\""},
    {"mqtt://h?x=1", "no ?QUERY or #FRAGMENT"},
    {"http://h/mqtt#x", "no ?QUERY or #FRAGMENT"},
    {"unix:", "the path is missing; write unix:PATH"},
    {"unix://run/chappe.sock", "a Unix socket has no host; write unix:PATH"},
    {std::string_view("unix:/a\0b", 9), "zero byte"},
    {std::string_view("mqtt://127.0.0.1\0", 17), "is not a host name"},
};

TEST(ListenUrl, SaysWhatIsWrong) {
    for (const auto& row : bad_urls) {
        const auto url = ListenUrl::parse(row.text);
        ASSERT_FALSE(url.has_value()) << row.text;
        EXPECT_THAT(url.error().what, HasSubstr(row.says));
        EXPECT_THAT(url.error().what, HasSubstr("\"" + std::string(row.text) + "\": "));
        EXPECT_EQ(url.error().code, EINVAL);
    }
    EXPECT_THAT(ListenUrl::parse("http://h/mqtt").error().what, HasSubstr("no path is possible here"));
    EXPECT_THAT(ListenUrl::parse("unix:/" + std::string(107, 'x')).error().what, HasSubstr("at most 107 bytes"));
    EXPECT_TRUE(ListenUrl::parse("unix:/" + std::string(106, 'x')).has_value());
}

TEST(Url, SaysWhatIsWrong) {
    for (const auto& row : bad_urls) {
        const auto url = Url::parse(row.text);
        ASSERT_FALSE(url.has_value()) << row.text;
        EXPECT_THAT(url.error().what, HasSubstr(row.says));
    }
    EXPECT_THAT(Url::parse("mqtt://h:0").error().what, HasSubstr("port 0 cannot be connected to"));
}

TEST(Url, HasAPathForHttp) {
    EXPECT_EQ(Url::parse("http://h/mqtt"), (Url{Scheme::Http, "h", 80, "/mqtt"}));
    EXPECT_EQ(Url::parse("https://[::1]:8443/a/b"), (Url{Scheme::Https, "::1", 8443, "/a/b"}));
    EXPECT_EQ(Url::parse("https://[::1]:8443/a/b")->text(), "https://[::1]:8443/a/b");
    EXPECT_EQ(Url::parse("http://h/"), (Url{Scheme::Http, "h", 80, ""}));
}

TEST(ListenUrl, KnowsWhatOnlyThisMachineReaches) {
    for (const auto* text : {"mqtt://127.0.0.1", "mqtt://127.1.2.3", "mqtt://[::1]", "mqtt://[::ffff:127.0.0.1]",
                             "mqtt://localhost", "mqtt://LocalHost", "mqtt://a.localhost", "unix:/x"}) {
        EXPECT_TRUE(is_loopback(ListenUrl::parse(text).value())) << text;
    }
    for (const auto* text : {"mqtt://0.0.0.0", "mqtt://[::]", "mqtt://192.168.1.5", "mqtt://128.0.0.1", "mqtt://[::2]",
                             "mqtt://[1::1]", "mqtt://[::ffff:10.0.0.1]", "mqtt://broker.lan", "mqtt://notlocalhost"}) {
        EXPECT_FALSE(is_loopback(ListenUrl::parse(text).value())) << text;
    }
}

}  // namespace
}  // namespace chappe::net
