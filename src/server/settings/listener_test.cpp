#include "server/settings/listener.h"

#include <string_view>

#include <gtest/gtest.h>

#include "server/settings/settings.h"

namespace chappe::server {

namespace {

net::ListenUrl url(std::string_view text) { return net::ListenUrl::parse(text).value(); }

TEST(Reach, IsTheMachine) {
    for (const auto* text : {"unix:/run/chappe.sock", "mqtt://127.0.0.1:1883", "mqtt://127.9.9.9", "mqtt://[::1]",
                             "mqtt://localhost:1883"}) {
        EXPECT_EQ(reach(url(text)), Reach::Machine) << text;
    }
}

TEST(Reach, IsAPrivateNetwork) {
    for (const auto* text : {"mqtt://10.0.0.1", "mqtt://10.255.255.255", "mqtt://172.16.0.1", "mqtt://172.31.255.255",
                             "mqtt://192.168.1.10", "mqtt://169.254.3.4", "mqtt://[fc00::1]", "mqtt://[fd12:3456::1]",
                             "mqtt://[fe80::1]", "mqtt://[::ffff:192.168.1.10]"}) {
        EXPECT_EQ(reach(url(text)), Reach::PrivateNetwork) << text;
    }
}

TEST(Reach, IsAnywhere) {
    for (const auto* text : {"mqtt://0.0.0.0", "mqtt://[::]", "mqtt://11.0.0.1", "mqtt://172.15.255.255",
                             "mqtt://172.32.0.0", "mqtt://192.169.0.1", "mqtt://203.0.113.5", "mqtt://[2001:db8::1]",
                             "mqtt://[fec0::1]", "mqtt://broker.example.org"}) {
        EXPECT_EQ(reach(url(text)), Reach::Anywhere) << text;
    }
}

bool collide_both_ways(std::string_view a, std::string_view b) {
    EXPECT_EQ(collide(url(a), url(b)), collide(url(b), url(a)));
    return collide(url(a), url(b));
}

TEST(Collide, AtTheSamePlace) {
    EXPECT_TRUE(collide_both_ways("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1"));
    EXPECT_TRUE(collide_both_ways("mqtt://127.0.0.1:1883", "http://127.0.0.1:1883"));
    EXPECT_TRUE(collide_both_ways("mqtt://[::1]", "mqtt://[0:0:0::1]"));
    EXPECT_TRUE(collide_both_ways("mqtt://example.org", "mqtt://example.org"));
    EXPECT_TRUE(collide_both_ways("unix:/run/a", "unix:/run/a"));
}

TEST(Collide, WithAllAddresses) {
    EXPECT_TRUE(collide_both_ways("mqtt://0.0.0.0", "mqtt://192.168.1.10"));
    EXPECT_TRUE(collide_both_ways("mqtt://[::]", "mqtt://192.168.1.10"));  // It serves IPv4 as well.
    EXPECT_TRUE(collide_both_ways("mqtt://[::]", "mqtt://0.0.0.0"));
    EXPECT_FALSE(collide_both_ways("mqtt://0.0.0.0", "mqtt://[::1]"));
}

TEST(Collide, NotElsewhere) {
    EXPECT_FALSE(collide_both_ways("mqtt://127.0.0.1:1883", "mqtt://127.0.0.1:1884"));
    EXPECT_FALSE(collide_both_ways("mqtt://127.0.0.1", "mqtt://127.0.0.2"));
    EXPECT_FALSE(collide_both_ways("mqtt://127.0.0.1", "mqtt://[::1]"));
    EXPECT_FALSE(collide_both_ways("mqtt://127.0.0.1:0", "mqtt://127.0.0.1:0"));  // Each gets a free port.
    EXPECT_FALSE(collide_both_ways("unix:/run/a", "unix:/run/b"));
    EXPECT_FALSE(collide_both_ways("unix:/run/a", "mqtt://127.0.0.1"));
}

TEST(AnonymousAllowed, OnLocalListenersUnlessForbidden) {
    Settings settings;
    Listener listener{.url = url("mqtt://127.0.0.1")};
    EXPECT_TRUE(anonymous_allowed(settings, listener));
    listener.allow_anonymous = false;
    EXPECT_FALSE(anonymous_allowed(settings, listener));
}

TEST(AnonymousAllowed, NotWhereAProxyBringsClientsFromElsewhere) {
    Settings settings;
    Listener listener{.url = url("mqtt://127.0.0.1"), .proxy_protocol = true};
    EXPECT_FALSE(anonymous_allowed(settings, listener));
    listener.allow_anonymous = true;
    EXPECT_TRUE(anonymous_allowed(settings, listener));

    settings.trusted_proxies = {"127.0.0.1"};
    EXPECT_FALSE(anonymous_allowed(settings, {.url = url("http://127.0.0.1")}));
    EXPECT_TRUE(anonymous_allowed(settings, {.url = url("mqtt://127.0.0.1")}));
}

TEST(AnonymousAllowed, OnOtherListenersWhenSaid) {
    Settings settings;
    Listener listener{.url = url("mqtt://192.168.1.10")};
    EXPECT_FALSE(anonymous_allowed(settings, listener));
    settings.allow_anonymous = true;
    EXPECT_TRUE(anonymous_allowed(settings, listener));
    listener.allow_anonymous = false;
    EXPECT_FALSE(anonymous_allowed(settings, listener));
    settings.allow_anonymous = false;
    listener.allow_anonymous = true;
    EXPECT_TRUE(anonymous_allowed(settings, listener));
}

TEST(DefaultSettings, ListenOnBothLoopbackAddresses) {
    const auto settings = default_settings({});
    ASSERT_EQ(settings.listeners.size(), 2u);
    EXPECT_EQ(settings.listeners[0].url.text(), "mqtt://127.0.0.1:1883");
    EXPECT_EQ(settings.listeners[1].url.text(), "mqtt://[::1]:1883");
    for (const auto& listener : settings.listeners) EXPECT_TRUE(listener.may_be_absent);
}

TEST(DefaultSettings, KeepDataWhereTheUserMayWrite) {
    const auto directory = [](const Environment& environment) { return default_settings(environment).data_directory; };
    EXPECT_EQ(directory({.is_root = true, .home = "/root", .xdg_data_home = "/x"}), "/var/lib/chappe");
    EXPECT_EQ(directory({.home = "/home/a", .xdg_data_home = "/home/a/data"}), "/home/a/data/chappe");
    EXPECT_EQ(directory({.home = "/home/a", .xdg_data_home = ""}), "/home/a/.local/share/chappe");
    EXPECT_EQ(directory({.home = "/home/a", .xdg_data_home = "data"}), "/home/a/.local/share/chappe");
    EXPECT_EQ(directory({}), "/var/lib/chappe");
}

}  // namespace

}  // namespace chappe::server
