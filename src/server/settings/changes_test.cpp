#include "server/settings/changes.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/settings/load.h"

namespace chappe::server {

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Settings settings_of(const std::string& text) {
    const ConfigurationFile file{"c.toml", text};
    auto loaded = load(&file, {}, {});
    EXPECT_FALSE(loaded.has_errors()) << text;
    return loaded.settings;
}

std::vector<std::string> changes_between(const std::string& old, const std::string& now) {
    std::vector<std::string> lines;
    for (const auto& [name, from, to, reload] : changes(settings_of(old), settings_of(now))) {
        lines.push_back(name + ": " + from + " -> " + to + (reload == Reload::Now ? "" : " after a restart"));
    }
    return lines;
}

TEST(Changes, OfTheSameAreNone) {
    EXPECT_THAT(changes_between("", ""), IsEmpty());
    // What was a default is now written down.
    EXPECT_THAT(changes_between("", "[server]\nlisten = [\"mqtt://127.0.0.1\", \"mqtt://[::1]\"]\nshards = 0\n"),
                IsEmpty());
}

TEST(Changes, AreNamedWithBothValues) {
    EXPECT_THAT(changes_between("[limits]\npacket_size_max = \"1 MiB\"\n", "[log]\nlevel = \"debug\"\n"),
                ElementsAre("log.level: \"info\" -> \"debug\"", "limits.packet_size_max: \"1 MiB\" -> \"16 MiB\""));
}

TEST(Changes, OfSomeSettingsNeedARestart) {
    EXPECT_THAT(changes_between("", "[server]\nshards = 2\ndata_directory = \"/x\"\n"),
                ElementsAre("server.data_directory: \"/var/lib/chappe\" -> \"/x\" after a restart",
                            "server.shards: 0 -> 2 after a restart"));
}

TEST(Changes, OfAddressesNeedARestart) {
    EXPECT_THAT(
        changes_between("[server]\nlisten = [\"unix:/x\"]\n", "[server]\nlisten = [\"unix:/x\", \"unix:/y\"]\n"),
        ElementsAre("server.listen: unix:/x -> unix:/x, unix:/y after a restart"));
    EXPECT_THAT(
        changes_between("[server]\nlisten = [\"unix:/x\", \"unix:/y\"]\n", "[server]\nlisten = [\"unix:/x\"]\n"),
        ElementsAre("server.listen: unix:/x, unix:/y -> unix:/x after a restart"));
    EXPECT_THAT(changes_between("[server]\nlisten = [\"unix:/x\", \"unix:/y\"]\n",
                                "[server]\nlisten = [\"unix:/y\", \"unix:/x\"]\n"),
                IsEmpty());
}

TEST(Changes, OfOneListenerNameIt) {
    EXPECT_THAT(changes_between("[server]\nlisten = [\"unix:/x\"]\n",
                                "[[listener]]\nurl = \"unix:/x\"\nmode = \"0600\"\nconnections_max = 5\n"),
                ElementsAre("listener.connections_max of unix:/x: 0 -> 5",
                            "listener.mode of unix:/x: \"0660\" -> \"0600\" after a restart"));
}

// Every row, so that none is forgotten by changes() or mixed up by after_reload().
TEST(AfterReload, KeepsWhatNeedsARestartAndTakesTheRest) {
    const auto old = default_settings({});
    for (const auto& key : keys()) {
        if (key.is_of_listener() || key.type == Type::Urls) continue;
        const auto now = settings_of('[' + std::string(key.section) + "]\n" + std::string(key.name) + " = " +
                                     std::string(key.example) + '\n');
        const auto after = after_reload(old, now);
        EXPECT_EQ(key.get(after), key.get(key.reload == Reload::Now ? now : old)) << key.full_name();
        ASSERT_EQ(changes(old, now).size(), 1u) << key.full_name();
        EXPECT_EQ(changes(old, now)[0].name, key.full_name());
        EXPECT_EQ(changes(old, after).size(), key.reload == Reload::Now ? 1u : 0u) << key.full_name();
    }
}

TEST(AfterReload, KeepsTheListenersThatAreOpen) {
    const auto old = settings_of("[server]\nlisten = [\"unix:/x\", \"unix:/y\"]\n");
    const auto now = settings_of(
        "[[listener]]\nurl = \"unix:/z\"\n"
        "[[listener]]\nurl = \"unix:/y\"\nmode = \"0600\"\nconnections_max = 5\nallow_anonymous = true\n");
    auto expected = old.listeners;
    expected[1].connections_max = 5;
    expected[1].allow_anonymous = true;
    EXPECT_EQ(after_reload(old, now).listeners, expected);
}

}  // namespace

}  // namespace chappe::server
