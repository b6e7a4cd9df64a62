#include "server/settings/print.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/settings/changes.h"

namespace chappe::server {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto configuration = R"(
[server]
listen = ["mqtt://127.0.0.1:2000"]
sys_interval_seconds = 0

[[listener]]
url = "unix:/run/chappe.sock"
allow_anonymous = true
mode = "0600"

[log]
file = "/var/log/\"chappe\".log"

[limits]
packet_size_max = 1048576
)";

Loaded load_text(const std::string& text) {
    const ConfigurationFile file{"c.toml", text};
    return load(&file, {{"--log-level", "log.level", {"debug"}}}, {});
}

TEST(PrintToml, ShowsWhatWasChangedAndWhere) {
    EXPECT_EQ(print_toml(load_text(configuration), Which::Changed),
              R"([server]
listen = [
    "mqtt://127.0.0.1:2000",                      # c.toml:3
]
sys_interval_seconds = "off"                      # c.toml:4

[[listener]]                                      # c.toml:7
url = "unix:/run/chappe.sock"
allow_anonymous = true
mode = "0600"

[log]
level = "debug"                                   # --log-level
file = "/var/log/\"chappe\".log"                  # c.toml:12

[limits]
packet_size_max = "1 MiB"                         # c.toml:15
)");
}

TEST(PrintToml, ShowsNothingWhereNothingWasChanged) {
    EXPECT_EQ(print_toml(load(nullptr, {}, {}), Which::Changed), "");
    EXPECT_EQ(print_json(load(nullptr, {}, {}), Which::Changed), "{}\n");
}

TEST(PrintToml, ShowsEverySetting) {
    const auto text = print_toml(load(nullptr, {}, {}), Which::All);
    for (const auto& key : keys()) {
        if (!key.is_of_listener()) {
            EXPECT_THAT(text, HasSubstr('\n' + std::string(key.name) + " = "));
        }
    }
    EXPECT_THAT(text, HasSubstr("    \"mqtt://[::1]:1883\",                          # default\n"));
}

TEST(PrintToml, IsReadBackAsTheSameSettings) {
    // Without any listener nobody can connect, which is an error, but what is printed still says so.
    for (const auto* text : {"", configuration, "[server]\nlisten = []\n"}) {
        const auto first = load_text(text);
        const auto second = load_text(print_toml(first, Which::All));
        EXPECT_EQ(second.findings.size(), first.findings.size());
        EXPECT_THAT(changes(first.settings, second.settings), IsEmpty());
    }
}

TEST(PrintJson, HasNumbersInBytesAndSeconds) {
    const auto json = nlohmann::json::parse(print_json(load_text(configuration), Which::All));
    const auto expected = nlohmann::json::parse(
        R"({"value": 1048576, "text": "1 MiB", "origin": {"kind": "file", "file": "c.toml", "line": 15}})");
    EXPECT_EQ(json["limits"]["packet_size_max"], expected);
    EXPECT_EQ(json["limits"]["session_expiry_max_seconds"]["value"], 0xFFFF'FFFF);
    EXPECT_EQ(json["limits"]["session_expiry_max_seconds"]["text"], "never");
    EXPECT_EQ(json["limits"]["session_expiry_max_seconds"]["origin"]["kind"], "default");
    EXPECT_EQ(json["log"]["level"]["origin"],
              nlohmann::json::parse(R"({"kind": "command_line", "option": "--log-level"})"));
}

TEST(PrintJson, HasAllListenersTogether) {
    const auto json = nlohmann::json::parse(print_json(load_text(configuration), Which::All));
    ASSERT_EQ(json["listener"].size(), 2u);
    EXPECT_EQ(json["listener"][0]["url"], "mqtt://127.0.0.1:2000");
    EXPECT_EQ(json["listener"][0]["allow_anonymous"], nullptr);
    EXPECT_EQ(json["listener"][1]["mode"], 0600);
    EXPECT_EQ(json["listener"][1]["origin"]["line"], 7);
    EXPECT_FALSE(json["server"].contains("listen"));
}

TEST(PrintFindingsJson, HasOneObjectForEach) {
    const ConfigurationFile file{"\xff.toml", "[server]\nlisen = []\nshards = 2\n[limits]\nsessions_max = 10\n"};
    const auto text = print_findings_json(file.name, false, load(&file, {}, {}));
    const auto json = nlohmann::json::parse(text);
    EXPECT_EQ(json["ok"], false);
    EXPECT_EQ(json["settings"], 2);
    ASSERT_EQ(json["findings"].size(), 2u);
    const auto& error = json["findings"][0];
    EXPECT_EQ(error["severity"], "error");
    EXPECT_EQ(error["line"], 2);
    EXPECT_EQ(error["column"], 1);
    EXPECT_EQ(error["message"], "unknown setting server.lisen; did you mean listen?");
    EXPECT_EQ(json["findings"][1]["severity"], "warning");
    EXPECT_FALSE(json["findings"][1].contains("column"));
}

TEST(PrintFindingsJson, SaysThatAllIsWell) {
    const auto json =
        nlohmann::json::parse(print_findings_json("c.toml", true, load_text("[log]\nformat = \"json\"\n")));
    EXPECT_EQ(json, nlohmann::json::parse(R"({"file": "c.toml", "ok": true, "settings": 1, "findings": []})"));
}

}  // namespace

}  // namespace chappe::server
